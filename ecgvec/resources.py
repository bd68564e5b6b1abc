"""Where templates, fonts and the demo record lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def folder(name: str) -> Path:
    """The folder ``templates``, ``fonts`` or ``demo``; FileNotFoundError where the installation lacks it."""
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder '{name}' is missing from this installation of ecgvec: reinstall it")


def listing(kind: str) -> dict[str, Path]:
    """All TOML files of one kind (``pages``, ``headers``, ``recipes``): name without suffix -> path, sorted."""
    return {path.stem: path for path in sorted((folder("templates") / kind).glob("*.toml"))}
