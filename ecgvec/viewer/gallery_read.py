"""The images below a folder, each with its plan, its labels and its samples."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Points, Uint8Array
from ecgvec.errors import SourceError, one_line
from ecgvec.export.native import read_sidecar
from ecgvec.planning.model import Plan
from ecgvec.viewer.tags import Labelled

SUFFIXES = {".png": "image/png", ".jpg": "image/jpeg"}  # the first that is there is shown
_ENDS = {".png": b"IEND", ".jpg": b"\xff\xd9"}  # a decoder would show what there is of a file that is cut off
_TAIL = 16
_CURE = "render the image anew with --formats png,json"
# What reading a JSON or an NPZ raises that lacks a part, or has another one in its place.
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
_BROKEN_NPZ = (*_BROKEN, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of one trace: ``t`` (n,) s, ``mv`` (n,) mV as recorded, ``xy`` (n, 2) image px, NaN in gaps;
    ``visible`` and ``occluded`` (n,)."""

    t: Float64Array
    mv: Float64Array
    xy: Points
    visible: BoolArray
    occluded: BoolArray


@dataclass(frozen=True, eq=False)
class Entry:
    """One image: its ``name`` (path below the folder, without suffix), its plan and dpi, the bytes of its file and
    their media type, its pixels (H, W, 3) uint8 RGB, its labels, and the samples of each trace by its id."""

    name: str
    plan: Plan
    dpi: float
    content: bytes
    media_type: str
    pixels: Uint8Array
    labels: Labelled
    samples: Mapping[str, Samples]


def find_sidecars(folder: Path) -> list[str]:
    """The JSONs below ``folder`` that lie beside a PNG or JPG of the same name, as paths below it, numbers in them
    sorted by their value. SourceError where there is none."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: give one that holds images and their JSON")
    found = []
    for top, _, files in os.walk(folder):
        names, below = set(files), Path(top).relative_to(folder)
        stems = (name.removesuffix(".json") for name in files if name.endswith(".json"))
        found += [(below / f"{s}.json").as_posix() for s in stems if any(s + end in names for end in SUFFIXES)]
    if not found:
        raise SourceError(f"no image with a JSON beside it was found in {folder}: {_CURE}")
    return sorted(found, key=_natural)


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts ``v2`` before ``v10``."""
    pieces = _NUMBERS.split(name)
    return [(int(piece), "") if i % 2 else (-1, piece) for i, piece in enumerate(pieces)], name


def read_entry(folder: Path, name: str) -> Entry:
    """The image of the JSON ``name`` below ``folder``. SourceError, naming the file as it lies below ``folder``, for
    files that are missing, broken or no part of an image that ecgvec has drawn."""
    sidecar = folder / name
    try:
        text = sidecar.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{name} cannot be read ({one_line(error)}): {_CURE}") from None
    plan, files = read_sidecar(text, name)
    stem = name.removesuffix(".json")
    image, pixels, content = _image(sidecar, stem)
    document = json.loads(text)
    try:
        about, labels = document["image"], document["labels"]
        scale, dpi = float(about["px_per_mm"]), float(about["dpi"])
        if (about["width"], about["height"]) != (pixels.shape[1], pixels.shape[0]):
            raise ValueError(f"the image has {pixels.shape[1]} x {pixels.shape[0]} px, its labels are for another size")
        samples = _samples(sidecar.with_suffix(".npz"), stem, labels, files)
        ink = plan.page.style.trace_width * scale
        dense = {key: (s.xy, s.visible, s.occluded) for key, s in samples.items()}
        labelled = Labelled(pixels.shape[1], pixels.shape[0], scale, ink, labels, dense)
    except _BROKEN as error:
        raise not_whole(name, error) from None
    return Entry(stem, plan, dpi, content, SUFFIXES[image.suffix], pixels, labelled, samples)


def not_whole(name: str, error: BaseException) -> SourceError:
    """What to say of a JSON that lacks a part."""
    what = f"{type(error).__name__}: {one_line(error)}"
    return SourceError(f"{name} is not a whole sidecar JSON ({what}): {_CURE}")


def _image(sidecar: Path, stem: str) -> tuple[Path, Uint8Array, bytes]:
    """The image beside the JSON: its file, its pixels (H, W, 3) RGB and its bytes."""
    path = next((p for p in map(sidecar.with_suffix, SUFFIXES) if p.exists()), sidecar.with_suffix(".png"))
    name = stem + path.suffix
    try:
        content = path.read_bytes()
        whole = _ENDS[path.suffix] in content[-_TAIL:]
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR) if whole else None
    except (OSError, cv2.error) as error:
        raise SourceError(f"{name} cannot be read ({one_line(error)}): {_CURE}") from None
    if pixels is None:
        raise SourceError(f"{name} is not a whole image: {_CURE}")
    return path, np.ascontiguousarray(pixels[:, :, ::-1]).astype(np.uint8, copy=False), content


def _samples(path: Path, stem: str, labels: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Samples]:
    """The samples of all traces, from the NPZ that was written with the JSON."""
    ids, digest = [str(label["id"]) for label in labels["traces"]], files.get(path.name)
    try:
        content = path.read_bytes()
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("it is not the file that was written with the JSON")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: _trace(arrays, key) for key in ids}
    except _BROKEN_NPZ as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise SourceError(f"{stem}.npz does not hold the samples of its image ({what}): {_CURE}") from None


def _trace(arrays: Any, key: str) -> Samples:
    t, mv, xy = (np.asarray(arrays[f"{key}/{part}"], dtype=np.float64) for part in ("t", "mv", "xy"))
    visible, occluded = (np.asarray(arrays[f"{key}/{part}"], dtype=bool) for part in ("visible", "occluded"))
    if not xy.shape == (len(t), 2) or not t.shape == mv.shape == visible.shape == occluded.shape == (len(t),):
        raise ValueError(f"{key} has arrays of different lengths")
    return Samples(t, mv, xy, visible, occluded)
