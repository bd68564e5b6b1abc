"""What was written for an image, read back: its plan, its labels as the models that were written, its other files.

This is the only reader of ecgvec's JSON: ``inspect``, ``gallery``, ``verify`` and ``replay`` use it, and so do you,
by ``ecgvec.load``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import ValidationError

from ecgvec._typing import Float64Array, Image
from ecgvec.errors import RecipeError, SourceError, brief, one_line
from ecgvec.export.formats import FORMAT_NAME, FORMAT_VERSION
from ecgvec.export.label_json import decode_labels
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.layout.place import Layout, place
from ecgvec.planning.model import Plan
from ecgvec.rendering.camera import View, compute_view
from ecgvec.rendering.labels.model import Labels, TraceLabel
from ecgvec.warp.base import Flat
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import Paper

SUFFIXES = (".png", ".jpg")  # of images; the first that is there is read
CURE = "render the image anew with --formats png,json"
_IMAGE_ENDS = {".png": b"IEND", ".jpg": b"\xff\xd9"}  # a decoder would show what there is of a file that is cut off
_TAIL = 16
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)
_BROKEN_NPZ = (*_BROKEN, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, eq=False, repr=False)
class SavedPage:
    """An image as it was written. ``path`` is its JSON, ``size`` (width, height) in px; ``homography`` (3, 3) goes from
    page mm to image px: of a page that is not ``flat`` it is the flat page that comes nearest. ``labels`` are in image
    px. ``files`` are the image's other files, as seen from the JSON, with their SHA-256."""

    path: Path
    plan: Plan
    size: tuple[int, int]
    dpi: float
    px_per_mm: float
    flat: bool
    homography: Float64Array
    labels: Labels
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        """The image's name, without folder and extension."""
        return self.path.stem

    def file(self, suffix: str) -> Path | None:
        """The image's own file of that suffix ('.png', '.npz') beside the JSON; None where the JSON lists none."""
        name = self.path.stem + suffix
        return self.path.parent / name if name in self.files else None

    @property
    def image_path(self) -> Path:
        """The PNG, or the JPG where there is no PNG. It may be missing."""
        paths = [self.path.with_suffix(suffix) for suffix in SUFFIXES]
        return next((path for path in paths if path.exists()), paths[0])

    def read_image(self) -> Image:
        """The picture (H, W, 3) uint8 RGB. SourceError where it is missing, cut off, or not of this page's size."""
        return decode_image(self.image_path, self.size)[0]

    @cached_property
    def layout(self) -> Layout:
        """The page in mm."""
        return place(self.plan.page)

    @cached_property
    def view(self) -> View:
        """How the image shows the page. SourceError where the JSON says otherwise than its plan."""
        if self.flat:
            return View(_flat_warp(self.homography, self.size, str(self.path)))
        view = compute_view(self.plan, Paper(self.layout.width, self.layout.height))
        if not isinstance(view.warp, Lattice) or view.warp.size != self.size:
            raise SourceError(f"{self.path}: the plan gives another page than the JSON says: render the image anew")
        return view

    @property
    def warp(self) -> Flat | Lattice:
        """The map from page mm to image px and back."""
        return self.view.warp

    def with_samples(self, *, check: bool = True, name: str | None = None) -> SavedPage:
        """The same page, its traces with their samples from the NPZ. ``check``: that it is the file that was written
        with the JSON; ``name`` is what errors call the NPZ. SourceError where it is missing or another."""
        path = self.path.with_suffix(".npz")
        traces = _read_samples(self, path, str(path) if name is None else name, check)
        return replace(self, labels=replace(self.labels, traces=traces))

    def __repr__(self) -> str:
        width, height = self.size
        return f"<SavedPage {brief(self.name, 60)}: {width} x {height} px, {len(self.labels.traces)} traces>"


def load(path: str | PathLike[str], *, samples: bool = True, name: str | None = None) -> SavedPage:
    """The image whose JSON, PNG or JPG is ``path``, with all that was written of it.

    Labels are the models of ``sheet.labels``, in image px. Three fields are coarser than a sheet's: ``outline`` is the
    four corners of the ink's box, ``panel_ring`` those of the panel, and ``clip`` is None. Traces have their samples
    (``t``, ``mv``, ``points``, ``visible``, ``occluded``) from the NPZ; without ``samples`` these arrays are empty and
    the NPZ is not opened. ``name`` is what errors call the file. SourceError for a file that is missing, broken,
    changed, of another format version, or not ecgvec's.
    """
    sidecar = find_sidecar(Path(path))
    shown = str(sidecar) if name is None else name
    page = _parse(_read_document(sidecar, shown), sidecar, shown)
    arrays = None if name is None else name.removesuffix(".json") + ".npz"
    return page.with_samples(name=arrays) if samples else page


def find_sidecar(path: Path) -> Path:
    """The JSON of an image, given by its PNG, its JPG or that JSON; SourceError where there is none."""
    if not path.exists():
        raise SourceError(f"{path} does not exist: give an image, its JSON, or a folder of them")
    if path.suffix == ".json":
        return path
    if path.suffix not in SUFFIXES:
        raise SourceError(f"{path} is no image and no JSON: give an image that ecgvec has drawn, or its JSON")
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        raise SourceError(f"{path} has no labels, for no {sidecar.name} lies beside it: {CURE}")
    return sidecar


def find_sidecars(folder: Path) -> list[str]:
    """The JSONs below ``folder`` that lie beside an image of the same name, as paths below it, numbers in them sorted
    by their value. SourceError where there is none."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: give one that holds images and their JSON")
    found = []
    for top, _, files in os.walk(folder):
        names, below = set(files), Path(top).relative_to(folder)
        stems = (name.removesuffix(".json") for name in files if name.endswith(".json"))
        found += [(below / f"{stem}.json").as_posix() for stem in stems if any(stem + end in names for end in SUFFIXES)]
    if not found:
        raise SourceError(f"no image with a JSON beside it was found in {folder}: {CURE}")
    return sorted(found, key=_natural)


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts ``v2`` before ``v10``."""
    pieces = _NUMBERS.split(name)
    return [(int(piece), "") if i % 2 else (-1, piece) for i, piece in enumerate(pieces)], name


def is_sidecar(path: Path) -> bool:
    """Whether a JSON is ecgvec's, of whatever version, or cannot be read: then reading it says what is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return True
    return isinstance(document, dict) and document.get("format") == FORMAT_NAME


def decode_image(path: Path, size: tuple[int, int], name: str | None = None) -> tuple[Image, bytes]:
    """A picture (H, W, 3) uint8 RGB of ``size`` (width, height), and its file's bytes. SourceError, which calls the
    file ``name``, where it is missing, cut off, or of another size."""
    shown = str(path) if name is None else name
    try:
        content = path.read_bytes()
        whole = _IMAGE_ENDS.get(path.suffix, b"") in content[-_TAIL:]
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR) if whole and content else None
    except (OSError, cv2.error) as error:
        raise SourceError(f"{shown} cannot be read ({one_line(error)}): {CURE}") from None
    if pixels is None:
        raise SourceError(f"{shown} is not a whole image: {CURE}")
    height, width = pixels.shape[:2]
    if (width, height) != size:
        raise SourceError(
            f"{shown} has {width} x {height} px, but its labels are for {size[0]} x {size[1]}: "
            "give the image as it was rendered"
        )
    return np.ascontiguousarray(pixels[:, :, ::-1]).astype(np.uint8, copy=False), content


def _read_document(sidecar: Path, name: str) -> dict[str, Any]:
    """The JSON's document, which is ecgvec's and of this version."""
    try:
        document = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{name} cannot be read ({one_line(error)}): give the JSON beside an image") from None
    except (ValueError, RecursionError) as error:
        raise _not_whole(name, error) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT_NAME:
        raise SourceError(f"{name} is not a JSON that ecgvec has written beside an image: give such a file")
    version = document.get("format_version")
    if version != FORMAT_VERSION:
        raise SourceError(
            f"{name} has the format version {version!r}, and this ecgvec reads {FORMAT_VERSION}: "
            "render the image anew, or use the ecgvec that wrote it"
        )
    return document


def _not_whole(name: str, error: BaseException) -> SourceError:
    what = f"{type(error).__name__}: {one_line(error)}"
    return SourceError(f"{name} is not a whole sidecar JSON ({what}): render the image anew")


def _parse(document: Mapping[str, Any], sidecar: Path, name: str) -> SavedPage:
    try:
        plan, image = Plan.model_validate(document["plan"]), document["image"]
        if not isinstance(document["files"], dict):
            raise ValueError("its table of files is missing")
        files = {str(file): str(digest) for file, digest in document["files"].items()}
        scale = float(image["px_per_mm"])
        if not 0.1 <= scale <= 1000:
            raise ValueError(f"{scale} px/mm")
        homography = np.array(image["homography"], dtype=np.float64)
        if homography.shape != (3, 3):
            raise ValueError(f"a homography of the shape {homography.shape}")
        labels = decode_labels(document["labels"], plan.page.style.trace_width)
        size = int(image["width"]), int(image["height"])
        return SavedPage(
            sidecar, plan, size, float(image["dpi"]), scale, bool(image["flat"]), homography, labels, files
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SourceError(f"{name}: plan.{where} is wrong ({first['msg']}): render the image anew") from None
    except RecipeError as error:  # a plugin's part
        raise SourceError(f"{name}: {error}") from None
    except _BROKEN as error:
        raise _not_whole(name, error) from None


def _flat_warp(homography: Float64Array, size: tuple[int, int], name: str) -> Flat:
    """The map of a page seen straight on, from its 3 x 3 homography (page mm -> image px). SourceError for another."""
    (a, c, e), (b, d, f), last = homography.tolist()
    if [b, c, *last] != [0.0, 0.0, 0.0, 0.0, 1.0] or a != d or a <= 0:
        raise SourceError(f"{name}: the JSON calls a page flat that its homography bends or turns: render it anew")
    return Flat((-e / a, -f / a, (size[0] - e) / a, (size[1] - f) / a), a * MM_PER_INCH)


def _read_samples(page: SavedPage, path: Path, name: str, check: bool) -> tuple[TraceLabel, ...]:
    """The traces with their samples, from the NPZ beside the JSON."""
    if not path.is_file():
        raise SourceError(f"{name} is missing, which holds the samples of the image's traces: {CURE}")
    digest = page.files.get(path.name) if check else None
    try:
        content = path.read_bytes()
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("it is not the file that was written with the JSON")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return tuple(_with_samples(trace, arrays) for trace in page.labels.traces)
    except _BROKEN_NPZ as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise SourceError(f"{name} does not hold the samples of its image ({what}): {CURE}") from None


def _with_samples(trace: TraceLabel, arrays: Any) -> TraceLabel:
    t, mv, xy = (np.asarray(arrays[f"{trace.id}/{part}"], dtype=np.float64) for part in ("t", "mv", "xy"))
    visible, occluded = (np.asarray(arrays[f"{trace.id}/{part}"], dtype=bool) for part in ("visible", "occluded"))
    if not xy.shape == (len(t), 2) or not t.shape == mv.shape == visible.shape == occluded.shape == (len(t),):
        raise ValueError(f"{trace.id} has arrays of different lengths")
    return replace(trace, t=t, mv=mv, points=xy, visible=visible, occluded=occluded)
