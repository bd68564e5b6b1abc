"""The format ``kaggle``: every id once, every value the record's own."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.export.formats import FORMATS
from ecgvec.export.wfdb import pieces
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Lead, Record
from ecgvec.sheet import Sheet


def rendered(record: Record, **overrides: Any) -> Sheet:
    keys = {key.replace("__", "."): value for key, value in overrides.items()}
    quick = {"page.dpi": 50, "page.lead_names": "none"}  # pixels and lead names are of no account here
    return ecgvec.render(record, load_recipe("clean", {**quick, **keys}))


def read_back(sheet: Sheet, stem: str = "r-0") -> dict[str, NDArray[np.float64]]:
    """Lead -> values, in the file's order, each id being what it has to be."""
    ((path, content),) = FORMATS.get("kaggle").files(sheet, stem).items()
    assert path == f"kaggle/{stem}.csv"
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert rows[0] == ["id", "value"]
    found: dict[str, list[float]] = {}
    for identifier, value in rows[1:]:
        image, sample, lead = identifier.rsplit("_", 2)
        assert image == stem.replace("/", "__")
        values = found.setdefault(lead, [])
        assert int(sample) == len(values)
        values.append(float(value))
    return {lead: np.array(values) for lead, values in found.items()}


def twelve(fs: float, seconds: float = 10.2) -> Record:
    signals = np.random.default_rng(5).normal(size=(round(seconds * fs), 12)) * 0.3
    return Record("r", fs, signals, tuple(Lead(name, name) for name in STANDARD_12))


def test_a_usual_page(demo_record: Record) -> None:
    found = read_back(rendered(demo_record))
    assert tuple(found) == STANDARD_12
    for column, (lead, values) in enumerate(found.items()):
        start, stop = (0, 5000) if lead == "II" else (1250 * (column // 3), 1250 * (column // 3) + 1250)
        np.testing.assert_allclose(values, demo_record.signals[start:stop, column], rtol=0, atol=5.1e-7)


@pytest.mark.parametrize("fs", [250, 256, 500, 512, 1000, 1025, 257, 999.56])
def test_as_many_samples_as_the_competition_asks_for(fs: float) -> None:
    found = read_back(rendered(twelve(fs)))
    assert len(found["II"]) == math.floor(fs * 10)
    for lead in set(STANDARD_12) - {"II"}:
        assert len(found[lead]) == math.floor(fs * 2.5), lead


def test_which_piece_of_a_lead_counts() -> None:
    record = twelve(250)
    # A strip of V1 does not take the place of V1's piece in the columns, and II has none but that.
    found = read_back(rendered(record, layout__rhythm="V1"))
    assert {lead: len(values) for lead, values in found.items()} == dict.fromkeys(STANDARD_12, 625)
    np.testing.assert_allclose(found["V1"], record.signals[1250:1875, 6], rtol=0, atol=5.1e-7)
    found = read_back(rendered(record, layout__rhythm="V1,II"))
    assert (len(found["V1"]), len(found["II"])) == (625, 2500)
    # Where a lead has one place alone, that is it.
    found = read_back(rendered(record, layout__num_columns=1))
    assert {len(values) for values in found.values()} == {2500}


def test_order_other_leads_and_polarity(demo_record: Record) -> None:
    shuffled = demo_record.with_leads(sorted(STANDARD_12, reverse=True))
    found = read_back(rendered(shuffled, page__cabrera=True))
    assert tuple(found) == STANDARD_12
    (row,) = [trace for trace in pieces(rendered(shuffled, page__cabrera=True)).values() if trace.polarity < 0]
    assert row.lead == "aVR"
    start = row.first_sample
    np.testing.assert_allclose(found["aVR"], demo_record.signals[start : start + 1250, 3], rtol=0, atol=5.1e-7)
    other = Record("r", 250, np.ones((2500, 3)), (Lead("ECG_1", ""), Lead("V9", ""), Lead("V2", "")))
    assert tuple(read_back(rendered(other))) == ("V2", "ECG-1", "V9")


def test_gaps_are_nan_and_files_lie_in_their_folders() -> None:
    record = twelve(250)
    signals = record.signals.copy()
    signals[10:20, 0] = np.nan
    found = read_back(rendered(Record("r", 250, signals, record.leads)), "ward_b/0_lr, x-0")
    assert np.flatnonzero(np.isnan(found["I"])).tolist() == list(range(10, 20))


def test_a_page_without_a_value() -> None:
    signals = np.ones((5000, 1))
    signals[:2500] = np.nan
    assert read_back(rendered(Record("r", 250, signals, (Lead("II", ""),)))) == {}
