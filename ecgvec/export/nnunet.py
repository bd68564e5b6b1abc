"""The nnunet format: a raw dataset of nnU-Net v2. ``nnunet/`` is what nnU-Net calls ``nnUNet_raw/DatasetNNN_NAME``:
move it, or link it, there.

Sources: documentation/dataset_format.md, nnunetv2/imageio/natural_image_reader_writer.py and
nnunetv2/experiment_planning/verify_dataset_integrity.py of github.com/MIC-DKFZ/nnUNet. An RGB picture is one file,
``CASE_0000.png``, and three channels; labels are greyscale PNGs of its size, ``CASE.png``, with consecutive numbers.

Labels are the leads: 0 where no trace is. A pixel has one label, so where two leads cross, the one that is drawn later
has it (the masks format can say both); a rhythm strip has its lead's label, whatever its row. Pixels are filled as in
``masks``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import numpy as np

from ecgvec._typing import Uint8Array
from ecgvec.export.formats import FORMATS, Files, Format, Streams
from ecgvec.export.images import encode_png
from ecgvec.export.masks import ink_patches, mask_png
from ecgvec.layout.place import TraceInfo
from ecgvec.record.leads import STANDARD_12
from ecgvec.sheet import Sheet

OTHER = "other"  # every lead without a standard name
# The place is the label, in every dataset the same; dataset.json names them as far as the run uses them.
LABELS = (
    "background",
    *STANDARD_12,
    OTHER,
    *("V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R", "X", "Y", "Z"),
)
LONGEST_CASE = 200  # bytes; file names end at 255
_ENDING = ".png"


def case_name(stem: str) -> str:
    """nnU-Net's case identifier of an image: its path below the output folder with ``__`` for ``/``.

    Where two paths could so become one identifier (a name holds ``__``, or begins or ends with ``_``), or where it
    would be too long for a file system, it is the path's last part and 16 hexadecimal digits of the path's BLAKE2b.
    """
    parts, case = stem.split("/"), stem.replace("/", "__")
    if len(case.encode()) <= LONGEST_CASE and not any("__" in f"_{part}_" for part in parts):
        return case
    return f"{parts[-1]}-{hashlib.blake2b(stem.encode(), digest_size=8).hexdigest()}"


def label_of(lead: str) -> int:
    """The label of a lead."""
    return LABELS.index(lead if lead in LABELS[1:] else OTHER)


def label_image(sheet: Sheet) -> Uint8Array:
    """The label of each pixel, (H, W)."""
    width, height = sheet.warp.size
    labels = np.zeros((height, width), dtype=np.uint8)
    for mark, patch in ink_patches(sheet, ("trace", "qr-back")):
        # A mark without a trace is the white ground of a QR code, which hides what lies below it.
        label = label_of(mark.info.panel.lead) if isinstance(mark.info, TraceInfo) else 0
        patch.of(labels)[patch.inside] = label
    return labels


def _files(sheet: Sheet, stem: str) -> Files:
    case = case_name(stem)
    return {
        f"nnunet/imagesTr/{case}_0000{_ENDING}": encode_png(sheet.image, sheet.plan.page.style.dpi),
        f"nnunet/labelsTr/{case}{_ENDING}": mask_png(label_image(sheet)),
    }


def highest_label(sheet: Sheet, stem: str) -> int:
    """The highest label that the image may hold."""
    return max((label_of(trace.lead) for trace in sheet.labels.traces), default=0)


def dataset_file(parts: Iterable[int]) -> Streams:
    """``nnunet/dataset.json``: the standard 12 leads, and as many further labels as the run needs."""
    images, highest = 0, len(STANDARD_12)
    for part in parts:
        images, highest = images + 1, max(highest, part)
    document = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {name: i for i, name in enumerate(LABELS[: 1 + highest])},
        "numTraining": images,
        "file_ending": _ENDING,
        "overwrite_image_reader_writer": "NaturalImage2DIO",
        "name": "ecgvec",
        "description": "ECGs on paper; labels are the ink of leads; where two cross, the later one has the pixel",
    }
    return {"nnunet/dataset.json": [(json.dumps(document, indent=1) + "\n").encode()]}


FORMATS.add("nnunet", Format("a raw dataset of nnU-Net v2, one label a lead", _files, highest_label, dataset_file))
