"""Functions of a user's own that change the finished picture: an Augraphy pipeline, an Albumentations pixel transform.

ecgvec cannot know what they do. So each is tried, before it is first used, on a page of dots whose places are known,
and refused if it moves them: labels would no longer lie on what they name.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ecgvec._typing import BoolArray, Float64Array, Image, Int64Array
from ecgvec.errors import RecipeError, one_line
from ecgvec.warp.parts import generator

Function = Callable[..., Any]

TRIES = 4  # pages, for a function may do something now and then
MOST_SHIFT = 0.06  # px that dots may move, on the mean
MOST_SCATTER = 0.8  # px (root mean square) that single dots may: grey noise of 50 levels seems to move them by 0.35
MOST_LOST = 0.4  # share of the dots that may be hidden, by blots and holes
DOTS, STEP, RADIUS, NEAR = 20, 40, 4.0, 10  # a side; px apart; px; px around a dot's place in which it is looked for
_OFFSET, _JITTER = (
    (10.0, 13.0),
    6.0,
)  # the lattice stands off the middle, so that its mirror image lies between its dots
_INK, _PAPER, _FAINT = 40.0, 235.0, 8.0
_WINDOW = 7.5  # px around a dot's place that count as the dot
_BLOCK = 5  # dots a side of the blocks that are looked at together

_tried: dict[int, weakref.ref[Any]] = {}


def name_of(function: Function) -> str:
    """What a function is called in errors and plans."""
    inner = getattr(function, "func", function)  # of a functools.partial
    return str(getattr(inner, "__name__", type(inner).__name__))


def apply_user_effects(image: Image, functions: Sequence[Function]) -> Image:
    """``image`` (H, W, 3) uint8 RGB after each of ``functions``, which are tried first.

    RecipeError, naming the function, where one fails, moves pixels or gives no image of the same shape.
    """
    for function in functions:
        check(function)
        image = _called(function, image)
    return image


def check(function: Function) -> None:
    """RecipeError, one sentence that names the function, if it moves the dots of a trial page. One trial a function."""
    known = _tried.get(id(function))
    if known is not None and known() is function:
        return
    if not callable(function):
        raise RecipeError(f"effects: {function!r} cannot be called: give functions of an image")
    for number in range(TRIES):
        page, centres = trial_page(number)
        _refuse_moves(name_of(function), *_shifts(_called(function, page), centres))
    _remember(function)


def _remember(function: Function) -> None:
    """Keep in mind that ``function`` was tried, as long as it lives."""
    key = id(function)

    def forget(_: weakref.ref[Any]) -> None:
        _tried.pop(key, None)

    try:
        _tried[key] = weakref.ref(function, forget)
    except TypeError:  # it cannot be referred to weakly: it is tried again each time
        return


def _called(function: Function, image: Image) -> Image:
    """What ``function`` makes of a copy of ``image``."""
    name = name_of(function)
    try:
        result = function(image=image.copy()) if _takes_names(function) else function(image.copy())
    except Exception as error:
        raise RecipeError(f"effects: the function {name} fails ({type(error).__name__}: {one_line(error)})") from error
    if isinstance(result, Mapping):
        result = result.get("image")
    if not isinstance(result, np.ndarray):
        raise RecipeError(f"effects: the function {name} gives {type(result).__name__}, not an image (a NumPy array)")
    if result.shape != image.shape or result.dtype != np.uint8:
        raise RecipeError(
            f"effects: the function {name} makes {result.dtype} {result.shape} of an image uint8 {image.shape}: "
            "shape and type must stay"
        )
    return np.ascontiguousarray(result)


def _takes_names(function: Function) -> bool:
    """Albumentations wants its image by name."""
    return any(base.__module__.partition(".")[0].startswith("albument") for base in type(function).__mro__)


def trial_page(number: int) -> tuple[Image, Float64Array]:
    """A page (H, W, 3) of 400 dots, and their centres (400, 2) in px, x first; a pixel's centre lies at its middle."""
    rng = generator(number)
    column, row = np.meshgrid(np.arange(DOTS), np.arange(DOTS))
    lattice = np.stack([column, row], axis=-1).reshape(-1, 2) * STEP + np.array(_OFFSET) + NEAR
    centres = lattice + rng.uniform(-_JITTER, _JITTER, lattice.shape)
    side = DOTS * STEP + 2 * NEAR
    page = np.full((side + STEP // 2, side), _PAPER)
    for x, y in centres:
        x0, y0 = int(x) - NEAR, int(y) - NEAR
        rows, columns = slice(y0, y0 + 2 * NEAR + 1), slice(x0, x0 + 2 * NEAR + 1)
        far = np.hypot(np.arange(x0, x0 + 2 * NEAR + 1) + 0.5 - x, np.arange(y0, y0 + 2 * NEAR + 1)[:, None] + 0.5 - y)
        page[rows, columns] -= (_PAPER - _INK) * np.clip(RADIUS + 0.5 - far, 0, 1)
    return np.repeat(np.rint(page).astype(np.uint8)[:, :, None], 3, axis=2), centres


def _shifts(image: Image, centres: Float64Array) -> tuple[Float64Array, BoolArray]:
    """How far (400, 2) px the centre of the ink near each dot's place lies from it, and which dots are there at all."""
    grey = image.mean(axis=2)
    reach = np.arange(-NEAR, NEAR + 1)
    corner = centres.astype(int)
    patches = grey[corner[:, 1, None, None] + reach[:, None], corner[:, 0, None, None] + reach]
    x, y = np.meshgrid(reach, reach)
    ink = np.where(np.hypot(x, y) <= _WINDOW, _ground(patches, x, y) - patches, 0)  # the rest is noise alone
    mass = ink.sum(axis=(1, 2))
    there = np.abs(mass) > _FAINT * np.pi * RADIUS**2
    safe = np.where(there, mass, 1.0)
    found = np.stack([(ink * x).sum(axis=(1, 2)), (ink * y).sum(axis=(1, 2))], axis=1) / safe[:, None]
    return found + corner + 0.5 - centres, there


def _ground(patches: Float64Array, x: Int64Array, y: Int64Array) -> Float64Array:
    """The paper under each dot: the plane that comes nearest to the rim of its patch, so that shadows move no dot."""
    rim = np.maximum(abs(x), abs(y)) >= NEAR - 1
    terms = np.stack([np.ones_like(x), x, y], axis=-1).astype(np.float64)
    fit = np.linalg.pinv(terms[rim]) @ patches[:, rim].T
    return np.asarray(np.moveaxis(terms @ fit, -1, 0))


def _refuse_moves(name: str, shifts: Float64Array, there: BoolArray) -> None:
    """RecipeError where the dots have moved together, or each on its own, or are gone.

    Noise moves the centres of single dots to and fro. So blocks of neighbours are averaged, and what chance leaves of
    that in their average, as their scatter tells, is taken off.
    """
    lost = 1 - there.mean()
    if lost > MOST_LOST:
        raise RecipeError(
            f"effects: the function {name} moves pixels or hides the page ({lost:.0%} of 400 dots are not where they "
            "were): labels would be wrong, use it for colour, light, blur and noise alone"
        )
    block = np.arange(DOTS) // _BLOCK
    blocks = (block[:, None] * (DOTS // _BLOCK) + block).ravel()
    squares, scatters = [], []
    for number in range(blocks.max() + 1):
        few = shifts[(blocks == number) & there]
        if len(few) >= 4:
            scatter = few.var(axis=0, ddof=1).sum()
            squares.append((few.mean(axis=0) ** 2).sum() - scatter / len(few))
            scatters.append(scatter)
    shift, scatter = np.sqrt(max(0.0, np.mean(squares))), np.sqrt(np.mean(scatters))
    if shift > MOST_SHIFT or scatter > MOST_SCATTER:
        raise RecipeError(
            f"effects: the function {name} moves pixels (dots by {max(shift, scatter):.2f} px): labels would be wrong, "
            "use it for colour, light, blur and noise alone"
        )
