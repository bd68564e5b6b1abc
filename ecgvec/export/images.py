"""The pictures: PNG and SVG of the page, and of its traces alone."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgvec import svg, warped_svg
from ecgvec.errors import ExportError
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.sheet import Sheet
from ecgvec.units import MM_PER_INCH

_PNG_LEVEL = 3
_IHDR_END = 33  # signature (8) and the IHDR chunk (25)


def encode_png(image: NDArray[np.uint8], dpi: float) -> bytes:
    """An RGB image (H, W, 3) as PNG that says its resolution (pHYs), so that it prints at true size."""
    done, data = cv2.imencode(".png", image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])
    if not done:
        raise ExportError("OpenCV could not encode the image as PNG: check its size")
    per_metre = round(dpi * 1000 / MM_PER_INCH)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    whole = data.tobytes()
    return whole[:_IHDR_END] + chunk + whole[_IHDR_END:]


def _png(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.png": encode_png(sheet.image, sheet.plan.page.style.dpi)}


def _svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.svg": sheet.svg.encode()}


def _gt(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt.png": encode_png(sheet.truth_image, sheet.plan.page.style.dpi)}


def _gt_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt.svg": svg.write(sheet.truth).encode()}


def _warped_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-warped.svg": sheet.warped_svg.encode()}


def _gt_warped_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt-warped.svg": warped_svg.write(sheet.truth, sheet.warp).encode()}


FORMATS.add("png", Format("the image", _png))
FORMATS.add("svg", Format("the exact vector page", _svg))
FORMATS.add("gt", Format("the traces alone, as PNG", _gt))
FORMATS.add("gt-svg", Format("the traces alone, as SVG", _gt_svg))
FORMATS.add("warped-svg", Format("the vector page bent as the image is, in image px", _warped_svg))
FORMATS.add("gt-warped-svg", Format("the traces alone, bent as the image is, as SVG", _gt_warped_svg))
