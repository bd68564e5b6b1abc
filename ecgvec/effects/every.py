"""All effects that come with ecgvec: importing this module fills the registry."""

from ecgvec.effects import light, surroundings, wear
from ecgvec.effects.base import EFFECTS

__all__ = ["EFFECTS", "light", "surroundings", "wear"]
