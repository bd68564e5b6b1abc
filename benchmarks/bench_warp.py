"""What a bent page costs, as a ratio to one bare ``cv2.remap`` of the same page with a ready map, on one core.

python benchmarks/bench_warp.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from ecgvec._typing import Image
from ecgvec.effects.base import EffectContext, gain_on_paper
from ecgvec.effects.light import Lamp
from ecgvec.warp.apply import Dressing, resample
from ecgvec.warp.cameras import Phone
from ecgvec.warp.compose import compose, photograph_sheet
from ecgvec.warp.creases import Creases, Crumple
from ecgvec.warp.parts import Bend, Canvas, Paper, WarpPart
from ecgvec.warp.relief import Relief
from ecgvec.warp.waves import EdgeWave

PAPER, SIZE, SCALE = Paper(279.4, 215.9), (2200, 1700), 200 / 25.4
CANVAS = Canvas(*SIZE, SCALE)
ROUNDS = 15
PHONE = Phone(distance=340, tilt=12, pan=7, roll=2, fill=1.12)
LAMP = Lamp()
RELIEFS: dict[str, tuple[Bend, ...]] = {
    "creases and a wavy edge": (Creases(vertical=2, horizontal=1, fold_angle=60, seed=3), EdgeWave()),
    "crumpled, with a wavy edge": (Crumple(strength=0.5, seed=3), EdgeWave()),
}


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some rounds."""
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return 1e3 * float(np.median(spent))


def ready_map() -> np.ndarray:
    """A gentle map as OpenCV wants it."""
    x, y = np.meshgrid(np.arange(SIZE[0], dtype=np.float32), np.arange(SIZE[1], dtype=np.float32))
    return np.stack([x + 9 * np.sin(y / 300), y + 7 * np.sin(x / 400)], axis=-1).astype(np.float32)


def measure(page: Image, bends: tuple[Bend, ...]) -> tuple[float, float, float]:
    """Milliseconds of a bare remap, of everything, and of everything but the relief's making."""
    parts: list[WarpPart] = [*bends, PHONE]
    where = ready_map()
    bare = milliseconds(lambda: cv2.remap(page, where, None, cv2.INTER_LINEAR))  # type: ignore[call-overload]
    surface = Relief(PAPER, bends, None).surface(1.0)

    def whole() -> Image:
        composed = compose(PAPER, CANVAS, parts)
        return resample(page, SCALE, composed.warp, Dressing(gain_on_paper(EffectContext(composed), (LAMP,))))

    def after_relief() -> Image:
        composed = photograph_sheet(surface, bends, CANVAS, parts, 1.0)
        return resample(page, SCALE, composed.warp, Dressing(gain_on_paper(EffectContext(composed), (LAMP,))))

    return bare, milliseconds(whole), milliseconds(after_relief)


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    page = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    for name, bends in RELIEFS.items():
        bare, whole, after = measure(page, bends)
        print(f"{name}: bare {bare:.0f} ms, all {whole / bare:.2f}, without the relief {after / bare:.2f}")


if __name__ == "__main__":
    main()
