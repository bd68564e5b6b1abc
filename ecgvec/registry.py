"""A table of named parts (export formats, and later warps and effects) that helps with misspelt names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ecgvec.errors import EcgvecError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Parts of one kind, by name, in the order in which they were added."""

    def __init__(self, kind: str, error: type[EcgvecError]) -> None:
        self._kind = kind
        self._error = error
        self._parts: dict[str, T] = {}

    def add(self, name: str, part: T) -> T:
        """Add ``part`` under ``name``. A name can be taken only once (ValueError)."""
        if name in self._parts:
            raise ValueError(f"{self._kind} '{name}' is registered twice")
        self._parts[name] = part
        return part

    def get(self, name: str) -> T:
        """The part of that name; the registry's error, with the nearest name, where there is none."""
        try:
            return self._parts[name]
        except KeyError:
            raise self._error(f"unknown {self._kind} '{name}'{nearest(name, self._parts)}") from None

    def names(self) -> list[str]:
        """All names, in the order of registration."""
        return list(self._parts)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(self._parts.items())
