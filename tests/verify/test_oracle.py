"""The oracle: drawing the signal again until the drawing matches the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.verify.digitise import digitise
from ecgvec.verify.oracle import refit
from ecgvec.verify.page import read_page
from ecgvec.verify.report import pool, verify_folder
from ecgvec.verify.score import score
from ecgvec.verify.unmix import unmix


def test_a_few_leads_come_back(twelve_lead: list[Path], tmp_path: Path) -> None:
    """Two records, three leads of 2.5 s each at 200 dpi."""
    for name in ("HR06000", "E07505"):
        path = next(path for path in twelve_lead if path.name == name)
        recipe = load_recipe("clean", {"record.leads": ("II", "V2", "V5"), "page.seconds": 2.5})
        ecgvec.render(path, recipe).save(tmp_path, ["png", "json"])
    report = verify_folder(tmp_path, oracle=True)
    assert report.oracle is not None
    assert report.quick is not None
    assert report.oracle.leads == 6
    assert report.oracle.median >= 30.0
    assert report.oracle.low_median >= report.oracle.median - 0.5
    assert report.oracle.median > report.quick.median + 5


def test_gaps_and_clipped_ink(demo_record: Record, tmp_path: Path) -> None:
    """Samples without ink stay unknown; the fit of the others goes on beside them."""
    signals = demo_record.signals[:1250].copy()
    signals[200:400] = np.nan
    record = Record("gaps", 500.0, signals[:, :2], demo_record.leads[:2])
    sheet = ecgvec.render(record, clip=True, dpi=150, seconds=2.5)
    sheet.save(tmp_path, ["json"])
    page = read_page(tmp_path / "gaps-0.json")
    ink = unmix(sheet.image, page)
    start = digitise(ink, page)
    found = refit(ink, page, start)
    truth = {trace.id: trace.mv for trace in sheet.labels.traces}
    assert score(page, truth, found).challenge > score(page, truth, start).challenge
    for strip in page.strips:
        assert np.isnan(found[strip.id][210:390]).all()


@pytest.mark.long
@pytest.mark.parametrize(("dpi", "least"), [(200, 30.0), (300, 33.0)])
def test_the_ceiling_of_clean_pages(twelve_lead: list[Path], tmp_path: Path, dpi: float, least: float) -> None:
    """The pooled median over the leads of 12 records of three hospitals, Challenge rule."""
    chosen = [
        path for name in ("ptbxl_500hz", "georgia", "chapman") for path in twelve_lead if path.parent.name == name
    ]
    for path in chosen[:4] + chosen[5:9] + chosen[11:15]:  # four of each
        ecgvec.render(path, dpi=dpi).save(tmp_path, ["png", "json"])
    report = verify_folder(tmp_path, oracle=True)
    assert len(report.images) == 12
    scores = [image.oracle for image in report.images if image.oracle is not None]
    found = pool(scores)
    assert found is not None
    assert found.leads + found.zero_leads == 144
    assert found.median >= least
