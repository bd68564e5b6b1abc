"""One image as the page holds it: a picture, a thumbnail, and its labels and samples in few bytes."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Int64Array, Uint8Array
from ecgvec.errors import SourceError
from ecgvec.graphics.nodes import Pen
from ecgvec.viewer.contact_sheet import thumbnail
from ecgvec.viewer.gallery_layers import Drawn, counts, draw, sayings
from ecgvec.viewer.gallery_read import Entry, Samples, not_whole
from ecgvec.viewer.layers import lead_color
from ecgvec.viewer.tags import Label

QUALITY, SMALL_QUALITY = 85, 80  # of JPEGs: the pictures, the thumbnails
THUMBNAIL = 480  # px wide
T_STEP, MV_STEP, XY_STEP = 1e-5, 1e-3, 1e-2  # s, mV, px: what samples are rounded to
_LARGEST = 1e9  # steps: differences of two such numbers still fit 32 bits
GAP, VISIBLE, HIDDEN, OCCLUDED_SAMPLE = range(4)  # what the page knows of a sample
_DECIMALS = (1, 1)  # px, of outlines
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def jpeg(image: Uint8Array, quality: int) -> bytes:
    """An RGB image (H, W, 3) as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise SourceError("OpenCV could not encode the image as JPEG: check its size")
    return data.tobytes()


def picture(entry: Entry, lossless: bool) -> tuple[str, bytes]:
    """The media type and the bytes of the picture: a JPEG of quality 85, or the file as it is."""
    return (entry.media_type, entry.content) if lossless else ("image/jpeg", jpeg(entry.pixels, QUALITY))


def small(entry: Entry) -> tuple[bytes, int, int]:
    """The thumbnail as JPEG, its width and its height."""
    image = thumbnail(entry.pixels, THUMBNAIL)
    return jpeg(image, SMALL_QUALITY), image.shape[1], image.shape[0]


def as_base64(content: bytes) -> str:
    """Bytes as base64, whose letters have no meaning in HTML."""
    return base64.b64encode(content).decode("ascii")


def labels(entry: Entry) -> bytes:
    """Labels and samples, deflated: the length of a JSON (4 bytes, little-endian), the JSON, then for each trace the
    columns t, mv, x, y as ``planes`` and a byte a sample that says what it is. SourceError for labels that are broken.
    """
    try:
        traces = [(label, entry.samples[str(label["id"])]) for label in entry.labels.labels["traces"]]
        packed = [_trace(label, samples) for label, samples in traces]
        head = {
            "width": entry.labels.width,
            "height": entry.labels.height,
            "counts": counts(entry.labels.labels),
            "layers": [_layer(drawn) for drawn in draw(entry.labels)],
            "sayings": sayings(entry.labels.labels),
            "traces": [about for about, _ in packed],
        }
    except _BROKEN as error:
        raise not_whole(f"{entry.name}.json", error) from None
    text = json.dumps(head, separators=(",", ":"), sort_keys=True).encode()
    return zlib.compress(b"".join([struct.pack("<I", len(text)), text, *(content for _, content in packed)]), 6)


def _trace(label: Label, samples: Samples) -> tuple[dict[str, Any], bytes]:
    """What is said of a trace, and its columns."""
    lead, t0 = str(label["lead"]), float(samples.t[0]) if len(samples.t) else 0.0
    columns = (samples.t - t0, samples.mv, samples.xy[:, 0], samples.xy[:, 1])
    steps = [_step(column, least) for column, least in zip(columns, (T_STEP, MV_STEP, XY_STEP, XY_STEP), strict=True)]
    state = np.where(samples.visible, VISIBLE, np.where(samples.occluded, OCCLUDED_SAMPLE, HIDDEN)).astype(np.uint8)
    state[~np.isfinite(samples.mv) | ~np.isfinite(samples.xy).all(axis=1)] = GAP
    about = {
        "lead": lead,
        "color": lead_color(lead),
        "inverted": label["polarity"] < 0,
        "rhythm": bool(label["rhythm"]),
        "samples": len(state),
        "t0": t0,
        "steps": steps,
    }
    content = b"".join(planes(_counted(column, step)) for column, step in zip(columns, steps, strict=True))
    return about, content + state.tobytes()


def _step(column: Float64Array, least: float) -> float:
    """``least``, or more where the column's numbers would not fit otherwise."""
    largest = float(np.max(np.abs(column), initial=0.0, where=np.isfinite(column)))
    return max(least, largest / _LARGEST)


def _counted(column: Float64Array, step: float) -> Int64Array:
    """The column in steps; in gaps the number before, which costs nothing."""
    known = np.isfinite(column)
    before = np.maximum.accumulate(np.where(known, np.arange(len(column)), 0))
    return np.round(np.where(known, column, 0.0)[before] / step).astype(np.int64)


def planes(numbers: Int64Array) -> bytes:
    """Differences as unsigned 32-bit numbers (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), all lowest bytes first, then
    all next ones: what changes slowly becomes long runs of zeros."""
    steps = np.diff(numbers, prepend=0)
    unsigned = ((steps << 1) ^ (steps >> 63)).astype("<u4")
    return unsigned.view(np.uint8).reshape(-1, 4).T.tobytes()


def _layer(drawn: Drawn) -> dict[str, Any]:
    return {
        "id": drawn.layer.id,
        "paths": [{**pen_attributes(pen), "d": path.svg_d(_DECIMALS)} for pen, path in drawn.paths],
        "tags": [{"text": t.text, "box": [round(v, 1) for v in t.box], "color": t.color} for t in drawn.tags],
    }


def pen_attributes(pen: Pen) -> dict[str, str]:
    """A pen as attributes of an SVG path."""
    found = {"fill": pen.fill or "none"}
    if pen.fill is not None:
        found["fill-opacity"] = f"{pen.opacity:g}"
    if pen.stroke is not None:
        found |= {"stroke": pen.stroke, "stroke-width": f"{pen.width:.3g}", "stroke-opacity": f"{pen.opacity:g}"}
        found |= {"stroke-linecap": pen.cap, "stroke-linejoin": pen.join}
    if pen.dash:
        found["stroke-dasharray"] = " ".join(f"{length:g}" for length in pen.dash)
    return found
