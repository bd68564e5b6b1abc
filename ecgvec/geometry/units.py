"""Units: millimetres of paper, pixels, seconds and millivolts.

Page coordinates are millimetres from the paper's top-left corner, x right, y down. Image coordinates are
continuous pixels whose (0, 0) is the top-left corner of the top-left pixel.
"""

from __future__ import annotations

MM_PER_INCH = 25.4


def px_per_mm(dpi: float) -> float:
    """Scale of a page drawn at ``dpi``, in pixels per millimetre: exactly dpi / 25.4."""
    return dpi / MM_PER_INCH


def pixel_size(width_mm: float, height_mm: float, dpi: float) -> tuple[int, int]:
    """Size in whole pixels, (width, height), of a page drawn at ``dpi``: round(mm dpi / 25.4)."""
    scale = px_per_mm(dpi)
    # The last bits of a product must not decide a half.
    return max(1, round(round(width_mm * scale, 6))), max(1, round(round(height_mm * scale, 6)))
