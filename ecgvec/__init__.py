"""ecgvec: pictures of paper ECGs, as exact vectors and as pixels, with labels that are exactly true.

record = ecgvec.read_record("path/of/a/WFDB/record")
sheet = ecgvec.render(record, recipe="clean", seed=10, dpi=200)
sheet.save("out", formats=["png", "svg", "json"])
page = ecgvec.load("out/NAME-0.json")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecgvec._version import __version__
from ecgvec.errors import (
    EcgvecError,
    ExportError,
    RecipeError,
    RecordError,
    SourceError,
    TemplateError,
    WarpError,
)

if TYPE_CHECKING:
    from ecgvec import plugins, svg
    from ecgvec.export.read import SavedPage, load
    from ecgvec.graphics import pdf
    from ecgvec.pipeline import plan, render, render_plan
    from ecgvec.planning.model import Plan
    from ecgvec.recipe.recipe import Recipe, load_mix, load_recipe
    from ecgvec.record.model import Record
    from ecgvec.record.read import read_demo_record, read_record
    from ecgvec.rendering.labels.model import Labels
    from ecgvec.sheet import Sheet
    from ecgvec.warp.base import Flat, Warp
    from ecgvec.warp.lattice import Lattice

# Loaded when first used, so that `import ecgvec` and `ecgvec --help` cost nothing.
_LAZY = {
    "Flat": "ecgvec.warp.base",
    "Labels": "ecgvec.rendering.labels.model",
    "Lattice": "ecgvec.warp.lattice",
    "Plan": "ecgvec.planning.model",
    "Recipe": "ecgvec.recipe.recipe",
    "Record": "ecgvec.record.model",
    "SavedPage": "ecgvec.export.read",
    "Sheet": "ecgvec.sheet",
    "Warp": "ecgvec.warp.base",
    "load": "ecgvec.export.read",
    "load_mix": "ecgvec.recipe.recipe",
    "load_recipe": "ecgvec.recipe.recipe",
    "plan": "ecgvec.pipeline",
    "read_demo_record": "ecgvec.record.read",
    "read_record": "ecgvec.record.read",
    "render": "ecgvec.pipeline",
    "render_plan": "ecgvec.pipeline",
}
_LAZY_MODULES = {"pdf": "ecgvec.graphics.pdf", "plugins": "ecgvec.plugins", "svg": "ecgvec.svg"}

__all__ = [
    "EcgvecError",
    "ExportError",
    "Flat",
    "Labels",
    "Lattice",
    "Plan",
    "Recipe",
    "RecipeError",
    "Record",
    "RecordError",
    "SavedPage",
    "Sheet",
    "SourceError",
    "TemplateError",
    "Warp",
    "WarpError",
    "__version__",
    "load",
    "load_mix",
    "load_recipe",
    "pdf",
    "plan",
    "plugins",
    "read_demo_record",
    "read_record",
    "render",
    "render_plan",
    "svg",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        return import_module(_LAZY_MODULES[name])
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ecgvec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, *_LAZY_MODULES])
