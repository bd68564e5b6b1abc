"""What the tests of bent pages share: sheets to bend, every warp there is, and a map looked up without the program's
own code."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
from annotated_types import Ge, Le
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic.fields import FieldInfo

from ecgvec._typing import Points
from ecgvec.warp import WARPS
from ecgvec.warp.cameras import Phone
from ecgvec.warp.compose import Composed, compose
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import Bend, Camera, Canvas, Paper, Planar, Roll, WarpPart

DPI = 200.0
SCALE = DPI / 25.4  # px/mm
PAPER = Paper(279.4, 215.9)  # a letter sheet on its side
CANVAS = Canvas(2200, 1700, SCALE)
OVERHEAD: tuple[WarpPart, ...] = ()  # the camera that a warp gets where it names none
TILTED: tuple[WarpPart, ...] = (Phone(distance=340.0, tilt=14.0, pan=-9.0, roll=2.0, fill=0.95),)

# Strong settings, all of which can still be photographed whole. A kind that is not named here is tested with its
# defaults, and with whatever ``any_part`` draws.
STRONG: dict[str, dict[str, Any]] = {
    "phone": {"distance": 300.0, "tilt": 30.0, "pan": -20.0, "roll": 25.0, "fill": 1.1, "shift_x": 0.04},
    "scanner": {"skew": 12.0, "shift_x": 9.0, "shift_y": -6.0, "speed_error": 0.05, "wobble": 0.6, "phase": 40.0},
    "creases": {"angle": 63.0, "vertical": 7, "horizontal": 5, "fold_angle": 110.0, "turn": "random", "seed": 4},
    "crumple": {"strength": 1.1, "ridges": 1.5, "seed": 2},
    "curl": {"toward": 20.0, "start": 150.0, "radius": 110.0},
    "cone-curl": {"toward": 80.0, "start": 100.0, "radius": 110.0, "apex": 250.0},
    "lens": {"k1": -0.08, "k2": 0.02, "p1": 0.01, "p2": -0.008},
    "rotate": {"angle": 37.0},
    "crop": {"amount": 0.05, "left": 0.07, "bottom": 0.12},
    "pad": {"border": 23.0},
    "resize": {"factor": 0.56},
    "edge-wave": {"edge": "left", "height": 5.0, "length": 110.0, "depth": 60.0},
    "corner-lift": {"corner": "bottom-left", "height": 22.0, "reach": 110.0},
    "buckle": {"height": 3.0, "length": 90.0, "seed": 6},
    "washboard": {"height": 0.35, "length": 12.0, "angle": 70.0, "seed": 3},
}


def bend_page(parts: Sequence[WarpPart], dpi: float = DPI, share: float | None = None) -> Composed:
    """A letter sheet under ``parts``."""
    return compose(PAPER, Canvas(round(11 * dpi), round(8.5 * dpi), dpi / 25.4), parts, share)


def alone() -> list[tuple[str, tuple[WarpPart, ...]]]:
    """Every warp of the registry by itself: as it comes and strong, bends under both cameras."""
    found: list[tuple[str, tuple[WarpPart, ...]]] = []
    for kind, part in WARPS:
        for how, values in (("default", {}), *((("strong", STRONG[kind]),) if kind in STRONG else ())):
            one = part(**values)
            cameras = {"overhead": OVERHEAD, "tilted": TILTED} if isinstance(one, Bend | Roll) else {"": OVERHEAD}
            found += [(f"{kind}-{how}-{name}".rstrip("-"), (one, *camera)) for name, camera in cameras.items()]
    return found


# Parts drawn from what their own fields allow ----------------------------------------------------------------------


def _near(default: float, ends: list[float], far: float) -> st.SearchStrategy[float]:
    """Numbers from ``ends``, at most the share ``far`` of the way from the default to either end; the ends of many
    keys are there to catch slips of the pen, and all keys at their ends make no sheet that anybody could photograph."""
    low, high = (default + far * (end - default) for end in ends)
    return st.floats(min(low, high), max(low, high))


def _field(field: FieldInfo, far: float) -> st.SearchStrategy[Any]:
    annotation, metadata = field.annotation, list(field.metadata)
    if NoneType in get_args(annotation):  # what may be left out is left out, or somewhere in its lower half
        (inner,) = (a for a in get_args(annotation) if a is not NoneType)
        if get_origin(inner) is Annotated:
            metadata += [m for a in get_args(inner)[1:] for m in getattr(a, "metadata", [a])]
        low, high = _ends(metadata, 0.0, 1.0)
        return st.none() | st.floats((2 * low + high) / 3, (low + 2 * high) / 3)
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        ends = _ends(metadata, 0, 2**31 - 1)
        bounded = any(isinstance(m, Le) for m in metadata)
        top = round(field.default + far * (ends[1] - field.default)) if bounded else int(ends[1])
        return st.integers(int(ends[0]), max(int(ends[0]), top))
    assert annotation is float, f"teach the tests to draw a {annotation}"
    bounded = any(isinstance(m, Le) for m in metadata)
    return _near(float(field.default), _ends(metadata, -360.0, 360.0), far if bounded else 1.0)


def _ends(metadata: Sequence[Any], low: float, high: float) -> list[float]:
    lows = [float(str(m.ge)) for m in metadata if isinstance(m, Ge)]
    highs = [float(str(m.le)) for m in metadata if isinstance(m, Le)]
    return [*(lows or [low]), *(highs or [high])]


@st.composite
def any_part(draw: st.DrawFn, part: type[WarpPart], far: float = 0.3) -> WarpPart:
    """A part with any of its fields moved away from their defaults."""
    fields = {name: field for name, field in part.model_fields.items() if name != "kind"}
    return part(**{name: draw(_field(field, far)) for name, field in fields.items() if draw(st.booleans())})


def _kinds(of: type[WarpPart]) -> list[type[WarpPart]]:
    return [part for _, part in WARPS if issubclass(part, of)]


@st.composite
def any_warp(draw: st.DrawFn) -> tuple[WarpPart, ...]:
    """Some bends, at most one roll, a camera or none, at most two planar maps."""
    chosen = [
        *draw(st.lists(st.sampled_from(_kinds(Bend)), min_size=1, max_size=3, unique=True)),
        *draw(st.lists(st.sampled_from(_kinds(Roll)), max_size=1)),
        *draw(st.lists(st.sampled_from(_kinds(Camera)), max_size=1)),
        *draw(st.lists(st.sampled_from(_kinds(Planar)), max_size=2)),
    ]
    return tuple(draw(any_part(part)) for part in chosen)


# The map, from outside ---------------------------------------------------------------------------------------------


def bilinear(warp: Lattice, px: Points) -> Points:
    """Page mm at image px (n, 2) between the lattice's four nodes, worked out by hand in float64."""
    first = (0.5 - 3) * warp.step  # three rings of nodes outside the image, each half a step from its cell's edge
    at = (px - first) / warp.step
    rows, columns = warp.nodes.shape[:2]
    i = np.clip(np.floor(at).astype(int), 0, (columns - 2, rows - 2))
    u, v = (at - i).T[:, :, None]
    a, b = warp.nodes[i[:, 1], i[:, 0]], warp.nodes[i[:, 1], i[:, 0] + 1]
    c, d = warp.nodes[i[:, 1] + 1, i[:, 0]], warp.nodes[i[:, 1] + 1, i[:, 0] + 1]
    return np.asarray((1 - u) * (1 - v) * a + u * (1 - v) * b + (1 - u) * v * c + u * v * d)


def centres(size: tuple[int, int], every: int = 1) -> Points:
    """The centres (n, 2) of an image's pixels, or of every so-manieth of them each way."""
    x, y = (np.arange(every // 2, side, every) + 0.5 for side in size)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def on_paper(points: Points, margin: float = 0.0, paper: Paper = PAPER) -> NDArray[np.bool_]:
    """Which page points (n, 2) mm lie on the paper, ``margin`` mm from its edge."""
    far = np.array([paper.width, paper.height]) - margin
    return np.asarray(((points >= margin) & (points <= far)).all(axis=1))


def jacobian(warp: Lattice, points: Points, step: float = 0.1) -> NDArray[np.float64]:
    """(n, 2, 2): image px a mm at page points (n, 2), columns along the page's x and y, by central differences."""
    ways = (np.array([step / 2, 0.0]), np.array([0.0, step / 2]))
    return np.stack([(warp.forward(points + d) - warp.forward(points - d)) / step for d in ways], axis=-1)
