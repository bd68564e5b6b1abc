"""Other programs that draw SVG, and how far two pictures differ."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Renderer = Callable[[str, "Target", Path], Image]
REGION_MM = 2.0
LEVELS = 5.0
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@dataclass(frozen=True)
class Target:
    """The page's size in mm, and the resolution to draw it at."""

    width: float
    height: float
    dpi: int


def program(name: str) -> str:
    """The path of a program. Where it is absent the test skips, or fails with REQUIRE_SHARED=1."""
    path = shutil.which(name)
    if path is not None:
        return path
    if os.environ.get("REQUIRE_SHARED") == "1":
        pytest.fail(f"the program '{name}' is absent, and REQUIRE_SHARED=1 forbids to skip")
    pytest.skip(f"the program '{name}' is absent")


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def read(path: Path) -> Image:
    """A PNG as (height, width, 3) uint8 RGB; it must be opaque."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, f"{path.name} was not written"
    if image.shape[2] == 4:
        assert (image[:, :, 3] == 255).all()
    return np.ascontiguousarray(image[:, :, 2::-1]).astype(np.uint8)


def chromium(svg_text: str, target: Target, folder: Path) -> Image:
    """The SVG, within an HTML page, at the size that it gives itself in millimetres."""
    path = program("chromium")
    html, shot = folder / "page.html", folder / "chromium.png"
    head = '<!DOCTYPE html><meta charset="utf-8"><style>body { margin: 0 } svg { display: block }</style>'
    html.write_text(head + svg_text[svg_text.index("<svg") :], encoding="utf-8")
    width, height = (round(mm * 96 / 25.4) for mm in (target.width, target.height))
    run(
        [
            *(path, *CHROMIUM_FLAGS),
            f"--user-data-dir={folder / 'profile'}",
            f"--screenshot={shot}",
            f"--window-size={width},{height}",
            f"--force-device-scale-factor={target.dpi / 96!r}",
            html.as_uri(),
        ]
    )
    return read(shot)


def librsvg(svg_text: str, target: Target, folder: Path) -> Image:
    """The SVG through ``rsvg-convert``, at the size that it gives itself in millimetres."""
    path = program("rsvg-convert")
    source, image = folder / "page.svg", folder / "librsvg.png"
    source.write_text(svg_text, encoding="utf-8")
    dpi = str(target.dpi)
    run([path, "-d", dpi, "-p", dpi, "-b", "white", "-o", str(image), str(source)])
    return read(image)


def region_means(image: Image, dpi: int) -> NDArray[np.float64]:
    """(rows, columns, 3): the mean of every whole region of 2 x 2 mm, pixels on its edge counted in part."""
    sums = np.asarray(cv2.integral(image, sdepth=cv2.CV_64F), dtype=np.float64)
    step = REGION_MM * dpi / 25.4
    for axis in (0, 1):
        at = np.arange(int((sums.shape[axis] - 1) / step) + 1) * step
        whole = np.minimum(at.astype(int), sums.shape[axis] - 2)
        part = (at - whole).reshape([-1 if a == axis else 1 for a in range(3)])
        sums = np.diff(sums.take(whole, axis=axis) * (1 - part) + sums.take(whole + 1, axis=axis) * part, axis=axis)
    means: NDArray[np.float64] = sums / step**2
    return means


def worst(one: Image, other: Image, dpi: int) -> tuple[float, str]:
    """The largest difference between the means of a region, in levels, and where it is."""
    ours, theirs = region_means(one, dpi), region_means(other, dpi)
    difference = np.abs(ours - theirs)
    row, column, channel = np.unravel_index(int(difference.argmax()), difference.shape)
    place = f"x {column * REGION_MM:g} mm, y {row * REGION_MM:g} mm, channel {'RGB'[channel]}"
    values = f"{ours[row, column, channel]:.1f} and {theirs[row, column, channel]:.1f}"
    return float(difference.max()), f"{values} at {place}"
