"""All parts of warps that come with ecgvec: importing this module fills the registry."""

from ecgvec.warp import cameras, creases, crumple, curl, lens, planar, waves
from ecgvec.warp.parts import WARPS

__all__ = ["WARPS", "cameras", "creases", "crumple", "curl", "lens", "planar", "waves"]
