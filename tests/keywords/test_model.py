"""The spaCy recogniser: the shipped model, other pipelines, and none."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecgvec.errors import SourceError
from ecgvec.keywords import spacy_model
from ecgvec.keywords.lexicon import Span
from ecgvec.keywords.match import LexiconRecogniser
from ecgvec.keywords.spacy_model import OWN_NAME, SHIPPED, SpacyRecogniser, _lexicon_label, default_recogniser
from ecgvec.keywords.training.train import read_examples, score_recogniser

EVALUATION = Path(__file__).with_name("evaluation")
SCISPACY = importlib.util.find_spec("scispacy") is not None
NOTE = "AF at 120 bpm with LBBB, QTc 480 ms, no ST elevation in V1-V4. On bisoprolol for palpitations, PPM in situ."


def terms(text: str, spans: list[Span]) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label) for span in spans]


def pipeline(folder: Path, patterns: list[dict[str, str]], name: str = "other") -> Path:
    """A spaCy pipeline that finds the given words."""
    language: Any = pytest.importorskip("spacy").blank("en")
    language.meta["name"] = name
    language.add_pipe("entity_ruler").add_patterns(patterns)
    language.to_disk(folder)
    return folder


def test_the_shipped_model_finds_the_terms_of_a_note() -> None:
    pytest.importorskip("spacy")
    [spans] = SpacyRecogniser().spans([NOTE])
    assert terms(NOTE, spans) == [
        ("AF", "RHYTHM"),
        ("120 bpm", "MEASURE"),
        ("LBBB", "CONDUCTION"),
        ("QTc", "INTERVAL"),
        ("480 ms", "MEASURE"),
        ("ST elevation", "ISCHEMIA"),
        ("V1-V4", "LEAD"),
        ("bisoprolol", "DRUG"),
        ("palpitations", "SYMPTOM"),
        ("PPM", "DEVICE"),
    ]


def test_texts_are_answered_in_order_and_empty_ones_have_no_terms() -> None:
    pytest.importorskip("spacy")
    texts = ["", "Sinus tachycardia.", "  ", *(["Bread and butter."] * 70), "LBBB."]
    found = SpacyRecogniser().spans(texts)
    assert len(found) == len(texts)
    assert [place for place, spans in enumerate(found) if spans] == [1, len(texts) - 1]


def test_the_shipped_model_is_small_and_holds_no_pickle() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6e6
    assert {path.name for path in files} == {"config.cfg", "meta.json", "tokenizer", "cfg", "model", "moves"}
    assert not any(b"cnumpy" in path.read_bytes() or path.read_bytes()[:2] == b"\x80\x04" for path in files)


def test_spacy_is_not_imported_until_a_text_is_read() -> None:
    code = (
        "import sys; from ecgvec.keywords.spacy_model import default_recogniser; default_recogniser(None);"
        "assert not {'spacy', 'thinc', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_entities_of_foreign_labels_take_the_label_of_the_lexicon_or_are_left_out(tmp_path: Path) -> None:
    found = ["atrial fibrillation", "left bundle branch block", "kidney stones"]
    patterns = [{"label": "ENTITY", "pattern": text} for text in found]
    patterns.append({"label": "DRUG", "pattern": "unheardofol"})
    recogniser = SpacyRecogniser(pipeline(tmp_path / "foreign", patterns))
    text = "He has atrial fibrillation, left bundle branch block, kidney stones and takes unheardofol."
    [spans] = recogniser.spans([text])
    assert terms(text, spans) == [
        ("atrial fibrillation", "RHYTHM"),
        ("left bundle branch block", "CONDUCTION"),
        ("unheardofol", "DRUG"),
    ]
    assert recogniser.name == str(tmp_path / "foreign")


def test_an_entity_that_the_lexicon_holds_takes_its_label(tmp_path: Path) -> None:
    recogniser = SpacyRecogniser(pipeline(tmp_path / "wrong", [{"label": "DEVICE", "pattern": "LBBB"}]))
    assert recogniser.spans(["ECG: LBBB."]) == [[Span(5, 9, "CONDUCTION")]]


def test_a_lone_term_in_a_text_about_something_else_is_left_out(tmp_path: Path) -> None:
    patterns = [{"label": "AXIS", "pattern": "axis"}, {"label": "DEVICE", "pattern": "spikes"}]
    texts = ["The axis of the wheel is bent.", "The axis and the spikes.", "LBBB, axis +30."]
    own = SpacyRecogniser(pipeline(tmp_path / "own", patterns, OWN_NAME)).spans(texts)
    assert [len(spans) for spans in own] == [0, 2, 1]
    other = SpacyRecogniser(pipeline(tmp_path / "other", patterns)).spans(texts)
    assert [len(spans) for spans in other] == [1, 2, 1]


def test_the_shipped_model_is_as_good_as_the_documentation_says() -> None:
    pytest.importorskip("spacy")
    recogniser = SpacyRecogniser()
    examples = read_examples(EVALUATION / "sentences.jsonl")
    result = score_recogniser(recogniser, examples)
    assert result.total.f1 >= 0.85
    assert result.false_per_100_words("unrelated") < 1
    assert result.total.f1 > score_recogniser(LexiconRecogniser(), examples).total.f1 + 0.03
    assert min(figures.f1 for figures in result.by_label.values()) > 0.7


def test_the_shipped_model_finds_terms_that_the_lexicon_does_not_hold() -> None:
    pytest.importorskip("spacy")
    rows = [json.loads(line) for line in (EVALUATION / "sentences.jsonl").read_text("utf-8").splitlines()]
    found = dict(zip([row["id"] for row in rows], SpacyRecogniser().spans([r["text"] for r in rows]), strict=True))
    rare = [json.loads(line) for line in (EVALUATION / "rare.jsonl").read_text("utf-8").splitlines()]
    unheld = [row for row in rare if not _lexicon_label(row["text"], whole=True)]
    assert len(unheld) > 40
    right = [row for row in unheld if Span(row["start"], row["end"], row["label"]) in found[row["id"]]]
    assert len(right) >= 0.6 * len(unheld)


def test_a_model_that_is_not_there_or_is_none_or_finds_nothing_is_refused(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    with pytest.raises(SourceError, match="--nlp-model en_no_such_md: no such spaCy pipeline"):
        SpacyRecogniser("en_no_such_md").spans(["a"])
    with pytest.raises(SourceError, match="not a spaCy pipeline"):
        SpacyRecogniser(tmp_path).spans(["a"])
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(SourceError, match=r"finds no entities \(it has no parts\)"):
        SpacyRecogniser(tmp_path / "blank").spans(["a"])


def test_without_spacy_the_lexicon_is_used_and_the_user_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy_model.importlib.util, "find_spec", lambda _: None)
    recogniser, messages = default_recogniser(None)
    assert isinstance(recogniser, LexiconRecogniser)
    assert len(messages) == 1 and "pip install 'ecgvec[nlp]'" in messages[0]
    with pytest.raises(SourceError, match="spaCy is not installed"):
        default_recogniser("en_core_sci_md")


@pytest.mark.skipif(not SCISPACY, reason="scispaCy is not installed")
def test_with_scispacy_its_tokeniser_is_used_and_the_terms_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scientific = SpacyRecogniser()
    [with_it] = scientific.spans([NOTE])
    rules = scientific._loaded().tokenizer.rules
    monkeypatch.setattr(spacy_model.importlib.util, "find_spec", lambda _: None)
    plain = SpacyRecogniser()
    [without] = plain.spans([NOTE])
    assert with_it == without
    assert set(rules) - set(plain._loaded().tokenizer.rules)  # the abbreviations of scientific text
