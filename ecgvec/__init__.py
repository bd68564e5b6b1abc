"""ecgvec: pictures of paper ECGs, as exact vectors and as pixels, with labels that are exactly true.

record = ecgvec.read_record("path/of/a/WFDB/record")
sheet = ecgvec.render(record, recipe="clean", seed=10, dpi=200)
sheet.save("out", formats=["png", "svg", "json"])
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
    from ecgvec import svg
    from ecgvec.graphics import pdf
    from ecgvec.pipeline import render
    from ecgvec.planning.model import Plan
    from ecgvec.recipe.recipe import Recipe, load_recipe
    from ecgvec.record.model import Record
    from ecgvec.record.read import read_record
    from ecgvec.sheet import Sheet

# Loaded when first used, so that `import ecgvec` and `ecgvec --help` cost nothing.
_LAZY = {
    "Plan": "ecgvec.planning.model",
    "Recipe": "ecgvec.recipe.recipe",
    "Record": "ecgvec.record.model",
    "Sheet": "ecgvec.sheet",
    "load_recipe": "ecgvec.recipe.recipe",
    "pdf": "ecgvec.graphics.pdf",
    "read_record": "ecgvec.record.read",
    "render": "ecgvec.pipeline",
    "svg": "ecgvec.svg",
}

__all__ = [
    "EcgvecError",
    "ExportError",
    "Plan",
    "Recipe",
    "RecipeError",
    "Record",
    "RecordError",
    "Sheet",
    "SourceError",
    "TemplateError",
    "WarpError",
    "__version__",
    "load_recipe",
    "pdf",
    "read_record",
    "render",
    "svg",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'ecgvec' has no attribute '{name}'")
    module = import_module(_LAZY[name])
    return module if name in ("pdf", "svg") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
