"""The flags of handwritten notes, as ecg-image-kit's users know them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ecgvec.cli.flag import Flag, Overrides, Ranged, find_idle, flag, plain, ranged_overrides

_NOTES = "Handwriting"

HW_TEXT = flag("--hw_text", "notes.probability", bool, _NOTES, "Handwritten notes on every image.", "no")
LINK = plain("-l --link", "notes.source", _NOTES, metavar="SOURCE")
CONTENT = plain("--notes", "notes.content", _NOTES, metavar="WHAT")
ALLOW_PRIVATE = plain("--allow-private", "notes.allow_private", _NOTES)
MODEL = plain("--nlp-model", "notes.nlp_model", _NOTES, metavar="MODEL")
_SINGLE = (LINK, CONTENT, ALLOW_PRIVATE, MODEL)  # flags that set one key, where notes are written
_AS_GIVEN = flag("--deterministic_offset", "notes.x_offset", bool, _NOTES, "The offsets as given.", "no")


def _whole(most: int) -> Any:
    return {"integer": sorted([min(1, most), most])}


RANGES: tuple[Ranged, ...] = (
    Ranged(
        HW_TEXT,
        flag("-n --num_words", "notes.words", int, _NOTES, "Words, drawn from 1 up to this.", "5 with --hw_text", metavar="N"),
        flag("--deterministic_num_words", "notes.words", bool, _NOTES, "The words as given.", "no"),
        _whole,
    ),
    Ranged(
        HW_TEXT,
        flag("--hws", "notes.size", float, _NOTES, "Size factor of the handwriting, drawn from half of this up to this.", "0.2 with --hw_text", metavar="FACTOR"),
        flag("--deterministic_hw_size", "notes.size", bool, _NOTES, "The size as given.", "no"),
        lambda most: {"uniform": sorted([most / 2, most])},
    ),
    Ranged(
        HW_TEXT,
        flag("--x_offset", "notes.x_offset", int, _NOTES, "Distance of the notes from the left border in px, drawn from 1 up to this.", "30 with --hw_text", metavar="PX", misspelt=("-x_offset",)),
        _AS_GIVEN,
        _whole,
    ),
    Ranged(
        HW_TEXT,
        flag("--y_offset", "notes.y_offset", int, _NOTES, "Distance of the notes from the upper border in px, drawn from 1 up to this.", "30 with --hw_text", metavar="PX", misspelt=("-y_offset",)),
        _AS_GIVEN,
        _whole,
    ),
)  # fmt: skip
# What --hw_text means without numbers.
WRITTEN: Overrides = {
    "notes.words": {"integer": [1, 5]},
    "notes.size": {"uniform": [0.1, 0.2]},
    "notes.x_offset": {"integer": [1, 30]},
    "notes.y_offset": {"integer": [1, 30]},
}

NOTE_FLAGS: tuple[Flag, ...] = (
    HW_TEXT,
    *_SINGLE,
    *dict.fromkeys(row for ranged in RANGES for row in ranged[1:3]),
)


def _base(given: Mapping[str, Any], by_chance: bool) -> tuple[list[Flag], Overrides]:
    """The switch, if it is on, and what it means without numbers."""
    if by_chance:
        return [HW_TEXT], {"notes.probability": 0.5, **WRITTEN}
    return ([HW_TEXT], {"notes.probability": 1.0, **WRITTEN}) if given.get(HW_TEXT.parameter) else ([], {})


def note_overrides(given: Mapping[str, Any], present: Collection[str] = (), by_chance: bool = False) -> Overrides:
    """Recipe keys and values for the flags of this table that were given. ``present`` holds "notes" where the recipe
    writes notes already; with ``by_chance`` half of the images have them."""
    on, base = _base(given, by_chance)
    result = ranged_overrides(RANGES, given, on, present, base)
    if on or "notes" in present:
        result |= {row.key: given[row.parameter] for row in _given(given)}
    return result


def notes_idle(given: Mapping[str, Any], present: Collection[str] = (), by_chance: bool = False) -> list[str]:
    """A sentence for each flag that was given and does nothing, for want of another."""
    on, base = _base(given, by_chance)
    lines = find_idle(RANGES, given, on, present, base)
    if not on and "notes" not in present:
        lines += [f"{row.names[0]} has no effect without {HW_TEXT.long_name}." for row in _given(given)]
    return lines


def _given(given: Mapping[str, Any]) -> list[Flag]:
    """The flags of one key that were given: a switch that is off is none."""
    return [row for row in _SINGLE if given.get(row.parameter) not in (None, False)]
