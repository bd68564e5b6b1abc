"""The flags that bend, turn and crop: numbers that bound ranges, as ecg-image-kit's users know them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ecgvec.cli.flag import Flag, Overrides, Ranged, find_idle, flag, ranged_overrides

_BENT = "Bent paper"

WRINKLES = flag(
    "--wrinkles",
    "warp.creases.probability",
    bool,
    _BENT,
    "Creases and wrinkles, with the light on them.",
    "no",
    misspelt=("--wrinkes",),
)
AUGMENT = flag(
    "--augment",
    "page.crop",
    bool,
    _BENT,
    "Turn (-rot), crop (-c), noise (-noise) and colour (-t) of the pictures.",
    "no",
)
FULLY_RANDOM = flag(
    "--fully_random",
    "warp.creases.probability",
    bool,
    _BENT,
    "Each group of distortions (--wrinkles, --augment, --hw_text) comes or not, at random for each image.",
    "no",
)
COOLEST = 2000  # kelvin
RANDOM_CROP = "warp.augment-crop"  # a name of its own, so that it comes last and leaves a recipe's crop as it is


def _turns(most: float) -> Any:
    """Angles from minus to plus ``most`` degrees, whole ones where it is whole. What is more than a full turn stays as
    it is, for the recipe to refuse."""
    if abs(most) > 360:
        return most
    ends = sorted([-most, most])
    return {"integer": [int(end) for end in ends]} if most == int(most) else {"uniform": ends}


RANGES: tuple[Ranged, ...] = (
    Ranged(
        WRINKLES,
        flag("-ca --crease_angle", "warp.creases.angle", int, _BENT, "Angle of the creases to the page, drawn from 0 up to this.", "90 degrees", metavar="DEGREES"),
        flag("--deterministic_angle", "warp.creases.angle", bool, _BENT, "The angle as given.", "no"),
        lambda most: {"integer": sorted([0, most])},
    ),
    Ranged(
        WRINKLES,
        flag("-nv --crease_vertical", "warp.creases.vertical", int, _BENT, "Creases that run vertically at 90 degrees, drawn from 1 up to this.", "10", metavar="N"),
        flag("--deterministic_vertical", "warp.creases.vertical", bool, _BENT, "The vertical creases as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    Ranged(
        WRINKLES,
        flag("-nh --crease_horizontal", "warp.creases.horizontal", int, _BENT, "Creases at right angles to those, drawn from 1 up to this.", "10", metavar="N"),
        flag("--deterministic_horizontal", "warp.creases.horizontal", bool, _BENT, "The horizontal creases as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    Ranged(
        AUGMENT,
        flag("-rot --rotate", "warp.rotate.angle", float, _BENT, "Turn the picture by degrees drawn from minus this to this; whole degrees if this is whole.", "0 degrees", metavar="DEGREES"),
        flag("--deterministic_rot", "warp.rotate.angle", bool, _BENT, "Turn by +DEGREES.", "no"),
        _turns,
    ),
    Ranged(
        AUGMENT,
        flag("-c --crop", "page.crop", float, _BENT, "Share cut off each side of the picture, drawn from 0 up to this.", "0.01 with --augment", metavar="SHARE"),
        flag("--deterministic_crop", "page.crop", bool, _BENT, "The share as given.", "no"),
        lambda most: {"uniform": [0.0, most]} if most >= 0 else most,  # for the recipe to refuse
    ),
    Ranged(
        AUGMENT,
        flag("-noise --noise", "effects.gaussian-noise.sigma", int, _BENT, "Standard deviation of Gaussian noise in 8-bit levels, drawn from 1 up to this.", "25 with --augment", metavar="LEVELS"),
        flag("--deterministic_noise", "effects.gaussian-noise.sigma", bool, _BENT, "The noise as given.", "no"),
        lambda most: {"integer": sorted([min(1, most), most])},
    ),
    Ranged(
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
# What --augment means without numbers. The colour comes before the noise, which is then as strong as it is said to be.
AUGMENTED: Overrides = {
    "page.crop": {"uniform": [0.0, 0.01]},
    "effects.temperature.kelvin": {"integer": [COOLEST, 40_000]},
    "effects.gaussian-noise.sigma": {"integer": [1, 25]},
}

# The coins of --fully_random, and the parts that each decides on. A picture is cropped by a part of the warp then.
GROUPS: dict[str, tuple[str, ...]] = {
    "wrinkles": ("warp.creases", "warp.crumple", "effects.lamp", "effects.wear"),
    "augment": ("warp.rotate", RANDOM_CROP, "effects.gaussian-noise", "effects.temperature"),
}

BENT_FLAGS = (WRINKLES, AUGMENT, FULLY_RANDOM, *(row for ranged in RANGES for row in ranged[1:3]))


def _base(given: Mapping[str, Any]) -> tuple[list[Flag], Overrides]:
    """The switches that are on, and what they mean without numbers."""
    both = bool(given.get(FULLY_RANDOM.parameter))
    on = [switch for switch in (WRINKLES, AUGMENT) if both or given.get(switch.parameter)]
    return on, {**(WRINKLED if WRINKLES in on else {}), **(AUGMENTED if AUGMENT in on else {})}


def bent_overrides(given: Mapping[str, Any], present: Collection[str] = ()) -> Overrides:
    """Recipe keys and values for the flags of this table that were given. ``present``: what the recipe has already,
    as in ``warp.creases`` or ``page.crop``; flags of a group that is neither there nor switched on are left out."""
    on, base = _base(given)
    result = ranged_overrides(RANGES, given, on, present, base)
    return _decide_by_chance(result) if given.get(FULLY_RANDOM.parameter) else result


def _decide_by_chance(result: Overrides) -> Overrides:
    """The same, each group by a chance of its own."""
    result = dict(result)
    if "page.crop" in result:
        share, result["page.crop"] = result["page.crop"], 0.0  # else the recipe's own would cut once more
        result |= {f"{RANDOM_CROP}.kind": "crop", f"{RANDOM_CROP}.amount": share}
    used = {key.rpartition(".")[0] for key in result}
    for group, parts in GROUPS.items():
        for part in parts:
            if part in used:
                result |= {f"{part}.probability": 0.5, f"{part}.group": group}
    return result


def bent_idle(given: Mapping[str, Any], present: Collection[str] = ()) -> list[str]:
    """A sentence for each flag that was given and does nothing, for want of another."""
    on, base = _base(given)
    return find_idle(RANGES, given, on, present, base)
