"""Page templates: which lead stands in which row and column, and the look that goes with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecgvec.errors import RecipeError, TemplateError, nearest, one_line
from ecgvec.layout.style import check_style
from ecgvec.record.leads import STANDARD_12, split_names
from ecgvec.resources import listing

# Cabrera order turns the limb leads by their angle: aVL, I, -aVR, II, aVF, III instead of I, II, III, aVR, aVL, aVF.
CABRERA = {"I": "aVL", "II": "I", "III": "-aVR", "aVR": "II", "aVL": "aVF", "aVF": "III"}
ANY = "*"  # a slot for the next lead of the record that no other slot names

Rows = tuple[tuple[str, ...], ...]


class Template(BaseModel):
    """A page layout. Either ``rows`` names the lead of each slot (``*``: the next one left over), or ``stack`` is a
    number of columns into which all leads of the record are put, column by column, in their own order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str = ""
    rows: Rows = ()
    stack: int = Field(default=0, ge=0, le=12)
    rhythm: tuple[str, ...] = ()
    page: dict[str, Any] = {}

    @field_validator("page")
    @classmethod
    def _page(cls, page: dict[str, Any]) -> dict[str, Any]:
        for key, value in page.items():
            check_style("page", key, value)
        return page


def split_slot(slot: str) -> tuple[str, int]:
    """The lead of a slot and its polarity: ("aVR", -1) for "-aVR", the only lead that pages show upside down."""
    return ("aVR", -1) if slot == "-aVR" else (slot, 1)


def load_template(source: str, above: tuple[str, ...] = ()) -> Template:
    """A shipped page template by name, or a user's own by the path of its .toml file. ``extends`` names another to
    start from. TemplateError names the template, the key and the nearest right one."""
    return _loaded(source, above) if source.endswith(".toml") else _shipped(source, above)


@cache
def _shipped(name: str, above: tuple[str, ...]) -> Template:
    return _loaded(name, above)


def _loaded(source: str, above: tuple[str, ...]) -> Template:
    if source in above:
        raise TemplateError(f"template '{source}' extends itself ({' -> '.join([*above, source])}): break the circle")
    raw = _read(source)
    parent = raw.pop("extends", None)
    if parent is not None:
        base = load_template(str(parent), (*above, source)).model_dump()
        page = raw.get("page", {})
        if not isinstance(page, Mapping):
            raise TemplateError(f"template '{source}': page is {page!r}: write a table of page keys")
        raw = {**base, **raw, "page": {**base["page"], **page}}
    raw["name"] = Path(source).stem if source.endswith(".toml") else source
    try:
        template = Template.model_validate(raw)
    except RecipeError as error:
        raise TemplateError(f"template '{source}': {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = nearest(where, Template.model_fields)
            raise TemplateError(f"template '{source}': {where} is unknown{hint}") from None
        raise TemplateError(f"template '{source}': {where} is {first['input']!r}: {first['msg']}") from None
    if bool(template.rows) == bool(template.stack):
        raise TemplateError(f"template '{source}': give either rows (the lead of each slot) or stack (columns)")
    if len({len(row) for row in template.rows}) > 1 or not all(template.rows):
        raise TemplateError(f"template '{source}': all rows need the same number of columns, at least one")
    return template


def _read(source: str) -> dict[str, Any]:
    shipped = listing("pages")
    path = shipped.get(source, Path(source))
    if source not in shipped and path.suffix != ".toml":
        raise TemplateError(f"unknown template '{source}'{nearest(source, shipped)} (or give the path of a .toml file)")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(f"template '{source}' cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML's own errors among them
        raise TemplateError(f"template '{source}' is not TOML: {one_line(error)}") from None


def default_template(leads: Sequence[str]) -> str:
    """The template for a record with these leads, where the user named none."""
    if set(STANDARD_12) <= set(leads) and len(leads) in (12, 15):
        return "3x4+1R" if len(leads) == 12 else "15-lead"
    if len(leads) <= 6:
        return "1-column"
    return "2-column" if len(leads) <= 12 else "3-column"


def fill(template: Template, leads: Sequence[str], cabrera: bool) -> Rows:
    """The lead of each slot, row by row; "" where a slot stays empty, "-aVR" for an inverted lead.

    TemplateError where the template names leads that the record (``leads``, standard names) does not have.
    """
    if template.stack:
        return _stacked(_cabrera_order(leads) if cabrera else list(leads), template.stack)
    rows = [[CABRERA.get(slot, slot) if cabrera else slot for slot in row] for row in template.rows]
    named = {split_slot(slot)[0] for row in rows for slot in row if slot}
    left = [lead for lead in leads if lead not in named]
    absent = sorted(named - {ANY} - set(leads), key=[split_slot(s)[0] for row in rows for s in row].index)
    if absent or sum(row.count(ANY) for row in rows) > len(left):
        wanted = f"lead {', '.join(absent)}" if absent else "more leads"
        raise TemplateError(
            f"template '{template.name}' needs {wanted}, the record has {', '.join(leads)}: "
            "choose another template (1-column takes any leads), or --derive-leads for absent limb leads"
        )
    return tuple(tuple(left.pop(0) if slot == ANY else slot for slot in row) for row in rows)


def _stacked(leads: Sequence[str], columns: int) -> Rows:
    height = -(-len(leads) // columns)
    padded = [*leads, *[""] * (height * columns - len(leads))]
    grid = [padded[row::height] for row in range(height)]
    used = max(c for row in grid for c, lead in enumerate(row) if lead) + 1
    return tuple(tuple(row[:used]) for row in grid)


def _cabrera_order(leads: Sequence[str]) -> list[str]:
    order = ["aVL", "I", "-aVR", "II", "aVF", "III"]
    if not {split_slot(slot)[0] for slot in order} <= set(leads):
        raise TemplateError(
            f"Cabrera order needs all six limb leads, the record has {', '.join(leads)}: --derive-leads"
        )
    return order + [lead for lead in leads if lead not in CABRERA]


def rhythm_leads(template: Template, wanted: str, leads: Sequence[str]) -> tuple[str, ...]:
    """The rhythm strips: ``wanted`` is "template", "none" or lead names with commas.

    A lead that the record does not have gives way to the record's first lead, as in ecg-image-kit.
    """
    if wanted.lower() == "none":
        return ()
    names = template.rhythm if wanted == "template" else split_names(wanted)
    by_fold: Mapping[str, str] = {lead.casefold(): lead for lead in leads}
    return tuple(dict.fromkeys(by_fold.get(name.casefold(), leads[0]) for name in names))
