"""A recipe checked before the first record is opened, so that a wrong name costs no run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecgvec.export.write import checked_formats
from ecgvec.layout.header import load_header
from ecgvec.layout.template import load_template
from ecgvec.recipe import Recipe, load_recipe


def checked_recipe(source: str, overrides: Mapping[str, Any]) -> Recipe:
    """Load a recipe and everything that it names: templates, headers, formats. EcgvecError for the first wrong one."""
    recipe = load_recipe(source, overrides)
    for name in recipe.layout.template.values:
        if name != "auto":
            load_template(str(name))
    if "header" in recipe.page:
        for name in recipe.page["header"].values:
            load_header(str(name))
    checked_formats(recipe.output.formats)
    return recipe
