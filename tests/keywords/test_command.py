"""``ecgvec keywords``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from ecgvec.keywords import spacy_model
from tests.program import program

TEXT = "Sinus tachycardia with left bundle branch block (LBBB). The LBBB is new, QTc 480 ms.\n"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_table(note: Path) -> None:
    outcome = program("keywords", note, "--lexicon")
    assert (outcome.code, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    assert [line.split()[:1] for line in lines] == [["term"], ["LBBB"], ["sinus"], ["QTc"], ["480"]]
    columns = {
        line.index(word)
        for line, word in zip(lines, ["label", "CONDUCTION", "RHYTHM", "INTERVAL", "MEASURE"], strict=True)
    }
    assert len(columns) == 1
    assert lines[1].split()[2] == "3"
    assert lines[1].endswith("Sinus tachycardia with left bundle branch block (LBBB).")


def test_json(note: Path) -> None:
    outcome = program("keywords", note, "--lexicon", "--json")
    found = json.loads(outcome.stdout)
    assert found["sources"] == [str(note)]
    assert found["recogniser"] == "lexicon"
    assert found["terms"][0] == {
        "text": "LBBB",
        "label": "CONDUCTION",
        "count": 3,
        "sentence": "Sinus tachycardia with left bundle branch block (LBBB).",
        "forms": ["left bundle branch block", "LBBB"],
    }


def test_several_sources_and_standard_input(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"LBBB and RBBB.")))
    found = json.loads(program("keywords", note, "-", "--lexicon", "--json").stdout)
    assert found["sources"] == [str(note), "standard input"]
    assert [(term["text"], term["count"]) for term in found["terms"]][:2] == [("LBBB", 4), ("sinus tach", 1)]
    assert "RBBB" in [term["text"] for term in found["terms"]]


def test_a_text_without_terms(tmp_path: Path) -> None:
    path = tmp_path / "weather.txt"
    path.write_text("Rain in the west.")
    outcome = program("keywords", path, "--lexicon")
    assert (outcome.code, outcome.stdout) == (0, "")
    assert "has no terms" in outcome.stderr
    assert json.loads(program("keywords", path, "--lexicon", "--json").stdout)["terms"] == []


def test_a_long_sentence_is_clipped_around_its_term(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("and so on " * 30 + "with LBBB " + "and so on " * 30)
    line = program("keywords", path, "--lexicon").stdout.splitlines()[1]
    assert "with LBBB and" in line and len(line) < 130
    assert line.count("...") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no source is given"),
        (["missing.txt", "--lexicon"], "missing.txt does not exist"),
        (["-l", "http://127.0.0.1:9/", "--lexicon"], "--allow-private"),
        (["x.txt", "--lexicon", "--nlp-model", "en"], "give one of them"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], said: str) -> None:
    outcome = program("keywords", *arguments)
    assert outcome.code == 2
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1 and outcome.stdout == ""


def test_without_spacy_the_lexicon_serves_and_says_so(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy_model.importlib.util, "find_spec", lambda name: None)
    outcome = program("keywords", note, "--json")
    assert outcome.code == 0
    assert "ecgvec[nlp]" in outcome.stderr
    assert json.loads(outcome.stdout)["recogniser"] == "lexicon"
