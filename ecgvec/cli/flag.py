"""What one command-line flag is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
