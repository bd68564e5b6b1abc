"""Bad input ends in one line that names what is wrong and its cure, and leaves no half-written file."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import wfdb

from tests.conftest import Run
from tests.program import DEMO, RUN_FILE, Outcome, assert_one_line, assert_whole, contents, copy_record, edited, program

FIRST_LINE = "ecgvec-demo.dat 16 1000(0)/mV 16 0 -9 13089 0 I"


# ---------------------------------------------------------------- records that cannot be drawn


def header_only(text: str | bytes) -> Callable[[Path, str], object]:
    """Makes the embedded record with ``text`` for its header; NAME stands for the record's name."""

    def make(where: Path, name: str) -> None:
        copy_record(where, name)
        raw = text if isinstance(text, bytes) else text.replace("NAME", name).encode()
        (where / f"{name}.hea").write_bytes(raw)

    return make


def signals(content: bytes | None) -> Callable[[Path, str], object]:
    """Makes the embedded record with ``content`` for its signal file; without one for None."""

    def make(where: Path, name: str) -> None:
        path = copy_record(where, name).with_suffix(".dat")
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    return make


def signal_folder(where: Path, name: str) -> None:
    """A folder in the signal file's place."""
    signals(None)(where, name)
    (where / f"{name}.dat").mkdir()


def signal_link(where: Path, name: str) -> None:
    """A signal file that is a link to a file elsewhere."""
    signals(None)(where, name)
    elsewhere = where.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    shutil.copy(DEMO.with_suffix(".dat"), elsewhere / f"{name}.dat")
    (where / f"{name}.dat").symlink_to(elsewhere / f"{name}.dat")


def two_leads(*empty: int) -> Callable[[Path, str], object]:
    """Makes a record of I and II; the columns ``empty`` hold nothing but WFDB's mark for a missing value."""

    def make(where: Path, name: str) -> None:
        where.mkdir(parents=True, exist_ok=True)
        counts = np.zeros((5000, 2), dtype=np.int64)
        counts[:, list(empty)] = -(1 << 15)
        wfdb.wrsamp(
            name, fs=500, units=["mV"] * 2, sig_name=["I", "II"], d_signal=counts, fmt=["16"] * 2,
            adc_gain=[200.0] * 2, baseline=[0] * 2, write_dir=str(where),
        )  # fmt: skip

    return make


@dataclass(frozen=True)
class BadRecord:
    """``make(folder, name)`` makes it; ``words`` stand in its error: the file or lead, the value, the cure. ``NAME``
    in them stands for the record's name."""

    make: Callable[[Path, str], object]
    words: tuple[str, ...]


BAD_RECORDS = {
    "signals-missing": BadRecord(signals(None), ("NAME.dat", "NAME.hea", "missing", "put it there")),
    "signals-are-a-folder": BadRecord(signal_folder, ("NAME.dat", "not a regular file", "put")),
    "signals-linked-from-elsewhere": BadRecord(signal_link, ("NAME.dat", "link out of", "put the file itself there")),
    "signals-cut-off": BadRecord(signals(bytes(1000)), ("NAME.dat", "41", "5000", "get the whole file")),
    "signals-empty": BadRecord(signals(b""), ("NAME.dat", "holds 0 samples", "get the whole file")),
    "header-empty": BadRecord(header_only(""), ("NAME.hea", "is empty", "write")),
    "header-of-comments": BadRecord(header_only("# a\n\n# b\n"), ("NAME.hea", "is empty", "write")),
    "header-is-a-letter": BadRecord(
        header_only("Dear colleague,\nthank you for referring this patient.\n"),
        ("NAME.hea", "not a WFDB header", "line 1", "write 'name signals rate samples'"),
    ),
    "header-is-binary": BadRecord(header_only(b"\x89PNG\0\0"), ("NAME.hea", "is not text", "give")),
    "too-few-lines": BadRecord(edited(" 12 500", " 13 500"), ("NAME.hea", "13 signals", "12 signal lines", "correct")),
    "too-many-lines": BadRecord(edited(" 12 500", " 2 500"), ("NAME.hea", "2 signals", "12 signal lines", "correct")),
    "no-channel": BadRecord(header_only("NAME 0 500 5000\n"), ("NAME.hea", "0 signals", "give another")),
    "line-broken": BadRecord(
        edited(FIRST_LINE, "ecgvec-demo.dat sixteen"), ("NAME.hea, line 2", "no signal line", "write 'file format")
    ),
    "gain-zero": BadRecord(edited("1000(0)/mV", "0(0)/mV"), ("NAME.hea", "'I'", "gain is 0", "write its gain")),
    "gain-nan": BadRecord(edited("1000(0)/mV", "nan(0)/mV"), ("NAME.hea, line 2", "gain of nan", "write the gain")),
    "gain-too-small": BadRecord(edited("1000(0)/mV", "0.0001(0)/mV"), ("NAME", "lead I ", "mV", "mend its gain")),
    "unit-no-voltage": BadRecord(edited("/mV", "/mmHg", 12), ("NAME.hea", "no ECG channel", "mmHg", "correct")),
    "lead-empty": BadRecord(two_leads(1), ("NAME", "lead II", "no valid sample", "leave it out with --leads I")),
    "leads-all-empty": BadRecord(two_leads(0, 1), ("NAME", "no valid sample", "another record")),
    "rate-zero": BadRecord(edited("12 500", "12 0"), ("NAME.hea", "sampling rate of 0", "write the true rate")),
    "rate-negative": BadRecord(edited("12 500", "12 -5"), ("NAME.hea", "sampling rate of -5", "write the true rate")),
    "rate-nan": BadRecord(edited("12 500", "12 nan"), ("NAME.hea", "sampling rate of nan", "write the true rate")),
    "samples-negative": BadRecord(edited("500 5000", "500 -7"), ("NAME.hea", "-7 samples", "write the true number")),
    "file-above": BadRecord(
        edited("ecgvec-demo.dat", "../secret.dat"), ("NAME.hea", "'../secret.dat'", "its own folder", "put the file")
    ),
    "file-absolute": BadRecord(
        edited("ecgvec-demo.dat", "/etc/passwd"), ("NAME.hea", "'/etc/passwd'", "its own folder", "put the file")
    ),
    "format-unknown": BadRecord(edited(" 16 1000", " 99 1000"), ("NAME.hea, line 2", "format 99", "convert", "212")),
    "formats-two": BadRecord(edited(" 16 1000", " 212 1000"), ("NAME.hea", "NAME.dat", "212 and 16", "correct")),
    "format-not-flac": BadRecord(edited(" 16 1000", " 508 1000", 12), ("NAME.dat", "not a FLAC", "508", "correct")),
    "segment-missing": BadRecord(
        header_only("NAME/1 12 500 5000\nnone 5000\n"), ("none.hea", "NAME.hea", "missing", "put it there")
    ),
    "segment-above": BadRecord(
        header_only("NAME/1 12 500 5000\n../up 5000\n"), ("NAME.hea", "'../up'", "its own folder", "put the file")
    ),
    "segment-itself": BadRecord(
        header_only("NAME/1 12 500 5000\nNAME 5000\n"), ("NAME.hea", "which has segments itself", "name those instead")
    ),
    "longer-than-memory": BadRecord(
        header_only("NAME 1 500 999999999999\n~ 16 200 16 0 0 0 0 I\n"), ("NAME.hea", "999999999999", "cut the record")
    ),
}


@pytest.mark.parametrize("kind", BAD_RECORDS)
def test_a_bad_record(kind: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    bad = BAD_RECORDS[kind]
    bad.make(tmp_path / "in", "p7")
    before = contents(tmp_path)
    done = program("single", "-i", tmp_path / "in/p7", "-o", tmp_path / "out")
    assert done.code == 2
    stderr = done.stderr.replace(str(tmp_path), "FOLDER")  # which pytest names after the case
    assert_one_line(stderr, tuple(word.replace("NAME", "p7") for word in bad.words))
    assert contents(tmp_path) == before
    # In a process of its own each of these would be one more line on standard error.
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning | UserWarning)] == []


def test_bad_records_do_not_end_a_batch(tmp_path: Path) -> None:
    for kind, bad in BAD_RECORDS.items():
        bad.make(tmp_path / "in", kind)
    copy_record(tmp_path / "in", "0-first")
    copy_record(tmp_path / "in", "z-last")
    before = contents(tmp_path / "in")
    done = program("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "--dpi", "50")
    assert done.code == 1
    assert not done.stderr.strip()
    rows = list(csv.DictReader((tmp_path / "out/quarantine.csv").open(newline="")))
    assert [row["record"] for row in rows] == sorted(BAD_RECORDS)
    for row in rows:
        assert row["reason"]
        assert "\n" not in row["reason"]
        assert "unexpected" not in row["reason"], row
    assert f"quarantined: {len(BAD_RECORDS)} records, see {tmp_path / 'out/quarantine.csv'}" in done.stdout
    made = {Path(name).name for name in contents(tmp_path / "out")}
    assert {"0-first-0.png", "0-first-0.json", "z-last-0.png", "z-last-0.json"} <= made
    assert not [name for name in made if name.startswith(tuple(f"{kind}-0" for kind in BAD_RECORDS))]
    assert_whole(tmp_path / "out")
    assert contents(tmp_path / "in") == before


def test_a_batch_with_three_bad_records_and_after_they_are_mended(tmp_path: Path, ecgvec_process: Run) -> None:
    copy_record(tmp_path / "in", "good")
    faults = {"signals-missing": "s/one", "gain-zero": "s/two", "lead-empty": "three"}
    for kind, path in faults.items():
        place = tmp_path / "in" / path
        BAD_RECORDS[kind].make(place.parent, place.name)
    common = ("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "--dpi", "50")
    done = ecgvec_process(*common)
    assert done.returncode == 1
    assert "1 image of 1 record in" in done.stdout
    rows = {row["record"]: row["reason"] for row in csv.DictReader((tmp_path / "out/quarantine.csv").open(newline=""))}
    assert list(rows) == ["s/one", "s/two", "three"]
    for kind, path in faults.items():
        for word in BAD_RECORDS[kind].words:
            assert word.replace("NAME", Path(path).name) in rows[path]
    good = {f"good-0{end}" for end in (".png", "-gt.png", ".svg", ".json", ".npz")}
    kit = {"kit/gridsize.csv", "kit/text_bounding_box/good-0.txt"}
    made = set(contents(tmp_path / "out"))
    assert made >= good | kit | {"quarantine.csv"}
    assert not [name for name in made if Path(name).name.startswith(("one-0", "two-0", "three-0"))]
    assert_whole(tmp_path / "out")

    for path in faults.values():
        copy_record((tmp_path / "in" / path).parent, Path(path).name)
    done = ecgvec_process(*common)
    assert done.returncode == 0, done.stderr
    made = set(contents(tmp_path / "out"))
    assert made >= good | kit | {"s/one-0.png", "s/two-0.json", "three-0.npz"}
    assert "quarantine.csv" not in made
    assert_whole(tmp_path / "out")


# ---------------------------------------------------------------- flags, recipes, templates, places, replays


@dataclass(frozen=True)
class Case:
    """``make(folder)`` prepares an empty folder and returns the command line; ``words`` stand in the error, where
    FOLDER stands for that folder. Where the command line names no output, the folder ``out`` is it. With ``apart`` the
    case runs in a process of its own, as users' runs do."""

    make: Callable[[Path], list[object]]
    words: tuple[str, ...]
    apart: bool = False


def flags(*words: object) -> Callable[[Path], list[object]]:
    """The embedded record with these flags."""
    return lambda top: ["single", "-i", copy_record(top / "in", "p7"), *words]


def batch_flags(*words: object) -> Callable[[Path], list[object]]:
    """A folder with the embedded record, with these flags."""
    return lambda top: ["batch", "-i", copy_record(top / "in", "p7").parent, *words]


def recipe(text: str | bytes, *words: object) -> Callable[[Path], list[object]]:
    """A recipe file ``my.toml``; FOLDER in it stands for the folder that it lies in."""
    return lambda top: ["single", "-i", copy_record(top / "in", "p7"), "--recipe", toml(top, text), *words]


def template(text: str | bytes, *words: object) -> Callable[[Path], list[object]]:
    """A template file ``my.toml``; FOLDER in it stands for the folder that it lies in."""
    return lambda top: ["single", "-i", copy_record(top / "in", "p7"), "--template", toml(top, text), *words]


def toml(top: Path, text: str | bytes) -> Path:
    """Write ``my.toml``."""
    path = top / "my.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.replace("FOLDER", str(top)).encode())
    return path


def on_two_leads(*words: object) -> Callable[[Path], list[object]]:
    """A record of I and II with these flags."""

    def make(top: Path) -> list[object]:
        two_leads()(top / "in", "p7")
        return ["single", "-i", top / "in/p7", *words]

    return make


def places(command: str, source: str, out: str | None = None, *words: object) -> Callable[[Path], list[object]]:
    """A command with input ``source`` and output ``out``, paths below a folder that holds the record ``in/p7``, a text
    file ``file``, a folder ``empty`` without records and a link ``link`` to ``in``."""

    def make(top: Path) -> list[object]:
        copy_record(top / "in", "p7")
        (top / "file").write_text("a text\n")
        (top / "empty/notes").mkdir(parents=True)
        (top / "empty/notes/read.me").write_text("nothing here\n")
        (top / "link").symlink_to(top / "in")
        given: list[object] = [command, "-i", f"{top}/{source}", *words]
        return given if out is None else [*given, "-o", f"{top}/{out}"]

    return make


def replay(
    change: Callable[[dict[str, Any]], object] = lambda document: None,
    after: Callable[[Path], object] = lambda top: None,
    *words: object,
) -> Callable[[Path], list[object]]:
    """An image drawn, its JSON changed by ``change``, its folder by ``after``, and replayed."""

    def make(top: Path) -> list[object]:
        record = copy_record(top / "in", "p7")
        assert program("single", "-i", record, "-o", top / "images", "--dpi", "50").code == 0
        path = top / "images/p7-0.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))
        after(top)
        return ["replay", path, *words]

    return make


def replay_text(text: str | bytes) -> Callable[[Path], list[object]]:
    """Replay of a file ``x.json`` that holds ``text``."""

    def make(top: Path) -> list[object]:
        (top / "x.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["replay", top / "x.json"]

    return make


def run_file(text: str) -> Callable[[Path], object]:
    """Overwrite the run file beside the image."""
    return lambda top: (top / "images" / RUN_FILE).write_text(text)


MANY_DIGITS = "9" * 5000

FLAG_CASES = {
    "dpi-0": Case(flags("--dpi", "0"), ("page.dpi is 0", "50"), apart=True),
    "dpi-1e6": Case(flags("--dpi", "1e6"), ("page.dpi is 1000000", "1200")),
    "dpi-nan": Case(flags("--dpi", "nan"), ("page.dpi is nan", "finite")),
    "dpi-inf": Case(flags("--dpi", "inf"), ("page.dpi is inf", "finite")),
    "dpi-drawn-up-to-1e6": Case(flags("--random_resolution", "--dpi", "1e6"), ("page.dpi", "1200")),
    "dpi-drawn-up-to-nan": Case(flags("--random_resolution", "--dpi", "nan"), ("page.dpi", "nan", "finite")),
    "dpi-drawn-up-to-inf": Case(flags("--random_resolution", "--dpi", "inf"), ("page.dpi", "inf", "finite")),
    "speed": Case(flags("--speed", "30"), ("page.speed is 30", "30 mm/s", "12.5, 25 or 50")),
    "gain": Case(flags("--gain", "0"), ("page.gain", "0 mm/mV", "2.5, 5, 10 or 20")),
    "seconds": Case(flags("--seconds", "0"), ("page.seconds is 0", "a number above 0 and up to 3600")),
    "paper": Case(flags("--paper", "a3"), ("page.paper", "'a3'", "letter, a4, fan-fold")),
    "paper-too-short": Case(
        flags("--paper", "a4", "--speed", "50"),
        ("10 s at 50 mm/s", "500 mm", "a4 landscape", "272.0 mm", "--seconds to 5.44", "--fit"),
    ),
    "paper-too-low": Case(
        flags("--paper", "roll-50", "--template", "12x1"), ("12x1", "12 rows", "roll-50", "room for", "--paper")
    ),
    "orientation": Case(flags("--orientation", "upright"), ("page.orientation", "'upright'", "'portrait'")),
    "grid-color": Case(flags("--grid-color", "purple"), ("page.grid_color", "'purple'", "#RRGGBB")),
    "grid-color-number": Case(flags("--standard_grid_color", "9"), ("page.grid_color", "'9'", "#RRGGBB")),
    "trace-color": Case(flags("--trace-color", "#12"), ("page.trace_color", "'#12'", "#RRGGBB")),
    "trace-width": Case(flags("--trace-width", "nan"), ("page.trace_width is nan", "finite")),
    "probability-negative": Case(flags("--random_bw", "-0.2"), ("page.bw.probability is -0.2", "from 0 to 1")),
    "probability-above-1": Case(
        flags("--random_grid_present", "2"), ("page.grid_present.probability is 2", "from 0 to 1")
    ),
    "format": Case(flags("--formats", "png,pgn"), ("format", "'pgn'", "'png'")),
    "format-none": Case(flags("--formats", ","), ("output.formats", "png")),
    "leads-unknown": Case(flags("--leads", "XYZ"), ("p7", "'XYZ'", "known are I, II")),
    "leads-misspelt": Case(flags("--leads", "I,V11"), ("p7", "'V11'", "did you mean 'V1'")),
    "leads-twice": Case(flags("--leads", "II,II"), ("II", "--leads")),
    "leads-none": Case(flags("--leads", ","), ("record.leads is empty", "name at least one")),
    "leads-lacking": Case(
        on_two_leads("--template", "3x4"),
        ("'3x4'", "aVR", "the record has I, II", "another template", "--derive-leads"),
    ),
    "leads-lacking-for-cabrera": Case(on_two_leads("--cabrera"), ("Cabrera", "I, II", "--derive-leads")),
    "start-beyond-the-end": Case(flags("-st", "5000"), ("p7", "5000 samples", "(-st) below that")),
    "start-negative": Case(flags("-st", "-5"), ("record.first_sample is -5", "whole number of at least 0")),
    "variants-0": Case(flags("--variants", "0"), ("output.variants is 0", "whole number from 1 to 1000000")),
    "images-0": Case(flags("--max_num_images", "0"), ("output.max_images is 0", "whole number of at least 1")),
    "columns-13": Case(flags("--num_columns", "13"), ("layout.num_columns is 13", "write 1 to 12")),
    "columns-and-template": Case(flags("--num_columns", "2", "--template", "3x4"), ("--template 3x4", "give one")),
    "template-unknown": Case(flags("--template", "3x5"), ("'3x5'", "did you mean '3x4'")),
    "template-missing": Case(flags("--template", "no.toml"), ("template 'no.toml'", "No such file")),
    "header-unknown": Case(flags("--header", "gee"), ("header 'gee'", "did you mean 'ge'")),
    "header-field-unknown": Case(flags("--header-fields", "age,name"), ("header.fields", "'name'", "'sex' or 'dx'")),
    "footer-misspelt": Case(flags("--footer", "{sped} mm/s"), ("footer", "'{sped}'", "did you mean 'speed'")),
    "footer-nameless": Case(flags("--footer", "{}"), ("footer", "'{}'", "speed")),
    "footer-open": Case(flags("--footer", "{speed"), ("footer", "'{speed'", "write {name}")),
    "footer-with-a-number-format": Case(flags("--footer", "{speed:d}"), ("footer", "{speed:d}")),
    "footer-with-a-conversion": Case(flags("--footer", "{speed!x}"), ("footer", "{speed!x}")),
    "footer-within-a-footer": Case(flags("--footer", "{speed:{gain_}}"), ("footer", "gain_")),
    "rot-nan": Case(flags("--augment", "-rot", "nan"), ("warp.rotate.angle is nan", "finite")),
    "rot-inf": Case(flags("--augment", "-rot", "inf", "--deterministic_rot"), ("warp.rotate.angle is inf", "finite")),
    "crop-nan": Case(flags("--augment", "-c", "nan"), ("page.crop is nan", "finite")),
    "crop-negative": Case(flags("--augment", "-c", "-0.1"), ("page.crop is -0.1", "a number from 0 to 0.45")),
    "padding-inf": Case(flags("--random_padding", "--pad_inches", "inf"), ("page.pad is inf", "finite")),
    "store-config-3": Case(flags("--store_config", "3"), ("output.kit_level is 3", "0, 1 or 2")),
    "mix-negative": Case(flags("--mix", "clean:-2"), ("mix.clean is -2", "at least 0")),
    "mix-and-recipe": Case(flags("--mix", "clean:1", "--recipe", "fax"), ("--mix clean:1", "--recipe fax")),
    "recipe-unknown": Case(flags("--recipe", "cleen"), ("recipe 'cleen'", "did you mean 'clean'"), apart=True),
    "recipe-missing": Case(flags("--recipe", "no.toml"), ("recipe 'no.toml'", "No such file")),
    "batch-dpi-0": Case(batch_flags("--dpi", "0"), ("page.dpi is 0", "50")),
    "batch-template-unknown": Case(batch_flags("--template", "3x5"), ("'3x5'", "did you mean '3x4'")),
    "recipes-show": Case(lambda top: ["recipes", "show", "cleen"], ("recipe 'cleen'", "did you mean 'clean'")),
    "recipes-check": Case(
        lambda top: ["recipes", "check", toml(top, "[page]\ngird = 'dots'\n")], ("my.toml", "page.gird", "'grid'")
    ),
}

RECIPE_CASES = {
    "not-toml": Case(recipe("page: {dpi: 100}\n"), ("my.toml", "is not TOML", "line 1")),
    "not-text": Case(recipe(b"\xff\xfe\0"), ("my.toml", "is not TOML")),
    "number-too-long": Case(recipe(f"[page]\ndpi = {MANY_DIGITS}\n"), ("my.toml",)),
    "key-misspelt": Case(recipe("[page]\ngird = 'dots'\n"), ("my.toml", "page.gird", "did you mean 'grid'")),
    "section-misspelt": Case(recipe("[pgae]\ndpi = 100\n"), ("my.toml", "pgae", "did you mean 'page'")),
    "section-is-a-number": Case(recipe("page = 3\n"), ("my.toml", "page is 3", "write a table")),
    "option-misspelt": Case(recipe("[output]\nformat = ['png']\n"), ("my.toml", "output.format ", "'formats'")),
    "draw-misspelt": Case(recipe("[page.bw]\nprobabilty = 1\n"), ("my.toml", "page.bw.probabilty", "'probability'")),
    "draw-of-two-kinds": Case(
        recipe("[page.bw]\nprobability = 1\nchoice = [true]\n"), ("my.toml", "page.bw", "exactly one of")
    ),
    "probability-negative": Case(
        recipe("[page.bw]\nprobability = -0.1\n"), ("my.toml", "page.bw.probability is -0.1", "from 0 to 1")
    ),
    "choice-empty": Case(recipe("[page.grid]\nchoice = []\n"), ("my.toml", "page.grid.choice", "at least one")),
    "choice-of-lists": Case(recipe("[page.grid]\nchoice = [['dots']]\n"), ("my.toml", "page.grid.choice", "dots")),
    "template-choice-of-lists": Case(
        recipe("[layout.template]\nchoice = [['3x4']]\n"), ("my.toml", "layout.template.choice", "3x4")
    ),
    "weights-too-few": Case(
        recipe("[page.grid]\nchoice = ['lines', 'dots']\nweights = [3]\n"),
        ("my.toml", "page.grid.weights", "2 numbers"),
    ),
    "weights-a-number": Case(
        recipe("[page.grid]\nchoice = ['lines', 'dots']\nweights = 3\n"), ("my.toml", "page.grid.weights", "2 numbers")
    ),
    "uniform-reversed": Case(
        recipe("[page.dpi]\nuniform = [300, 100]\n"), ("my.toml", "page.dpi.uniform", "[300, 100]", "[lowest, highest]")
    ),
    # Both ends are right, and what lies between them is not: the third value of a run would be the first wrong one.
    "uniform-speed": Case(recipe("[page.speed]\nuniform = [12.5, 50]\n"), ("my.toml", "page.speed")),
    "uniform-gain": Case(recipe("[page.gain]\nuniform = [5, 20]\n"), ("my.toml", "page.gain")),
    "uniform-switch": Case(recipe("[page.bw]\nuniform = [0, 1]\n"), ("my.toml", "page.bw")),
    "uniform-columns": Case(recipe("[layout.num_columns]\nuniform = [-1, 1]\n"), ("my.toml", "layout.num_columns")),
    "speed": Case(recipe("[page]\nspeed = 30\n"), ("my.toml", "page.speed", "30 mm/s", "12.5, 25 or 50")),
    "dpi-nan": Case(recipe("[page]\ndpi = nan\n"), ("my.toml", "page.dpi is nan", "finite")),
    "dpi-a-date": Case(recipe("[page]\ndpi = 1979-05-27\n"), ("my.toml", "page.dpi", "write one value")),
    "leads-a-word": Case(recipe("[record]\nleads = 'II'\n"), ("my.toml", "record.leads", "'II'")),
    "leads-none": Case(recipe("[record]\nleads = []\n"), ("record.leads",)),
    "format": Case(recipe("[output]\nformats = ['pgn']\n"), ("'pgn'", "did you mean 'png'")),
    "header": Case(recipe("[page]\nheader = 'gee'\n"), ("header 'gee'", "did you mean 'ge'")),
    "extends-itself": Case(recipe('extends = "FOLDER/my.toml"\n'), ("my.toml", "extends itself", "break the circle")),
    "extends-nothing": Case(recipe('extends = "cleen"\n'), ("recipe 'cleen'", "did you mean 'clean'")),
    "extends-a-number": Case(recipe("extends = 3\n"), ("my.toml", "extends is 3", "write the name")),
}

TEMPLATE_CASES = {
    "not-toml": Case(template("rows: [[I]]\n"), ("my.toml", "is not TOML", "line 1")),
    "key-misspelt": Case(template("rows = [['I']]\nrythm = ['II']\n"), ("my.toml", "rythm", "did you mean 'rhythm'")),
    "page-key-misspelt": Case(
        template("rows = [['I']]\n[page]\nsped = 25\n"), ("my.toml", "page.sped", "did you mean 'speed'")
    ),
    "page-value": Case(template("rows = [['I']]\n[page]\nspeed = 30\n"), ("my.toml", "page.speed", "12.5, 25 or 50")),
    "page-is-a-number": Case(template("rows = [['I']]\npage = 3\n"), ("my.toml", "page is 3")),
    "page-of-an-extended-one-is-a-number": Case(template("extends = '3x4'\npage = 3\n"), ("my.toml", "page is 3")),
    "neither-rows-nor-stack": Case(template("title = 'mine'\n"), ("my.toml", "rows", "stack")),
    "rows-of-different-lengths": Case(template("rows = [['I', 'II'], ['III']]\n"), ("my.toml", "same number")),
    "rows-without-slots": Case(template("rows = [[]]\n"), ("my.toml", "rows")),
    "lead-unknown": Case(template("rows = [['I', 'XYZ']]\n"), ("'my'", "XYZ", "the record has I, II", "another")),
    "too-many-rows": Case(template("rows = [" + "['II']," * 40 + "]\n"), ("'my'", "40 rows", "room for", "--paper")),
    "stack-13": Case(template("stack = 13\n"), ("my.toml", "stack is 13", "less than or equal to 12")),
    "extends-itself": Case(template('extends = "FOLDER/my.toml"\n'), ("my.toml", "extends itself", "break the circle")),
    "header": Case(
        template("rows = [['I']]\n[page]\nheader = 'gee'\n", "--print_header"), ("header 'gee'", "did you mean 'ge'")
    ),
}

PLACE_CASES = {
    "record-missing": Case(places("single", "in/p8"), ("in/p8", "no p8.hea", "give the path"), apart=True),
    "record-is-a-folder": Case(places("single", "in"), ("FOLDER/in", "is a folder", "give the path of one record")),
    "record-is-a-text": Case(places("single", "file"), ("FOLDER/file", "no file.hea", "give the path")),
    "record-name-too-long": Case(places("single", "in/" + "n" * 300), ("nnn", "too long", "give the path")),
    # The message is one line whatever the name that it quotes.
    "record-name-with-a-line-break": Case(places("single", "in/p8\np9"), ("p8", "p9", "give the path")),
    "header-file-missing": Case(
        places("single", "in/p7.dat", None, "-hea", "no.hea"), ("no.hea", "missing", "give the path")
    ),
    "folder-missing": Case(places("batch", "none"), ("FOLDER/none", "does not exist", "check -i"), apart=True),
    "folder-is-a-file": Case(places("batch", "file"), ("FOLDER/file", "is a file", "ecgvec single")),
    "folder-is-a-record": Case(places("batch", "in/p7.hea"), ("in/p7.hea", "is a file", "ecgvec single")),
    "folder-without-records": Case(places("batch", "empty"), ("FOLDER/empty", "no record", ".hea")),
    "output-is-the-input": Case(
        places("batch", "in", "in"), ("FOLDER/in", "is the input folder", "choose another with -o"), apart=True
    ),
    "output-is-the-input-by-a-detour": Case(
        places("batch", "in", "empty/../in"), ("is the input folder", "choose another with -o")
    ),
    "output-is-the-input-by-a-link": Case(
        places("batch", "in", "link"), ("FOLDER/link", "is the input folder", "choose another with -o")
    ),
    "output-is-the-folder-of-the-record": Case(
        places("single", "in/p7", "in"), ("FOLDER/in", "is the input folder", "choose another with -o")
    ),
    "output-is-a-file": Case(places("single", "in/p7", "file"), ("FOLDER/file", "File exists", "choose another")),
    # Permissions do not stop root, who runs these tests in a container; a path that cannot be stops anybody.
    "output-below-a-file": Case(
        places("single", "in/p7", "file/out"), ("file/out", "Not a directory", "choose another"), apart=True
    ),
    "output-of-a-batch-below-a-file": Case(
        places("batch", "in", "file/out"), ("file/out", "Not a directory", "choose another")
    ),
    "output-name-too-long": Case(places("single", "in/p7", "n" * 300), ("nnn", "too long", "choose another")),
    "demo-below-a-file": Case(
        lambda top: ["demo", "-o", toml(top, "") / "out"], ("my.toml/out", "Not a directory", "choose another")
    ),
}

REPLAY_CASES = {
    "json-missing": Case(lambda top: ["replay", top / "no.json"], ("no.json", "does not exist")),
    "a-text": Case(replay_text("hello"), ("x.json", "line 1", "render the image anew"), apart=True),
    "a-picture": Case(replay_text(b"\x89PNG\r\n"), ("x.json", "cannot be read", "give the JSON")),
    "a-json-of-others": Case(replay_text('{"format": "coco"}'), ("x.json", "not a JSON that ecgvec", "give such")),
    "a-json-list": Case(replay_text("[]"), ("x.json", "not a JSON that ecgvec", "give such")),
    "brackets-without-end": Case(replay_text("[" * 100_000), ("x.json",)),
    "plan-missing": Case(replay(lambda d: d.pop("plan")), ("p7-0.json", "plan", "render the image anew")),
    "plan-of-another-speed": Case(
        replay(lambda d: d["plan"]["page"]["style"].update(speed=30)),
        ("p7-0.json", "plan.page.style.speed", "render the image anew"),
    ),
    "plan-of-nan-seconds": Case(
        replay(lambda d: d["plan"]["page"].update(seconds=float("nan"))), ("p7-0.json", "seconds", "anew")
    ),
    "files-missing": Case(replay(lambda d: d.pop("files")), ("p7-0.json", "files", "render the image anew")),
    "files-null": Case(replay(lambda d: d.update(files=None)), ("p7-0.json", "files", "render the image anew")),
    "record-changed": Case(
        replay(after=lambda top: (top / "in/p7.dat").write_bytes(bytes(120_000))),
        ("p7", "p7-0", "samples differ", "give the original record"),
    ),
    "record-gone": Case(
        replay(after=lambda top: (top / "in/p7.hea").unlink()), ("in/p7", "p7-0.json", "say where it is with -i")
    ),
    "record-elsewhere": Case(
        replay(lambda d: None, lambda top: None, "-i", "/nowhere/p7"), ("/nowhere/p7", "give the path")
    ),
    "run-file-missing": Case(
        replay(after=lambda top: (top / "images" / RUN_FILE).unlink()), ("p7-0.json", "no run file", "with -i")
    ),
    "run-file-cut-off": Case(replay(after=run_file('{"input": ')), (f"images/{RUN_FILE}", "-i")),
    "run-file-without-input": Case(replay(after=run_file("{}")), (f"images/{RUN_FILE}", "-i")),
    "output-below-a-file": Case(
        lambda top: [*replay()(top), "-o", top / "in/p7.hea/out"],
        ("in/p7.hea/out", "Not a directory", "choose another"),
    ),
}

CASES = {
    f"{group}/{name}": case
    for group, cases in (
        ("flags", FLAG_CASES),
        ("recipe", RECIPE_CASES),
        ("template", TEMPLATE_CASES),
        ("places", PLACE_CASES),
        ("replay", REPLAY_CASES),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str, tmp_path: Path, ecgvec_process: Run, recwarn: pytest.WarningsRecorder) -> None:
    case = CASES[name]
    arguments = case.make(tmp_path)
    if "-o" not in arguments and arguments[0] != "recipes":
        arguments += ["-o", tmp_path / "out"]
    before = contents(tmp_path)
    if case.apart:
        ended = ecgvec_process(*arguments)
        done = Outcome(ended.returncode, ended.stdout, ended.stderr)
    else:
        done = program(*arguments)
    assert done.code == 2, done
    # pytest names the folder after the case: its path must not lend the message a word.
    assert_one_line(done.stderr.replace(str(tmp_path), "FOLDER"), case.words)
    # Not one file more or less than before, in the output folder, beside it, or in the input's: no '.part' either.
    assert contents(tmp_path) == before
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning | UserWarning)] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("single", "-i", "r", "-o", "o", "--dpi", "abc"), ("--dpi", "valid number")),
        (("single", "-i", "r", "-o", "o", "-st", "1.5"), ("-st", "valid integer")),
        (("single", "-i", "r", "-o", "o", "--dpy", "100"), ("--dpy", "--dpi")),
        (("single", "-i", "r"), ("-o", "Missing option")),
        (("batch", "-o", "o"), ("-i", "Missing option")),
        (("bach", "-i", "r", "-o", "o"), ("bach", "batch")),
        (("replay", "-o", "o"), ("sidecar", "missing argument")),
    ],
)
def test_a_malformed_command_line(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # the box that says it is as wide as the terminal
    done = program(*arguments)
    assert done.code == 2
    assert done.stderr.startswith("Usage: ecgvec")
    for word in words:
        assert word.lower() in done.stderr.lower()
    assert list(tmp_path.iterdir()) == []


def test_standard_error_holds_that_line_and_nothing_else(tmp_path: Path, ecgvec_process: Run) -> None:
    BAD_RECORDS["signals-missing"].make(tmp_path / "in", "p7")
    done = ecgvec_process("single", "-i", tmp_path / "in/p7", "-o", tmp_path / "out")
    assert re.fullmatch(r"ecgvec: .+\n", done.stderr), repr(done.stderr)


def test_a_run_that_goes_well_says_nothing_on_standard_error(tmp_path: Path, ecgvec_process: Run) -> None:
    done = ecgvec_process(
        "single", "-i", copy_record(tmp_path / "in", "p7"), "-o", tmp_path / "out", "--formats", "png"
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_an_absurd_number_is_said_in_few_characters(tmp_path: Path) -> None:
    edited("1000(0)/mV", "1e-300(0)/mV")(tmp_path / "in", "p7")
    done = program("single", "-i", tmp_path / "in/p7", "-o", tmp_path / "out")
    assert done.code == 2
    assert_one_line(done.stderr, ("p7", "lead I ", "mend its gain"))
    assert len(done.stderr.strip()) < 200


def limited(**limits: int) -> Callable[[], None]:
    """What a child process does before the program starts: take ``resource`` limits upon itself. A write beyond
    RLIMIT_FSIZE is refused by the system as one to a full disk is, SIGXFSZ being ignored."""
    import resource
    import signal

    def apply() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return apply


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_rate_that_makes_a_page_of_every_sample_and_more(tmp_path: Path, ecgvec_process: Run) -> None:
    # 5000 samples at 1e-9 Hz are 5e11 full pages of 10 s. Such a run must not begin; it would not end.
    edited("12 500", "12 0.000000001")(tmp_path / "in", "p7")
    limits = limited(RLIMIT_CPU=5, RLIMIT_AS=4 << 30)  # of the processor's time, for the machine may be busy
    done = ecgvec_process("single", "-i", "in/p7", "-o", "out", "--formats", "json", cwd=tmp_path, preexec_fn=limits)
    assert done.returncode == 2, "stopped after 5 seconds of work" if done.returncode < 0 else done.stderr
    assert_one_line(done.stderr, ("p7", "rate", "write the true rate"))
    assert not [name for name in contents(tmp_path) if name.startswith("out/")]


# ---------------------------------------------------------------- header text that is no error


def test_script_in_a_comment_has_no_effect(tmp_path: Path) -> None:
    comment = "# </svg><script>alert(1)</script>\n"
    formats = ("--formats", "png,svg,gt,gt-svg,json,kit", "--dpi", "50", "--print_header", "--add_qr_code")
    for place, extra in (("plain", ""), ("marked", comment)):
        record = copy_record(tmp_path / place / "in", "p7")
        header = record.with_suffix(".hea")
        header.write_text(extra + header.read_text() + extra)
        done = program("single", "-i", record, "-o", tmp_path / place / "out", *formats)
        assert done.code == 0, done.stderr
    assert_no_script(tmp_path / "marked/out/p7-0.svg")
    made = contents(tmp_path / "marked/out")
    assert {"p7-0.svg", "p7-0-gt.svg", "p7-0.json"} <= set(made)
    assert made == contents(tmp_path / "plain/out")


def test_script_for_a_lead_name_is_text(tmp_path: Path) -> None:
    name = "</svg><script>alert(1)</script>&amp;\"'"
    record = copy_record(tmp_path / "in", "p7", lambda text: text.replace(" 0 I\n", f" 0 {name}\n", 1))
    done = program("single", "-i", record, "-o", tmp_path / "out", "--dpi", "50")
    assert done.code == 0, done.stderr
    drawn = assert_no_script(tmp_path / "out/p7-0.svg")
    assert name in {element.get("data-text") for element in drawn.iter()}
    assert_whole(tmp_path / "out")


def assert_no_script(path: Path) -> ElementTree.Element:
    """The root of a well-formed SVG that can run nothing."""
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("}svg")
    for element in root.iter():
        assert element.tag.rsplit("}", 1)[-1] in {"svg", "g", "path", "title", "desc", "defs", "clipPath", "rect"}
        assert not any(key.lower().startswith("on") or "href" in key.lower() for key in element.attrib)
    return root


def test_a_header_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    record = copy_record(tmp_path / "in", "p7", lambda text: text.replace("/mV 16 0 8 ", "/\x1b[2J\x9b2J 16 0 8 "))
    done = program("single", "-i", record, "-o", tmp_path / "out", "--template", "1-column", "--dpi", "50")
    assert done.code == 0, done.stderr
    assert "Channel 'II' is left out" in done.stdout
    assert not set(done.stdout + done.stderr) & {"\x1b", "\x9b"}


# ---------------------------------------------------------------- outputs that cannot be written


@pytest.mark.parametrize(
    ("obstacle", "named"),
    [
        (f"{RUN_FILE}/", RUN_FILE),
        ("p7-0.png/", "p7-0.png"),
        ("p7-0.svg/", "p7-0.svg"),
        ("p7-0.npz/", "p7-0.npz"),
        ("p7-0.json/", "p7-0.json"),
        ("kit", "out/kit"),
        ("kit/text_bounding_box/p7-0.txt/", "p7-0.txt"),
    ],
)
def test_something_in_an_outputs_way_keeps_the_whole_image_out(obstacle: str, named: str, tmp_path: Path) -> None:
    # An image without its labels is as bad as half an image: its files come together or not at all.
    record = copy_record(tmp_path / "in", "p7")
    if obstacle.endswith("/"):
        (tmp_path / "out" / obstacle).mkdir(parents=True)
    else:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / obstacle).write_text("a file\n")
    before = contents(tmp_path)
    done = program("single", "-i", record, "-o", tmp_path / "out", "--dpi", "50")
    assert done.code == 2
    assert_one_line(done.stderr, (named, "cannot be written", "choose another output folder"))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("obstacle", ["kit/gridsize.csv", "quarantine.csv"])
def test_a_folder_in_the_way_of_what_a_run_writes_last(obstacle: str, tmp_path: Path) -> None:
    record = copy_record(tmp_path / "in", "p7")
    (tmp_path / "out" / obstacle).mkdir(parents=True)
    done = program("batch", "-i", record.parent, "-o", tmp_path / "out", "--dpi", "50")
    assert done.code == 2
    assert_one_line(done.stderr, (obstacle, "cannot be written", "choose another output folder"))
    assert_whole(tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
@pytest.mark.parametrize(
    ("size", "refused"), [(300, RUN_FILE), (20_000, "p7-0.png"), (200_000, "p7-0.svg"), (550_000, "p7-0.npz")]
)
def test_a_refused_write(size: int, refused: str, tmp_path: Path, ecgvec_process: Run) -> None:
    record = copy_record(tmp_path / "in", "p7")
    before = contents(tmp_path)
    common = ("single", "-i", record, "-o", tmp_path / "out", "--dpi", "50")
    done = ecgvec_process(*common, preexec_fn=limited(RLIMIT_FSIZE=size))
    assert done.returncode == 2
    assert_one_line(done.stderr, (f"out/{refused}", "cannot be written", "File too large", "free space"))
    assert contents(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_a_refused_write_harms_no_earlier_image(tmp_path: Path, ecgvec_process: Run) -> None:
    common = ("single", "-i", copy_record(tmp_path / "in", "p7"), "-o", tmp_path / "out")
    assert program(*common).code == 0
    before = contents(tmp_path)
    # At 50 dpi the PNG is small enough to be staged; it must not take the old one's place without its labels.
    done = ecgvec_process(*common, "--dpi", "50", preexec_fn=limited(RLIMIT_FSIZE=200_000))
    assert done.returncode == 2
    assert_one_line(done.stderr, ("cannot be written", "free space"))
    assert contents(tmp_path) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB; skips where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_ends_a_batch_between_two_images(small_disk: Path, tmp_path: Path, ecgvec_process: Run) -> None:
    for name in ("a", "b", "c", "d"):
        copy_record(tmp_path / "in", name)
    done = ecgvec_process("batch", "-i", tmp_path / "in", "-o", small_disk / "out")
    assert done.returncode == 2
    assert_one_line(done.stderr, (str(small_disk / "out"), "No space left on device", "free space"))
    images = {name.split("-0")[0] for name in contents(small_disk / "out") if "-0" in name and "/" not in name}
    assert set() < images < {"a", "b", "c", "d"}
    for name in images:
        assert {f"{name}-0{end}" for end in (".png", "-gt.png", ".svg", ".json", ".npz")} <= set(
            contents(small_disk / "out")
        )
    assert_whole(small_disk / "out")


def test_outputs_are_written_beside_and_renamed_into_place(tmp_path: Path) -> None:
    # Seen from the system's side: whatever comes to be under an output's own name does so by a rename on its disk.
    record = copy_record(tmp_path / "in", "p7")
    script = (
        "import sys\n"
        "def hook(event, given):\n"
        "    if event == 'open' and isinstance(given[0], str) and isinstance(given[2], int) and given[2] & 3:\n"
        "        print('write', given[0], sep='\\t')\n"
        "    elif event == 'os.rename':\n"
        "        print('rename', given[0], given[1], sep='\\t')\n"
        "import ecgvec.cli\n"
        "sys.addaudithook(hook)\n"
        "ecgvec.cli.main()\n"
    )
    command = [sys.executable, "-c", script, "single", "-i", str(record), "-o", str(tmp_path / "out"), "--dpi", "50"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    events = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    opened = {Path(event[1]) for event in events if event[0] == "write" and str(tmp_path / "out") in event[1]}
    renamed = {Path(event[2]): Path(event[1]) for event in events if event[0] == "rename"}
    made = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert len(made) >= 8
    assert set(renamed) == made
    assert opened == set(renamed.values())
    assert all(tmp_path / "out" in beside.parents for beside in renamed.values())


# ---------------------------------------------------------------- names that only some file systems have


def test_a_name_too_long_for_its_outputs_does_not_end_a_batch(tmp_path: Path) -> None:
    long = "n" * 250  # with '.hea' it is a file's name; with '-0-gt.png', or a suffix of ours before that, it is not
    try:
        copy_record(tmp_path / "in", long)
    except OSError:
        pytest.skip("this file system has no names of 250 bytes")
    copy_record(tmp_path / "in", "z-last")
    done = program("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "--dpi", "50")
    assert done.code == 1
    assert [row["record"] for row in csv.DictReader((tmp_path / "out/quarantine.csv").open(newline=""))] == [long]
    assert "z-last-0.json" in contents(tmp_path / "out")
    assert_whole(tmp_path / "out")


@pytest.mark.parametrize("bad", [False, True])
def test_a_name_that_is_not_text_does_not_end_a_batch(bad: bool, tmp_path: Path, ecgvec_process: Run) -> None:
    name = os.fsdecode(b"caf\xe9")  # Latin-1, from an old archive
    try:
        copy_record(tmp_path / "in", name, lambda text: "" if bad else text.replace("ecgvec-demo", "x"))
        (tmp_path / "in" / f"{name}.dat").rename(tmp_path / "in/x.dat")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    copy_record(tmp_path / "in", "z-last")
    done = ecgvec_process("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", "--dpi", "50", errors="replace")
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if bad else done.returncode & 1)  # drawn or quarantined, one as good as the other
    assert "z-last-0.json" in contents(tmp_path / "out")
    assert (tmp_path / "out/quarantine.csv").is_file() == (done.returncode == 1)


def test_an_input_folder_whose_name_is_not_text(tmp_path: Path, ecgvec_process: Run) -> None:
    try:
        record = copy_record(tmp_path / os.fsdecode(b"caf\xe9"), "p7")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    done = ecgvec_process("single", "-i", record, "-o", tmp_path / "out", "--dpi", "50", errors="replace")
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert done.returncode == 2
        assert_one_line(done.stderr, ("caf",))
    else:
        assert_whole(tmp_path / "out")
