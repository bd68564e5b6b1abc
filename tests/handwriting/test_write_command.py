"""``ecgvec write``: an SVG in millimetres that says what it shows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from ecgvec.cli.generate import write
from ecgvec.errors import ExportError, RecipeError
from ecgvec.handwriting import Writer

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(write)
    return app


def test_a_note_as_svg(app: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "note.svg"
    options = ["--style", "uji-05", "--seed", "3", "--nib", "gel", "--ink", "red", "--height", "3"]
    run = CliRunner().invoke(app, ["AFib <w/ RVR> µ", "-o", str(out), *options])
    assert run.exit_code == 0, run.output
    assert "'µ' is written 'u'" in run.output and "in style uji-05" in run.output
    root = ElementTree.parse(out).getroot()
    width, height = (float(root.attrib[side].removesuffix("mm")) for side in ("width", "height"))
    assert [float(v) for v in root.attrib["viewBox"].split()][2:] == [width, height]
    assert 25 < width < 120 and 6 < height < 20
    note = root.find(f".//{SVG}g[@id='note']")
    assert note is not None and note.attrib["data-text"] == note.attrib["aria-label"] == "AFib <w/ RVR> u"
    assert note.attrib["data-style"] == "uji-05" and note.attrib["data-fallback"] == "false"
    assert (note.findtext(f"{SVG}title"), root.findtext(f"{SVG}title")) == ("AFib <w/ RVR> u",) * 2
    boxes = {int(e.attrib["data-index"]): e.attrib for e in root.iter(f"{SVG}path") if "data-index" in e.attrib}
    assert "".join(boxes[i]["data-char"] for i in sorted(boxes)) == "AFib<w/RVR>u"
    lefts = [float(boxes[i]["data-box"].split()[0]) for i in sorted(boxes)]
    assert lefts[0] < lefts[4] < lefts[-1]
    inked = [e for e in note.findall(f"{SVG}path") if e.attrib["fill"].startswith("#")]
    assert inked and all(e.attrib["d"].count("M") == e.attrib["d"].count("Z") for e in inked)


def test_the_same_command_writes_the_same_file(app: typer.Typer, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run = CliRunner().invoke(app, ["NSR", "-o", str(tmp_path / name), "--style", "3"])
        assert run.exit_code == 0, run.output
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_errors_are_sentences(app: typer.Typer, tmp_path: Path) -> None:
    runner = CliRunner()
    assert isinstance(runner.invoke(app, ["", "-o", str(tmp_path / "x.svg")]).exception, RecipeError)
    assert isinstance(runner.invoke(app, ["a", "-o", str(tmp_path / "no" / "x.svg")]).exception, ExportError)
    assert not (tmp_path / "x.svg").exists()


def test_without_a_style_a_person_who_knows_the_characters_writes(app: typer.Typer, tmp_path: Path) -> None:
    for text in ("AFib w/ RVR", "72"):
        run = CliRunner().invoke(app, [text, "-o", str(tmp_path / "note.svg")])
        root = ElementTree.parse(tmp_path / "note.svg").getroot()
        name = next(element.get("data-style") for element in root.iter() if element.get("data-style"))
        style = next(style for style in Writer().styles if style.name == name)
        assert style.kind == "person" and set(text) <= set(style.characters) | {" "}, run.output
