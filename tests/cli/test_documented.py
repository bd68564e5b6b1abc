"""ecg-image-kit's documented command lines run as they are after the program's name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import DEMO, Drawn, run
from tests.conftest import SHARED

LINES = (
    "-i IN -o OUT -se 10",
    "-i IN -o OUT --deterministic_lead -se 10",
    "-i IN -o OUT --print_header",
    "-i IN -o OUT --deterministic_lead --hw_text -n 4 --x_offset 30 --y_offset 20 -se 10",
    "-i IN -o OUT --wrinkles -ca 45 --deterministic_lead -se 10",
    "-i IN -o OUT --augment -rot 5 -noise 40 --deterministic_rot --deterministic_noise --deterministic_lead -se 10",
    "-i IN -o OUT --augment -rot 30 -c 0.1 --deterministic_rot --deterministic_noise --deterministic_lead -se 10",
    "-i IN -o OUT --augment -rot 5 -noise 40 --deterministic_rot --deterministic_noise --hw_text -n 4 --x_offset 30 "
    "--y_offset 20 --wrinkles -ca 45 --deterministic_lead -se 10",
    "-i IN -o OUT -se 10 --lead_name_bbox --lead_bbox --random_add_header 0.8 --calibration_pulse 0.5 --store_config 1 "
    "--add_qr_code",
    "-i IN -o OUT --hw_text -n 4 --x_offset 30 --y_offset 20 -se 10 --random_grid_color --add_qr_code",
    "-i IN -o OUT --random_add_header 0.8 -se 20 --lead_name_bbox --resolution 300 --random_padding --pad_inches 1 "
    "--lead_bbox --augment -rot 5 -noise 40 --deterministic_rot --deterministic_noise --hw_text -n 4 --x_offset 30 "
    "--y_offset 20 --wrinkles -ca 45",
    "single: -i FILE -hea HEADER -o OUT -st START",
)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two records, real ones where there are any, one of them in a subfolder."""
    top = tmp_path_factory.mktemp("in")
    real = [h for name in ("ptbxl_500hz", "ptbxl_100hz") for h in sorted((SHARED / "records" / name).glob("*.hea"))[:1]]
    for place, header in zip((top, top / "sub"), real or [DEMO.with_suffix(".hea")], strict=False):
        place.mkdir(exist_ok=True)
        for file in header.parent.glob(f"{header.stem}.*"):
            shutil.copy(file, place / file.name)
    return top


def sample(records: Path) -> tuple[Path, Path]:
    """Signals and header of the first record."""
    header = sorted(records.glob("*.hea"))[0]
    return next(p for p in records.glob(f"{header.stem}.*") if p.suffix != ".hea"), header


def expected(line: str) -> list[str]:
    """What the line promises, as keys of ``PROMISES``."""
    return [key for key in PROMISES if re.search(rf"(^|\s){re.escape(key)}(\s|$)", line)]


PROMISES: dict[str, Any] = {
    "-se 10": lambda d: d.plan["seed"] == 10,
    "-se 20": lambda d: d.plan["seed"] == 20,
    "--deterministic_lead": lambda d: any(text["role"] == "lead-name" for text in d.texts),
    "--print_header": lambda d: d.document["header"]["printed"],
    "--wrinkles": lambda d: 0 <= d.parts["creases"]["angle"] <= 45 and "lamp" in d.parts,
    "-rot 5": lambda d: d.parts["rotate"]["angle"] == 5,
    "-rot 30": lambda d: d.parts["rotate"]["angle"] == 30,
    "-noise 40": lambda d: d.parts["gaussian-noise"]["sigma"] == 40,
    "-c 0.1": lambda d: 0 < d.style["crop"] <= 0.1 and d.parts["gaussian-noise"]["sigma"] == 25,
    "--store_config 1": lambda d: {"lead_bounding_box", "plotted_pixels"} <= set(d.kit["leads"][0]),
    "--add_qr_code": lambda d: d.document["labels"]["qr"]["text"] == d.plan["record"]["path"],
    "--random_grid_color": lambda d: d.style["grid_color"] in ("brown", "pink", "blue", "green", "red"),
    "--resolution 300": lambda d: d.document["image"]["dpi"] == 300,
    "--random_padding": lambda d: 0 < d.style["pad"] < 25.4,
    "--hw_text": lambda d: any(text["role"] == "note" for text in d.texts) and d.kit["handwritten_text"],
    "-n 4": lambda d: 1 <= d.kit["num_words"] <= 4,
    "--x_offset 30": lambda d: 1 <= d.kit["x_offset_for_handwritten_text"] <= 30,
    "--y_offset 20": lambda d: 1 <= d.kit["y_offset_for_handwritten_text"] <= 20,
    "-st START": lambda d: d.plan["window"]["first"] == 250,
}


def documented(line: str, records: Path, out: Path) -> Drawn:
    """The line's command, its capitals filled in."""
    signals, header = sample(records)
    command, _, arguments = line.rpartition(": ")
    filled = {"IN": str(records), "FILE": str(signals), "HEADER": str(header), "OUT": str(out), "START": "250"}
    tokens = [filled.get(token, token) for token in arguments.split()]
    source = Path(tokens.pop(tokens.index("-i") + 1))
    tokens.remove("-i")
    tokens.pop(tokens.index("-o") + 1)
    tokens.remove("-o")
    return run(out, *tokens, command=command or "batch", source=source, small=False)


@pytest.mark.parametrize("line", LINES)
def test_the_line_does_what_it_says(line: str, records: Path, tmp_path: Path) -> None:
    drawn = documented(line, records, tmp_path / "out")
    assert drawn.outcome.code == 0, drawn.outcome.stderr
    assert "no effect" not in drawn.outcome.stderr
    count = len(list(records.rglob("*.hea"))) if not line.startswith("single") else 1
    images = [name for name in drawn.files if name.endswith(".png") and not name.endswith("-gt.png")]
    assert len(images) == count
    kept = expected(line)
    assert kept or line == LINES[0]
    for key in kept:
        assert PROMISES[key](drawn), key


def test_every_promise_is_made_by_a_line() -> None:
    assert {key for line in LINES for key in expected(line)} == set(PROMISES)


def test_these_are_all_documented_lines(shared: Path) -> None:
    text = (shared / "reference/seed_flags.md").read_text().partition("## Documented command lines")[2]
    assert tuple(line.strip() for line in text.splitlines() if line.startswith("    ")) == LINES
