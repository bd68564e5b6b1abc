"""Files that lie beside one image's JSON: pictures, vectors, the 5 mm lattice and the map as NumPy arrays."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np

from ecgvec import svg
from ecgvec._typing import AnyArray, Uint8Array
from ecgvec.errors import ExportError
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.graphics import pdf
from ecgvec.rendering import warped_svg
from ecgvec.sheet import Sheet
from ecgvec.warp.lattice import Lattice, lattice_pixels

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


def npy(array: AnyArray) -> bytes:
    """An array as the content of a ``.npy`` file (NumPy's format 1.0, C order, no pickle)."""
    plain = np.ascontiguousarray(array)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(plain))
    return head.getvalue() + plain.reshape(-1).view(np.uint8).data  # np.save would copy the array twice


def lattice(sheet: Sheet, stem: str) -> Files:
    """``grid/STEM.npy``, (rows, columns, 2) float64: x and y of each crossing in image px, (0, 0) being the corner of
    the top-left pixel, rows from the page's top down, columns from its left. ``grid/STEM-visible.npy``, (rows, columns)
    bool: whether it lies in the image. Every crossing has its position, hidden or outside the image or not: NaN is
    nowhere."""
    grid = sheet.labels.grid
    if grid is None:
        return {}
    crossings = grid.crossings.astype("<f8", copy=False)
    return {f"grid/{stem}.npy": npy(crossings), f"grid/{stem}-visible.npy": npy(grid.visible)}


FORMATS.add("grid", Format("the crossings of the 5 mm lines as arrays (.npy), in pixels", lattice))


FLAT_STEP = 64  # px between nodes of a page seen straight on, whose map is linear


def page_map(sheet: Sheet) -> bytes:
    """NPZ of a lattice of image px and page mm: ``px`` (rows, columns, 2), ``mm`` (rows, columns, 2), ``step`` px,
    ``size`` (width, height) px, ``homography`` (3, 3). Bilinear between its nodes, ``mm`` is the map itself; three
    rings of nodes lie outside the image."""
    warp = sheet.warp
    step = warp.step if isinstance(warp, Lattice) else FLAT_STEP
    pixels, shape = lattice_pixels(warp.size, step)
    px = pixels.T.reshape(*shape, 2)
    mm = warp.nodes if isinstance(warp, Lattice) else warp.inverse(pixels.T).reshape(px.shape)
    buffer = io.BytesIO()
    np.savez(buffer, px=px, mm=mm, step=step, size=warp.size, homography=sheet.homography)
    return buffer.getvalue()


def _map_files(sheet: Sheet, stem: str) -> Files:
    return {f"{stem}-map.npz": page_map(sheet)}


FORMATS.add("map", Format("the map between image px and page mm, as NPZ", _map_files))
