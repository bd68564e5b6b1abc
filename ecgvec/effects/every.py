"""All effects that come with ecgvec: importing this module fills the registry."""

from ecgvec.effects import (
    colour,
    copier,
    files,
    ink,
    lens,
    light,
    onebit,
    paper,
    sensor,
    stains,
    surroundings,
    wear,
)
from ecgvec.effects.base import EFFECTS

__all__ = [
    "EFFECTS",
    "colour",
    "copier",
    "files",
    "ink",
    "lens",
    "light",
    "onebit",
    "paper",
    "sensor",
    "stains",
    "surroundings",
    "wear",
]
