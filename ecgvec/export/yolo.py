"""YOLO: labels for detection, segmentation and pose in the layout that Ultralytics trains from.

The conventions are those of https://docs.ultralytics.com/datasets/ (``detect``, ``segment``, ``pose``). Each task has a
folder of its own, so that ``yolo pose train data=OUT/yolo/pose/data.yaml`` works as it is:

    yolo/TASK/data.yaml     names of the classes; images are found beside it, wherever the folder is moved
    yolo/TASK/images/...    the PNG of each image
    yolo/TASK/labels/...    a text file an image, one line an instance

Ultralytics finds labels by putting ``labels`` in place of the last ``images`` in an image's path, so tasks cannot share
a folder of images: the PNG is there three times. Remove the tasks that are not wanted. ``train`` and ``val`` of
``data.yaml`` are both all images: which of them to hold back is the trainer's choice.

Numbers are fractions of the image's width and height, from its top-left corner. Lines are

- detect: class, centre x, centre y, width, height;
- segment: class, x, y, x, y, ...: a polygon, simplified by at most 0.25 px. It has no holes: those of the ink are
  filled. An instance of several parts is one polygon, its parts joined by lines of no width, as Ultralytics' own
  converter from COCO does;
- pose: class, centre x, centre y, width, height, then x, y, v of four corners, as ``ecgvec.export.coco`` tells.

Instances, boxes and visibility are those of ``ecgvec.export.coco``: all ends at the image's edge. What something hides
in part keeps its whole line; what cannot be seen at all has none, for a line could not say so. Classes have the same
numbers in all tasks and runs; leads of other than the 22 standard names are all ``other-lead``, kinds of marks that
are not in ``ecgvec.export.coco.ADDED`` all ``other-mark``. Traces and marks have no keypoints and so no line in pose;
panels are no ink and so have no line in segment.

``data.yaml`` gives no ``flip_idx``, with which Ultralytics flips no image in training for pose; give ``fliplr=0`` for
detect and segment, for no ECG is printed mirrored.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ecgvec._typing import Points
from ecgvec.export.coco import ADDED, CORNERS, LEADS, WITH_KEYPOINTS, outlines
from ecgvec.export.formats import FORMATS, Files, Format, Streams
from ecgvec.export.images import encode_png
from ecgvec.export.instances import Instance, instances
from ecgvec.sheet import Sheet

TASKS = ("detect", "segment", "pose")
OTHER_LEAD, OTHER_MARK = "other-lead", "other-mark"
_LATE = ("note", "calipers")  # came after the others had their numbers
_EARLY = [tuple(name for name in names if name not in _LATE) for names in (WITH_KEYPOINTS, ADDED)]
NAMES = (*LEADS, OTHER_LEAD, *_EARLY[0], OTHER_MARK, *_EARLY[1], *_LATE)

DECIMALS = 8  # of fractions: they are rounded by 0.00015 px at most in the largest image
POLYGON_ERROR = 0.25  # px by which a polygon may differ from the ink's outline
_IMAGES, _LABELS = "/images/", "/labels/"


def label_path(image: str) -> str:
    """Where Ultralytics looks for the labels of the image at this path."""
    return _LABELS.join(image.rsplit(_IMAGES, 1)).rsplit(".", 1)[0] + ".txt"


def one_ring(rings: list[Points]) -> Points:
    """Several rings (n, 2) as one: each is reached from the nearest point of those before, and left the same way."""
    whole, *others = sorted(rings, key=lambda ring: float(ring[:, 0].min()))
    for ring in others:
        first = int(ring[:, 0].argmin())
        tour = np.concatenate([ring[first:], ring[: first + 1]])
        near = int(np.hypot(*(whole - tour[0]).T).argmin())
        whole = np.concatenate([whole[: near + 1], tour, whole[near:]])
    return whole


def _class(instance: Instance) -> int:
    """The number of its class. Each family has names of its own: a lead may be called as a mark is."""
    names, other = {"lead": (LEADS, OTHER_LEAD), "added": (ADDED, OTHER_MARK)}.get(
        instance.family, (WITH_KEYPOINTS, "")
    )
    return NAMES.index(instance.category if instance.category in names else other)


def _line(number: int, values: Iterable[float]) -> str:
    return " ".join([str(number), *(f"{value:.{DECIMALS}f}" for value in values)]) + "\n"


def _box(instance: Instance, size: Points) -> Points:
    """Centre and size (4,) as fractions."""
    low, high = np.array(instance.box).reshape(2, 2) / size
    return np.concatenate([(low + high) / 2, high - low])


def detect_line(instance: Instance, size: Points) -> str:
    """The line of an instance in detection. ``size``: the image's width and height in px."""
    return _line(_class(instance), _box(instance, size))


def segment_line(instance: Instance, size: Points) -> str:
    """The line of an instance in segmentation; nothing for a panel."""
    if instance.family == "place":
        return ""
    ring = one_ring(outlines(instance.shape, POLYGON_ERROR))
    return _line(_class(instance), (ring / size).ravel())


def pose_line(instance: Instance, size: Points) -> str:
    """The line of an instance in pose; nothing for one without keypoints."""
    if instance.keypoints is None:
        return ""
    points = "".join(f" {x:.{DECIMALS}f} {y:.{DECIMALS}f} {v:.0f}" for x, y, v in instance.keypoints / [*size, 1])
    return detect_line(instance, size).rstrip("\n") + points + "\n"


def image_files(sheet: Sheet, stem: str) -> Files:
    """The image and its labels, once for each task."""
    found, _ = instances(sheet)
    size = np.array(sheet.warp.size, dtype=np.float64)
    png = encode_png(sheet.image, sheet.plan.page.style.dpi)
    files: Files = {}
    for task, line in zip(TASKS, (detect_line, segment_line, pose_line), strict=True):
        image = f"yolo/{task}{_IMAGES}{stem}.png"
        files[image] = png
        files[label_path(image)] = "".join(line(instance, size) for instance in found if instance.visible).encode()
    return files


def _share(sheet: Sheet, stem: str) -> str:
    """Nothing that the shared files need: they are the same for all images."""
    return stem


def data_files(parts: Iterable[str]) -> Streams:
    """A ``data.yaml`` for each task."""
    head = "# Images and labels lie beside this file. Choose yourself which images to hold back for val.\n"
    paths = "train: images\nval: images\n"
    names = "".join(f'  {number}: "{name}"\n' for number, name in enumerate(NAMES))
    shape = f"kpt_shape: [{len(CORNERS)}, 3]  # x, y, v of {', '.join(CORNERS)}\n"
    return {
        f"yolo/{task}/data.yaml": [(head + paths + (shape if task == "pose" else "") + "names:\n" + names).encode()]
        for task in TASKS
    }


FORMATS.add(
    "yolo",
    Format("YOLO labels for detection, segmentation and pose, with images", image_files, _share, data_files),
)
