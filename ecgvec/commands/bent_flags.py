"""The flags that bend, turn and crop: numbers that bound ranges, as the seed toolbox's users know them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ecgvec.commands.flag import Flag, Overrides, flag

_BENT = "Bent paper"

WRINKLES = flag(
    "--wrinkles", "warp.creases.probability", bool, _BENT, "Creases and wrinkles, with the light on them.", "no"
)
AUGMENT = flag(
    "--augment",
    "page.crop",
    bool,
    _BENT,
    "Turn (-rot), crop (-c), noise (-noise) and colour (-t) of the pictures.",
    "no",
)
COOLEST = 2000  # kelvin

# Numbers that bound a range, unless the switch beside them says that they are meant as they stand; each belongs to the
# group of the first switch.
RANGES: tuple[tuple[Flag, Flag, Flag, Callable[[Any], Any]], ...] = (
    (
        WRINKLES,
        flag("-ca --crease_angle", "warp.creases.angle", int, _BENT, "Angle of the creases to the page, drawn from 0 up to this.", "90 degrees", metavar="DEGREES"),
        flag("--deterministic_angle", "warp.creases.angle", bool, _BENT, "The angle as given.", "no"),
        lambda most: {"integer": sorted([0, most])},
    ),
    (
        WRINKLES,
        flag("-nv --crease_vertical", "warp.creases.vertical", int, _BENT, "Creases that run vertically at 90 degrees, drawn from 1 up to this.", "10", metavar="N"),
        flag("--deterministic_vertical", "warp.creases.vertical", bool, _BENT, "The vertical creases as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    (
        WRINKLES,
        flag("-nh --crease_horizontal", "warp.creases.horizontal", int, _BENT, "Creases at right angles to those, drawn from 1 up to this.", "10", metavar="N"),
        flag("--deterministic_horizontal", "warp.creases.horizontal", bool, _BENT, "The horizontal creases as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    (
        AUGMENT,
        flag("-rot --rotate", "warp.rotate.angle", float, _BENT, "Turn the picture, by a whole number of degrees drawn from minus this to this.", "0 degrees", metavar="DEGREES"),
        flag("--deterministic_rot", "warp.rotate.angle", bool, _BENT, "Turn by +DEGREES.", "no"),
        lambda most: {"integer": sorted([-int(most), int(most)])},
    ),
    (
        AUGMENT,
        flag("-c --crop", "page.crop", float, _BENT, "Share that is cut off each side of the picture, drawn from 0 up to this.", "0.01 with --augment", metavar="SHARE"),
        flag("--deterministic_crop", "page.crop", bool, _BENT, "The share as given.", "no"),
        lambda most: {"uniform": [0.0, most]},
    ),
    (
        AUGMENT,
        flag("-noise --noise", "effects.gaussian-noise.sigma", int, _BENT, "Standard deviation of Gaussian noise in 8-bit levels, drawn from 1 up to this.", "25 with --augment", metavar="LEVELS"),
        flag("--deterministic_noise", "effects.gaussian-noise.sigma", bool, _BENT, "The noise as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    (
        AUGMENT,
        flag("-t --temperature", "effects.temperature.kelvin", int, _BENT, "Colour temperature in kelvin, drawn from 2000 up to this.", "40000 with --augment", metavar="KELVIN"),
        flag("--deterministic_temp", "effects.temperature.kelvin", bool, _BENT, "The temperature as given.", "no"),
        lambda most: {"integer": sorted([COOLEST, most])},
    ),
)  # fmt: skip
# What --wrinkles means in a recipe, beside the creases' number and angle.
WRINKLED: Overrides = {
    "warp.creases.angle": {"integer": [0, 90]},
    "warp.creases.vertical": {"integer": [1, 10]},
    "warp.creases.horizontal": {"integer": [1, 10]},
    "warp.creases.spacing": "uneven",
    "warp.creases.turn": "random",
    "warp.creases.fold_angle": {"uniform": [30.0, 80.0]},
    "warp.crumple.strength": {"uniform": [0.1, 0.35]},
    "effects.lamp.azimuth": {"uniform": [0.0, 360.0]},
    "effects.lamp.exposure": {"uniform": [0.7, 0.95]},
    "effects.wear.worn": {"uniform": [0.2, 0.8]},
}
# What --augment means without numbers.
AUGMENTED: Overrides = {
    "page.crop": {"uniform": [0.0, 0.01]},
    "effects.gaussian-noise.sigma": {"integer": [1, 25]},
    "effects.temperature.kelvin": {"integer": [COOLEST, 40_000]},
}

BENT_FLAGS = (WRINKLES, AUGMENT, *(row for ranged in RANGES for row in ranged[1:3]))


def bent_overrides(given: Mapping[str, Any], present: Collection[str] = ()) -> Overrides:
    """Recipe keys and values for the flags of this table that were given. ``present``: what the recipe has already,
    as in ``warp.creases`` or ``page.crop``; flags of a group that is neither there nor switched on are left out."""
    result: Overrides = dict(WRINKLED) if given.get(WRINKLES.parameter) else {}
    if given.get(AUGMENT.parameter):
        result.update(AUGMENTED)
    for switch, row, as_given, ranged in RANGES:
        number = given.get(row.parameter)
        if number is not None and _is_on(switch, row, given, present):
            result[row.key] = number if given.get(as_given.parameter) else ranged(number)
        elif given.get(as_given.parameter) and row.key in result:
            result[row.key] = _highest(result[row.key])
    return result


def without_effect(given: Mapping[str, Any], present: Collection[str] = ()) -> list[str]:
    """A sentence for each flag that was given and does nothing, for want of another."""
    return [
        f"{row.names[0]} has no effect without {switch.long_name}."
        for switch, row, _, _ in RANGES
        if given.get(row.parameter) is not None and not _is_on(switch, row, given, present)
    ]


def _is_on(switch: Flag, row: Flag, given: Mapping[str, Any], present: Collection[str]) -> bool:
    return bool(given.get(switch.parameter)) or row.key in present or row.key.rpartition(".")[0] in present


def _highest(draw: Any) -> Any:
    """The top of a range."""
    return next(iter(draw.values()))[-1] if isinstance(draw, Mapping) else draw
