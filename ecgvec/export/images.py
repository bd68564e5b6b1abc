"""The pictures: PNG, SVG and PDF of the page, and of its traces alone."""

from __future__ import annotations

import struct
import zlib

import cv2

from ecgvec import svg
from ecgvec._typing import Uint8Array
from ecgvec.errors import ExportError
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.graphics import pdf
from ecgvec.rendering import warped_svg
from ecgvec.sheet import Sheet

_IHDR_END = 33  # signature (8) and the IHDR chunk (25)
_DENSITY = 13  # where JFIF's unit and density lie: after SOI (2), marker and length (4), identifier (5), version (2)
JPEG_QUALITY = 95


def encode_png(image: Uint8Array, dpi: float) -> bytes:
    """An RGB image (H, W, 3) as PNG that says its resolution (pHYs), so that it prints at true size."""
    whole = _encoded(".png", image, png_settings())
    per_metre = round(dpi * 1000 / MM_PER_INCH)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return whole[:_IHDR_END] + chunk + whole[_IHDR_END:]


def png_settings() -> list[int]:
    """Each row as the difference to the one above, which suits grids and photographs alike, and the fastest level: a
    third to a half of the time of OpenCV's own choice, for files of about the same size."""
    row_above = getattr(cv2, "IMWRITE_PNG_FILTER", None)  # OpenCV 5 has it
    how = [] if row_above is None else [row_above, cv2.IMWRITE_PNG_FILTER_UP]
    return [cv2.IMWRITE_PNG_COMPRESSION, 1, *how]


def encode_jpeg(image: Uint8Array, dpi: float) -> bytes:
    """An RGB image (H, W, 3) as JPEG of quality 95 that says its resolution (JFIF's density, in whole dots an inch)."""
    whole = _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    density = struct.pack(">BHH", 1, round(dpi), round(dpi))
    return whole[:_DENSITY] + density + whole[_DENSITY + len(density) :]


def _encoded(kind: str, image: Uint8Array, settings: list[int]) -> bytes:
    done, data = cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    if not done:
        raise ExportError(f"OpenCV could not encode the image as {kind[1:].upper()}: check its size")
    return data.tobytes()


def _png(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.png": encode_png(sheet.image, sheet.plan.page.style.dpi)}


def _jpg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.jpg": encode_jpeg(sheet.image, sheet.plan.page.style.dpi)}


def _svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.svg": sheet.svg.encode()}


def _pdf(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}.pdf": pdf.write([sheet.scene])}


def _gt(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt.png": encode_png(sheet.trace_image, sheet.plan.page.style.dpi)}


def _gt_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt.svg": svg.write(sheet.trace_scene).encode()}


def _warped_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-warped.svg": sheet.warped_svg.encode()}


def _gt_warped_svg(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-gt-warped.svg": warped_svg.write(sheet.trace_scene, sheet.warp).encode()}


FORMATS.add("png", Format("the image", _png, ending=".png"))
FORMATS.add("jpg", Format("the image as JPEG, quality 95", _jpg, ending=".jpg"))
FORMATS.add("svg", Format("the exact vector page", _svg, ending=".svg"))
FORMATS.add("pdf", Format("the exact vector page as PDF, its text searchable", _pdf, ending=".pdf"))
FORMATS.add("gt", Format("the traces alone, as PNG", _gt, ending="-gt.png"))
FORMATS.add("gt-svg", Format("the traces alone, as SVG", _gt_svg, ending="-gt.svg"))
FORMATS.add(
    "warped-svg", Format("the vector page bent as the image is, in image px", _warped_svg, ending="-warped.svg")
)
FORMATS.add(
    "gt-warped-svg", Format("the traces alone, bent as the image is, as SVG", _gt_warped_svg, ending="-gt-warped.svg")
)
