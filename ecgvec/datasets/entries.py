"""The records that a dataset is made of, and the recipe that it draws them by."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgvec.batch.jobs import find_jobs
from ecgvec.errors import RecordError
from ecgvec.layout.style import check_style
from ecgvec.plan.terms import with_terms
from ecgvec.recipe.distributions import Draw, parse_draw
from ecgvec.recipe.recipe import Recipe, load_mix, load_recipe
from ecgvec.record.files import find_header
from ecgvec.record.model import Record
from ecgvec.record.read import read_record

OneRecord = Record | str | os.PathLike[str]


@dataclass(frozen=True)
class Entry:
    """A record, or where it lies. ``key``: what its random streams are keyed by; None: its name."""

    source: Record | Path
    key: str | None

    @property
    def name(self) -> str:
        """What warnings call it."""
        return self.source.name if isinstance(self.source, Record) else str(self.source)

    def read(self) -> Record:
        """The record; RecordError where it cannot be read."""
        return self.source if isinstance(self.source, Record) else read_record(self.source)


def find_entries(records: OneRecord | Sequence[OneRecord]) -> tuple[Entry, ...]:
    """The records of a folder, sorted by their paths below it, which key their streams as in ``ecgvec batch``; or the
    record or records that are given, in their order, keyed by their names as in ``ecgvec.render``. A name that comes
    again is numbered, ``100 (2)``, lest pages of two records be drawn alike. RecordError where there is no record."""
    if isinstance(records, str | os.PathLike):
        folder = Path(records)
        if folder.is_dir():
            return tuple(Entry(folder / job.file, job.path) for job in find_jobs(folder, folder, False).jobs)
        find_header(folder)
    given = [records] if isinstance(records, Record | str | os.PathLike) else list(records)
    if not given:
        raise RecordError("no record was given: give a folder, paths of records, or Records")
    seen: Counter[str] = Counter()
    found = []
    for one in given:
        source = one if isinstance(one, Record) else Path(one)
        name = source.name.removesuffix(".hea")
        seen[name] += 1
        found.append(Entry(source, f"{name} ({seen[name]})" if seen[name] > 1 else None))
    return tuple(found)


def resolved(recipe: Recipe | str | Mapping[str, Any], dpi: float | None) -> Recipe:
    """The recipe of that name, or mix of such, with ``dpi`` laid upon it (None: its own), and with the terms that its
    notes take from a text, which is read now, once. EcgvecError where one of these is wrong."""
    if not isinstance(recipe, Recipe):
        keys = {} if dpi is None else {"page.dpi": dpi}
        recipe = load_mix(recipe, keys) if isinstance(recipe, Mapping) else load_recipe(recipe, keys)
    elif dpi is not None:
        check_style("page", "dpi", dpi)
        recipe = _with_dpi(recipe, parse_draw("page.dpi", dpi))
    return with_terms(recipe)[0]


def _with_dpi(recipe: Recipe, dpi: Draw) -> Recipe:
    mix = tuple(part.model_copy(update={"recipe": _with_dpi(part.recipe, dpi)}) for part in recipe.mix)
    return recipe.model_copy(update={"page": recipe.page if mix else {**recipe.page, "dpi": dpi}, "mix": mix})
