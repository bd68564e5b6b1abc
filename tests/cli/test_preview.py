"""Contact sheets: ``ecgvec recipes preview`` and the page of recipes."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import ecgvec
from ecgvec.recipe.recipe import load_mix, load_recipe
from ecgvec.record.model import Record
from ecgvec.viewer.contact_sheet import CAPTION, GAP, contact_sheet, preview, thumbnail
from tests.conftest import ROOT
from tests.program import assert_one_line, copy_record, program


def test_a_thumbnail_is_an_average() -> None:
    stripes = np.zeros((300, 600, 3), dtype=np.uint8)
    stripes[:, ::2] = (200, 100, 50)
    small = thumbnail(stripes, 200)
    assert small.shape == (100, 200, 3)
    assert small[5:-5, 5:-5].reshape(-1, 3).mean(axis=0) == pytest.approx((100, 50, 25), abs=2)
    assert thumbnail(small, 400).shape == small.shape  # never larger


def test_pictures_stand_in_rows_with_their_captions() -> None:
    red, tall = np.full((40, 100, 3), (255, 0, 0), dtype=np.uint8), np.full((60, 50, 3), (0, 0, 255), dtype=np.uint8)
    sheet = contact_sheet([("one", red), ("two", tall), ("three", red)], columns=2, width=100)
    assert sheet.shape == (3 * GAP + 60 + 40 + 2 * CAPTION, 3 * GAP + 200, 3)
    assert ((sheet == (255, 0, 0)).all(axis=2)).sum() == 2 * 40 * 100
    assert ((sheet == (0, 0, 255)).all(axis=2)).sum() == 60 * 50
    captions = [sheet[GAP + 60 : GAP + 60 + CAPTION, :110], sheet[GAP + 60 : GAP + 60 + CAPTION, 110:]]
    assert all((caption.max(axis=2) < 120).sum() > 20 for caption in captions)


def test_preview_shows_what_the_seeds_give(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    record = copy_record(tmp_path / "in", "mine")
    out = tmp_path / "sheet.png"
    done = program("recipes", "preview", "phone-photo", "-o", out, "-i", record)
    assert done.code == 0, done.stderr
    sheet = cv2.imread(str(out))
    assert sheet.shape[1] == 4 * 480 + 5 * GAP
    columns = [sheet[60:200, GAP + k * 490 : GAP + k * 490 + 300].astype(int) for k in range(4)]
    assert all(abs(a - b).mean() > 2 for a, b in itertools.pairwise(columns))
    program("recipes", "preview", "phone-photo", "-o", tmp_path / "again.png", "-i", record)
    assert (tmp_path / "again.png").read_bytes() == out.read_bytes()


def test_preview_needs_a_png_and_a_recipe(tmp_path: Path) -> None:
    done = program("recipes", "preview", "claen", "-o", tmp_path / "a.png")
    assert done.code == 2
    assert_one_line(done.stderr, ("unknown recipe 'claen'", "'clean'"))
    done = program("recipes", "preview", "clean", "-o", tmp_path / "a.jpg")
    assert done.code == 2
    assert_one_line(done.stderr, ("a.jpg", ".png"))
    assert not list(tmp_path.iterdir())


def test_a_preview_of_a_mix(demo_record: Record) -> None:
    mix = load_mix({"clean": 1, "phone-photo": 1})
    alone = [preview(ecgvec.render, demo_record, load_recipe(name), (1,), 1, 100) for name in ("clean", "phone-photo")]
    mixed = preview(ecgvec.render, demo_record, mix, (1,), 1, 100)
    assert any(mixed.shape == sheet.shape and (mixed == sheet).all() for sheet in alone)


def test_the_page_of_recipes_is_made_the_same_each_time(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        command = [sys.executable, str(ROOT / "tools/make_recipe_docs.py"), "-o", str(tmp_path / str(number)), "clean"]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        made.append({p.name: p.read_bytes() for p in (tmp_path / str(number)).rglob("*") if p.is_file()})
    assert made[0] == made[1]
    assert len(made[0]["clean.jpg"]) <= 150_000
    page = made[0]["recipes.md"].decode()
    assert "| warp | creases | 75% | preset letter (33%), half (22%)" in page
    assert "![phone-photo](recipes/phone-photo.jpg)" in page
    assert "--recipe phone-photo -se 1" in page
