"""What one command-line flag is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ecgvec.cli.keys import KEYS
from ecgvec.record.leads import split_names

Overrides = dict[str, Any]


@dataclass(frozen=True)
class Flag:
    """One flag. ``key`` is the recipe key that it sets, ``kind`` what it takes, ``shown`` the default as help shows
    it, ``value`` turns what was given into what a recipe would say. ``misspelt``: names that are taken and not
    shown."""

    names: tuple[str, ...]
    key: str
    kind: type
    group: str
    help: str
    shown: str
    metavar: str | None = None
    value: Callable[[Any], Any] = lambda given: given
    misspelt: tuple[str, ...] = ()

    @property
    def long_name(self) -> str:
        """The first name that starts with two hyphens."""
        return next(name for name in self.names if name.startswith("--")).split("/")[0]

    @property
    def parameter(self) -> str:
        """The name of the flag's parameter in a command's function."""
        return self.names[0].split("/")[0].lstrip("-").replace("-", "_")


def flag(names: str, key: str, kind: type, group: str, text: str, shown: str, **more: Any) -> Flag:
    """A row of a table of flags."""
    return Flag(tuple(names.split()), key, kind, group, text, shown, **more)


_KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "list": str}


def plain(names: str, key: str, group: str, also: str = "", **more: Any) -> Flag:
    """A row for a flag that sets its key to what is given: help, default and unit are those of the key. ``also``: what
    help adds to them."""
    about = KEYS[key]
    more = {"metavar": about.metavar or None, **({"value": split_names} if about.kind == "list" else {}), **more}
    return flag(names, key, _KINDS[about.kind], group, f"{about.help} {also}".rstrip(), about.shown, **more)


class Ranged(NamedTuple):
    """A number ``row`` of the group that ``switch`` turns on: drawn from ``ranged(number)``, or with ``as_given`` as it
    stands."""

    switch: Flag
    row: Flag
    as_given: Flag
    ranged: Callable[[Any], Any]


def ranged_overrides(
    table: Sequence[Ranged], given: Mapping[str, Any], on: Collection[Flag], present: Collection[str], base: Overrides
) -> Overrides:
    """``base``, what the groups mean without numbers, and the numbers of ``table`` that were given. ``on``: switches
    that are on; ``present``: what the recipe has already, as in ``warp.creases`` or ``page.crop``."""
    result = dict(base)
    for ranged in table:
        number, fixed = given.get(ranged.row.parameter), given.get(ranged.as_given.parameter)
        if number is not None and _is_on(ranged, on, present):
            as_it_stands = fixed or not math.isfinite(number)  # which the recipe refuses in its own words
            result[ranged.row.key] = number if as_it_stands else ranged.ranged(number)
        elif fixed and ranged.row.key in result:
            result[ranged.row.key] = _highest(result[ranged.row.key])
    return result


def find_idle(
    table: Sequence[Ranged], given: Mapping[str, Any], on: Collection[Flag], present: Collection[str], base: Overrides
) -> list[str]:
    """A sentence for each flag of ``table`` that was given and does nothing, for want of another."""
    lines: list[str] = []
    fixing: dict[Flag, str] = {}  # what stands against a switch that fixes numbers
    fixed: set[Flag] = set()
    for ranged in table:
        number, working = given.get(ranged.row.parameter), _is_on(ranged, on, present)
        if number is not None and not working:
            lines.append(f"{ranged.row.names[0]} has no effect without {ranged.switch.long_name}.")
        if given.get(ranged.as_given.parameter):
            needed = ranged.row.names[0] if working else ranged.switch.long_name
            fixing.setdefault(ranged.as_given, f"{ranged.as_given.long_name} has no effect without {needed}.")
            if working and (number is not None or ranged.row.key in base):
                fixed.add(ranged.as_given)
    return lines + [line for flag, line in fixing.items() if flag not in fixed]


def _is_on(ranged: Ranged, on: Collection[Flag], present: Collection[str]) -> bool:
    return ranged.switch in on or ranged.row.key in present or ranged.row.key.rpartition(".")[0] in present


def _highest(draw: Any) -> Any:
    """The top of a range."""
    return next(iter(draw.values()))[-1] if isinstance(draw, Mapping) else draw
