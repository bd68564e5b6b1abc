"""Whatever the page, no label is lost, every sample comes back, and labels scale with the resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecgvec
from ecgvec.record.leads import STANDARD_12
from ecgvec.record.model import Lead, Record

NAMES = (*STANDARD_12, "V7", "V8", "V9", "X", "Y", "Z", "ECG 1", "V")


@st.composite
def records(draw: st.DrawFn) -> Record:
    count = draw(st.integers(1, 15))
    names = draw(st.permutations(NAMES))[:count]
    fs = draw(st.sampled_from([100.0, 128.0, 249.89, 500.0]))
    samples = draw(st.integers(2, int(12 * fs)))
    t = np.arange(samples) / fs
    mv = np.column_stack([0.9 * np.sin(2 * np.pi * (1 + i / 7) * t) + 0.05 * i for i in range(count)])
    for start in draw(st.lists(st.integers(0, max(0, samples - 3)), max_size=3)):
        mv[start : start + draw(st.integers(1, samples)) // 4] = np.nan
    mv[0] = 0.1  # each lead holds something
    return Record("r", fs, mv, tuple(Lead(name, name) for name in names))


PAGES = st.fixed_dictionaries(
    {
        "speed": st.sampled_from([12.5, 25.0, 50.0]),
        "gain": st.sampled_from([2.5, 5.0, 10.0, 20.0]),
        "dpi": st.floats(50, 120),
        "paper": st.sampled_from(["letter", "a4", "roll-210", "fan-fold"]),
        "column_timing": st.sampled_from(["consecutive", "simultaneous"]),
        "lead_names": st.sampled_from(["above", "below", "inline"]),
        "pulse": st.sampled_from(["left", "right", "none"]),
        "fit": st.just(True),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=records(), page=PAGES)
def test_no_label_is_lost_and_every_sample_comes_back(record: Record, page: dict[str, Any]) -> None:
    sheet = ecgvec.render(record, **page)
    panels = sheet.layout.panels
    drawn = {(t.lead, t.row, t.column) for t in sheet.labels.traces}
    assert {lead for lead, _, _ in drawn} <= set(record.lead_names)
    assert len(drawn) == len(sheet.labels.traces) <= len(panels)
    names = [t.text for t in sheet.labels.texts if t.role == "lead-name"]
    assert sorted(names) == sorted(t.lead for t in sheet.labels.traces)
    found = ecgvec.svg.read_traces(sheet.svg)
    for trace in sheet.labels.traces:
        finite = np.isfinite(trace.mv)
        rows = found[trace.lead]
        nearest = np.searchsorted(rows[:, 0] + 0.4 / record.fs, trace.t[finite])
        assert np.abs(rows[nearest, 0] - trace.t[finite]).max(initial=0) <= 1e-6
        assert np.abs(rows[nearest, 1] - trace.mv[finite]).max(initial=0) <= 5e-4


@settings(max_examples=10, deadline=None)
@given(record=records(), page=PAGES, factor=st.sampled_from([2.0, 3.0, 1.37]))
def test_labels_at_two_resolutions_agree(record: Record, page: dict[str, Any], factor: float) -> None:
    one, two = (ecgvec.render(record, **{**page, "dpi": page["dpi"] * f}) for f in (1.0, factor))
    for a, b in zip(one.labels.traces, two.labels.traces, strict=True):
        assert np.allclose(one.warp.inverse(a.points), two.warp.inverse(b.points), atol=1e-6, rtol=0, equal_nan=True)
    for c, d in zip(one.labels.texts, two.labels.texts, strict=True):
        assert np.allclose(one.warp.inverse(c.quad), two.warp.inverse(d.quad), atol=1e-6, rtol=0)
