"""The example of the docs runs, and its COCO holds both pages."""

from __future__ import annotations

import runpy
from pathlib import Path

from pycocotools.coco import COCO

from tests.conftest import ROOT


def test_the_referral_letter(tmp_path: Path) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "referral_letter.py"))
    files = example["main"](["--out", str(tmp_path), "--dpi", "70", "--seed", "2"])
    assert all(path.stat().st_size > 1000 for path in files)
    data = COCO(str(tmp_path / "coco" / "annotations.json"))
    assert [image["file_name"] for image in data.imgs.values()] == ["letter-1.png", "letter-2.png"]
    for number, words in ((1, "Dear Dr Placeholder,"), (2, "With kind regards,")):
        rows = data.loadAnns(data.getAnnIds(imgIds=[number]))
        assert sum(data.cats[row["category_id"]]["supercategory"] == "lead" for row in rows) == 13
        hosts = [row for row in rows if data.cats[row["category_id"]]["name"] == "host-text"]
        assert words in [row["text"] for row in hosts] and len(hosts) > 10
