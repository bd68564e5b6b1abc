"""A recipe checked before the first record is opened, so that a wrong name costs no run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecgvec.export.write import select_formats
from ecgvec.layout.header import fill_header, fill_text
from ecgvec.layout.style import PageStyle
from ecgvec.layout.template import load_template
from ecgvec.planning.header import header_values
from ecgvec.recipe.distributions import parse_distribution
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.model import Subject


def check_recipe(source: str, overrides: Mapping[str, Any]) -> Recipe:
    """Load a recipe and everything that it names: templates, headers, formats. EcgvecError for the first wrong one."""
    return check_names(load_recipe(source, overrides))


def check_names(recipe: Recipe) -> Recipe:
    """The recipe, and every one of its mix, once all that it names has been loaded."""
    for part in recipe.mix:
        _check_pages(part.recipe)
    _check_pages(recipe)
    select_formats(recipe.output.formats_to_write)
    return recipe


def _check_pages(recipe: Recipe) -> None:
    pages = [recipe.page]
    for name in recipe.layout.template.values:
        if name != "auto":
            template = load_template(str(name))
            pages.append({key: parse_distribution(f"page.{key}", value) for key, value in template.page.items()})
    known = header_values(PageStyle(), (), Subject(), (0, "", 0))
    for page in pages:
        for name in page["header"].values if "header" in page else ():
            fill_header(str(name), known)
        for text in page["footer"].values if "footer" in page else ():
            fill_text(str(text), known, "footer")
