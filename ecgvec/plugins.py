"""What an effect, a mark, a warp part or a format of your own is made with.

Write it in a module of its own: a class below one of these bases, registered. Then name the module in a recipe,
``plugins = ["my_effect.py"]`` (a file beside the recipe, or a module that can be imported), or give your package an
entry point in the group ``ecgvec.plugins``. So it is there in every worker of a batch, and in a replay.

    from ecgvec.plugins import EFFECTS, Capture, Image, register

    @register(EFFECTS)
    class Invert(Capture):
        kind: Literal["invert"] = "invert"

        def capture(self, image: Image, scale: float) -> Image:
            return 255 - image
"""

from ecgvec._typing import BoolArray, Float32Array, Float64Array, Image, Points
from ecgvec.components import Degrees, HexColor, Part, Registry, Seed, register
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import Capture, Effect, EffectContext, Light, OnPaper, Shading, Surroundings
from ecgvec.effects.layers import Covering
from ecgvec.export.formats import FORMATS, Files, Format
from ecgvec.geometry.path import Box, Path, polyline
from ecgvec.graphics.shapes import Pen
from ecgvec.marks import MARKS
from ecgvec.marks.base import AddedMark, Drawing, PageContext, PenFault
from ecgvec.warp import WARPS
from ecgvec.warp.parts import Bend, Camera, Canvas, Paper, Planar, Roll, generator

__all__ = [
    "EFFECTS",
    "FORMATS",
    "MARKS",
    "WARPS",
    "AddedMark",
    "Bend",
    "BoolArray",
    "Box",
    "Camera",
    "Canvas",
    "Capture",
    "Covering",
    "Degrees",
    "Drawing",
    "Effect",
    "EffectContext",
    "Files",
    "Float32Array",
    "Float64Array",
    "Format",
    "HexColor",
    "Image",
    "Light",
    "OnPaper",
    "PageContext",
    "Paper",
    "Part",
    "Path",
    "Pen",
    "PenFault",
    "Planar",
    "Points",
    "Registry",
    "Roll",
    "Seed",
    "Shading",
    "Surroundings",
    "generator",
    "polyline",
    "register",
]
