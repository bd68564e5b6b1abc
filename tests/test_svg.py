"""The SVG: exact, well-formed, with meaning; and back to millivolts."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.errors import SourceError
from ecgvec.record.model import Lead, Record
from ecgvec.resources import listing

MICROVOLT_MV, MICROSECOND_S = 1e-3, 1e-6


def assert_read_back(record: Record, sheet: ecgvec.Sheet) -> int:
    """Every sample that a page shows comes back from its vectors within 0.5 uV and 1 us; returns how many."""
    found = ecgvec.svg.read_traces(sheet.svg)
    shown: dict[str, set[int]] = {}
    for trace in sheet.labels.traces:
        finite = np.flatnonzero(np.isfinite(trace.mv)) + trace.first_sample
        shown.setdefault(trace.lead, set()).update(finite.tolist())
    assert set(found) == set(shown)
    for lead, rows in found.items():
        index = np.array(sorted(shown[lead]))
        assert len(rows) == len(index), lead
        assert np.abs(rows[:, 0] - index / record.fs).max() <= MICROSECOND_S, lead
        assert np.abs(rows[:, 1] - record.signals[index, record.index(lead)]).max() <= 0.5 * MICROVOLT_MV, lead
    return sum(map(len, shown.values()))


@pytest.mark.parametrize("speed", [12.5, 25, 50])
def test_every_12_lead_record_comes_back_from_its_vectors(twelve_lead: list[Path], speed: float) -> None:
    samples = 0
    for path in twelve_lead:
        record = ecgvec.read_record(path)
        samples += assert_read_back(record, ecgvec.render(record, speed=speed, paper="roll-210"))
    assert samples > 19 * 12 * 250 * 0.9  # at least the 2.5 s columns of 19 records, one of them at 100 Hz


@pytest.mark.parametrize(
    "page",
    [
        {"cabrera": True, "gain": 20, "chest_gain": 2.5},
        {"column_timing": "simultaneous"},
        {"template": "12x1", "baseline": "median"},
        {"template": "3x4+3R", "clip": True},
        {"gain": 2.5, "speed": 50, "fit": True},
    ],
)
def test_every_way_of_drawing_comes_back(demo_record: Record, page: dict[str, Any]) -> None:
    assert assert_read_back(demo_record, ecgvec.render(demo_record, **page)) > 9_000


def test_odd_rates_windows_and_gaps_come_back(record_folder: Path) -> None:
    record = ecgvec.read_record(record_folder / "formats" / "mixedsignals")
    for window in (0, 7):
        sheet = ecgvec.render(record, window=window, baseline="median")
        assert assert_read_back(record, sheet) > 1000
    assert min(rows[0, 0] for rows in ecgvec.svg.read_traces(sheet.svg).values()) == pytest.approx(70, abs=0.01)


def _record(signals: NDArray[np.float64], *names: str) -> Record:
    return Record("r", 100.0, signals, tuple(Lead(name, name) for name in names))


def test_gaps_and_lonely_samples_come_back() -> None:
    mv = np.sin(np.arange(1000) / 9)
    mv[[0, 3, 5, 400, 999]] = np.nan  # sample 4 stands alone between two gaps
    mv[600:700] = np.nan
    record = _record(mv[:, None], "II")
    assert assert_read_back(record, ecgvec.render(record)) == 1000 - 105


def test_a_lead_name_cannot_break_the_document() -> None:
    evil = '</svg><script>alert("x")</script>&\x00\x1b'
    sheet = ecgvec.render(_record(np.zeros((500, 1)), evil))
    root = ElementTree.fromstring(sheet.svg)
    assert not [element for element in root.iter() if "script" in element.tag]
    names = [e.get("data-text") for e in root.iter() if e.get("class") == "lead-name"]
    assert names == ['</svg><script>alert("x")</script>&']


@pytest.mark.parametrize("template", listing("pages"))
def test_every_element_has_an_id_a_role_and_its_meaning(demo_record: Record, template: str) -> None:
    leads = demo_record.lead_names
    names = (*leads, "V7", "V8", "V9")[: 15 if template == "15-lead" else 12]
    record = Record(
        "r", 500.0, demo_record.signals[:, [i % 12 for i in range(len(names))]], tuple(Lead(n, n) for n in names)
    )
    sheet = ecgvec.render(record, template=template, print_header=True, qr_code=True)
    root = ElementTree.fromstring(sheet.svg)
    assert root.get("width") == "279.4mm"
    assert root.get("viewBox") == "0 0 279.4 215.9"
    shown = [e for e in root.iter() if e.tag.endswith(("}path", "}g"))]
    ids = [e.get("id") for e in shown]
    assert len(set(ids)) == len(ids)
    assert None not in ids
    assert all(e.get("class") for e in shown)
    roles = {e.get("class") for e in shown}
    assert {
        "paper",
        "grid-minor",
        "grid-major",
        "pulse",
        "trace",
        "lead-name",
        "header-text",
        "footer-text",
        "qr-code",
    } <= roles
    for trace in (e for e in shown if e.get("class") == "trace"):
        keys = ("lead", "first-sample", "fs", "speed", "gain", "baseline-mm", "x0-mm", "t0-s", "polarity", "samples")
        assert all(trace.get(f"data-{key}") for key in keys)
    for text in (e for e in shown if e.get("class") in {"lead-name", "header-text", "footer-text"}):
        title = text.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert title.text == text.get("data-text") == text.get("aria-label")
    assert "<text" not in sheet.svg  # outlines only


def test_times_and_voltages_come_from_the_path_alone(demo_record: Record) -> None:
    svg = ecgvec.render(demo_record, template="12x1").svg
    root = ElementTree.fromstring(svg)
    trace = next(e for e in root.iter() if e.get("data-lead") == "I" and e.get("class") == "trace")
    first, rest = str(trace.get("d")).split("L", 1)
    x, y = map(float, first[1:].split(","))
    trace.set("d", f"M{x:.5f},{y - 10:.4f}L{rest}")  # 10 mm higher is 1 mV more
    before, after = (ecgvec.svg.read_traces(t)["I"] for t in (svg, ElementTree.tostring(root, encoding="unicode")))
    assert after[0, 1] == pytest.approx(before[0, 1] + 1.0, abs=1e-4)
    assert np.array_equal(after[1:], before[1:])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not an svg", "is not an SVG document"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "holds no trace"),
        ("<svg><path id='t' class='trace' data-lead='I' d='M0,0'/></svg>", "lacks a number in data-"),
    ],
)
def test_wrong_documents_are_named(text: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        ecgvec.svg.read_traces(text)
