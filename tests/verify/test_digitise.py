"""The quick digitiser: what it knows, and how well it reads clean pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.export.read import decode_image
from ecgvec.record.model import Lead, Record
from ecgvec.verify.digitise import chain, digitise, find_runs
from ecgvec.verify.page import Page, read_page
from ecgvec.verify.report import read_values
from ecgvec.verify.score import Score, score
from ecgvec.verify.unmix import stroke, unmix


def saved(sheet: ecgvec.Sheet, folder: Path) -> Page:
    sheet.save(folder, ["png", "json"])
    return read_page(folder / f"{sheet.plan.stem}.json")


def quick(page: Page) -> tuple[dict[str, NDArray[np.float64]], Score]:
    path, arrays = page.saved.file(".png"), page.saved.file(".npz")
    assert path is not None
    assert arrays is not None
    found = digitise(unmix(decode_image(path, page.size)[0], page), page)
    return found, score(page, read_values(page)[0], found)


def test_ink_is_what_the_pen_left(demo_record: Record, tmp_path: Path) -> None:
    """The page without traces, drawn from plan and labels, leaves nothing of grid, names and header in the ink."""
    sheet = ecgvec.render(demo_record, template="ge", qr_code=True)
    page = saved(sheet, tmp_path)
    ink = unmix(sheet.image, page)
    box = (0, 0, *page.size)
    open_share = np.ones(ink.cover.shape, dtype=np.float32)
    for trace in sheet.labels.traces:
        open_share *= 1 - stroke(trace.points, page.pen, box)
    told = ink.weight > 0.3
    assert told.mean() > 0.9
    assert np.abs(ink.cover - (1 - open_share))[told].max() < 0.02


@pytest.mark.parametrize("look", [{}, {"bw": True}, {"grid_color": "blue", "speed": 50.0, "fit": True, "dpi": 150}])
def test_a_clean_page_is_read(demo_record: Record, tmp_path: Path, look: dict[str, object]) -> None:
    _, found = quick(saved(ecgvec.render(demo_record, **look), tmp_path))
    assert len(found.leads) == 12
    assert found.challenge > 15.0
    assert found.kaggle > 15.0


def test_real_records_are_read(twelve_lead: list[Path], tmp_path: Path) -> None:
    """Measured on 18 records at 200 dpi: median 22 dB over leads, 10th percentile 15."""
    chosen = [path for path in twelve_lead if path.name in ("HR06000", "E07502", "JS20003")]
    leads = [v for path in chosen for v in quick(saved(ecgvec.render(path), tmp_path))[1].leads.values()]
    assert len(leads) == 36
    assert np.nanmedian(leads) > 20.0


def test_values_in_the_labels_change_nothing(demo_record: Record, tmp_path: Path) -> None:
    page = saved(ecgvec.render(demo_record), tmp_path)
    before, score_before = quick(page)
    arrays = page.saved.file(".npz")
    assert arrays is not None
    with np.load(arrays) as stored:
        changed = {name: stored[name].copy() for name in stored.files}
    for name in changed:
        if name.endswith(("/mv", "/xy")):
            np.random.default_rng(0).shuffle(changed[name])
    np.savez(arrays, **changed)  # type: ignore[arg-type]
    after, score_after = quick(page)
    assert score_after.challenge < score_before.challenge - 10
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])


def test_gaps_stay_gaps(demo_record: Record, tmp_path: Path) -> None:
    signals = demo_record.signals.copy()
    signals[300:500] = np.nan
    record = Record("gap", 500.0, signals, tuple(Lead(n, n) for n in demo_record.lead_names))
    page = saved(ecgvec.render(record), tmp_path)
    found, _ = quick(page)
    first = found[page.strips[0].id]
    assert np.isnan(first[310:490]).all()
    assert np.isfinite(first[:295]).all()


def test_runs_have_rims_between_pixels() -> None:
    cover = np.zeros((8, 2), dtype=np.float32)
    cover[2:6, 0] = [0.5, 1.0, 1.0, 0.3]
    runs = find_runs(cover)
    assert runs.top[0, 0] == pytest.approx(2.5)
    assert runs.bottom[0, 0] == pytest.approx(5.3)
    assert np.isnan(runs.top[1]).all()


def test_the_chain_follows_the_line_across_another() -> None:
    cover = np.zeros((60, 40), dtype=np.float32)
    cover[30:32] = 1
    cover[:50, 20] = 1  # another lead's spike through the line
    cover[5:7] = 1  # another lead
    top, bottom = chain(find_runs(cover), np.full(40, 31.0))
    away = np.delete(np.arange(40), 20)
    assert top[away].tolist() == [30.0] * 39
    assert bottom[away].tolist() == [32.0] * 39
