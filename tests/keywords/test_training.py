"""The training text, training itself, and the scores."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ecgvec.cli.train import app
from ecgvec.errors import SourceError
from ecgvec.keywords.lexicon import LABELS, Span
from ecgvec.keywords.spacy_model import SHIPPED, SpacyRecogniser, tokeniser
from ecgvec.keywords.training.sentences import KINDS, Example, expand, lists, parse, sentences, tuning_sentences
from ecgvec.keywords.training.train import Settings, digest, read_examples, scores, table

EVALUATION = Path(__file__).with_name("evaluation") / "sentences.jsonl"
JOINERS = {"and", "in", "of", "with", "or", "a", "the"}
SLOT = re.compile(r"\{([^{}]*)\}")


def test_every_slot_of_every_pattern_is_a_list_and_every_list_is_used() -> None:
    slots = {name for entries in lists().values() for entry in entries.entries for name in SLOT.findall(entry.pattern)}
    assert slots <= set(lists())
    assert set(lists()) == slots | set(KINDS) | {"word", "modifier", "distractor", "figure"}
    assert {name.split(".")[0] for name in lists() if name[:2].isupper()} == set(LABELS)


def test_every_pattern_becomes_plain_text_with_known_labels() -> None:
    for name, entries in lists().items():
        for entry in entries.entries:
            chunks = expand(entry.pattern, np.random.Generator(np.random.PCG64(1)))
            assert not re.search(r"[{}\[\]]|<.*\|", "".join(text for text, _ in chunks)), f"{name}: {entry.pattern}"
            assert {label for _, label in chunks} <= {"", *LABELS}


def test_weights_and_held_back_entries_are_drawn_as_asked() -> None:
    drawn = parse("== A\n9* often; rare", whole_lines=False)["A"]
    rng = np.random.Generator(np.random.PCG64(1))
    assert 850 < sum(drawn.draw(rng, "all") == "often" for _ in range(1000)) < 950
    held = parse("== A\n" + "; ".join(f"term {i}" for i in range(200)), whole_lines=False, may_hold_back=True)["A"]
    back = {held.draw(rng, "held back") for _ in range(500)}
    kept = {held.draw(rng, "kept") for _ in range(500)}
    assert back and kept and not back & kept


def test_sentences_are_the_same_each_time_and_all_different() -> None:
    once, again = list(sentences(400, 3)), list(sentences(400, 3))
    assert once == again
    assert len({example.text.lower() for example in once}) == 400
    assert [example.text for example in sentences(50, 4)] != [example.text for example in once[:50]]
    assert {example.kind for example in once} == set(KINDS)


def test_terms_stand_where_the_spans_say_and_unrelated_text_has_none() -> None:
    for example in sentences(600, 5):
        ends = [0]
        for span in example.spans:
            term = example.text[span.start : span.end]
            assert term and term == term.strip() and span.start >= ends[-1]
            ends.append(span.end)
        if example.kind in ("plain", "unrelated"):
            assert not example.spans


def test_nearly_all_terms_begin_and_end_with_a_token() -> None:
    spacy = pytest.importorskip("spacy")
    language = spacy.blank("en")
    language.tokenizer = tokeniser(language, scientific=False)
    whole = [
        language.make_doc(example.text).char_span(span.start, span.end) is not None
        for example in sentences(800, 6)
        for span in example.spans
    ]
    assert sum(whole) > 0.997 * len(whole)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("V1-V4", ["V1", "-", "V4"]),
        ("480ms", ["480", "ms"]),
        ("QT/QTc", ["QT", "/", "QTc"]),
        ("II,III,aVF", ["II", ",", "III", ",", "aVF"]),
        ("1st-degree", ["1st", "-", "degree"]),
        ("QRS(120 ms)", ["QRS", "(", "120", "ms", ")"]),
        ("0.12 s.", ["0.12", "s", "."]),
        ("10,000", ["10,000"]),
        ("HR<60", ["HR", "<", "60"]),
    ],
)
def test_tokens_end_where_terms_may(text: str, tokens: list[str]) -> None:
    language = pytest.importorskip("spacy").blank("en")
    language.tokenizer = tokeniser(language, scientific=False)
    assert [token.text for token in language(text)] == tokens


def test_held_back_terms_stand_in_tuning_sentences_alone() -> None:
    held = {
        entry.pattern.lower()
        for name in ("DRUG", "DEVICE")  # whose terms are not put together from pieces
        for entry in lists()[name].entries
        if entry.held_back and len(entry.pattern) > 8
    }
    patterns = "\n".join(entry.pattern for entries in lists().values() for entry in entries.entries)
    held -= {term.lower() for term in re.findall(r"\[([^|\]]+)\|", patterns)}  # written out in a pattern
    trained = {e.text[s.start : s.end].lower() for e in sentences(2500, 7, tuning=True) for s in e.spans}
    tuned = {e.text[s.start : s.end].lower() for e in tuning_sentences(600, 7) for s in e.spans}
    assert len(held & tuned) > 20
    assert not held & trained


def runs(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, ...]]:
    """Five words in a row, where at least two are neither in a term nor words that join terms.

    Others would be shared by anyone's sentences: "incomplete right bundle branch block", "leads II, III and aVF".
    """
    terms = list(spans)
    words = [(m[0], m.start()) for m in re.finditer(r"[^\W_]+", text.lower())]
    for at in range(len(words) - 4):
        five = words[at : at + 5]
        own = [w for w, start in five if w not in JOINERS and not any(s.start <= start < s.end for s in terms)]
        if len(own) >= 2:
            yield tuple(word for word, _ in five)


def test_no_five_words_in_a_row_are_shared_by_training_text_and_evaluation_sentences() -> None:
    settings = Settings()
    trained = list(sentences(settings.sentences, settings.seed))
    assert digest(trained) == json.loads((SHIPPED / "meta.json").read_text("utf-8"))["training"]["text"]
    evaluated = {run for e in read_examples(EVALUATION) for run in runs(e.text, e.spans)}
    assert len(evaluated) > 2000
    shared = {run for e in trained for run in runs(e.text, e.spans)} & evaluated
    assert not shared, f"change these patterns by hand: {sorted(shared)}"


def test_no_evaluation_sentence_is_a_training_sentence() -> None:
    settings = Settings()
    trained = {re.sub(r"\W+", " ", e.text.lower()).strip() for e in sentences(settings.sentences, settings.seed)}
    evaluated = {re.sub(r"\W+", " ", e.text.lower()).strip() for e in read_examples(EVALUATION)}
    assert not trained & evaluated


def test_scores_count_a_term_right_only_where_both_ends_and_the_label_are() -> None:
    text = "AF with LBBB and ST elevation"
    true = (Span(0, 2, "RHYTHM"), Span(8, 12, "CONDUCTION"), Span(17, 29, "ISCHEMIA"))
    found = [Span(0, 2, "RHYTHM"), Span(8, 12, "AXIS"), Span(20, 29, "ISCHEMIA")]
    result = scores([Example(text, true, "notes")], [found], known={"af"})
    assert (result.total.right, result.total.found, result.total.true) == (1, 3, 3)
    assert result.by_label["RHYTHM"].f1 == 1
    assert result.by_label["CONDUCTION"].recall == 0 and result.by_label["AXIS"].precision == 0
    assert result.total.f1 == pytest.approx(1 / 3)
    assert (result.unseen.right, result.unseen.true) == (0, 2)
    assert result.false_per_100_words("notes") == pytest.approx(100 * 2 / 6)
    assert "| RHYTHM | 1.000 | 1.000 | 1.000 | 1 |" in table({"x": result})


def test_the_command_trains_a_model_that_can_be_used_and_is_the_same_again(tmp_path: Path) -> None:
    pytest.importorskip("spacy")
    weights = []
    for name in ("one", "two"):
        arguments = ["keywords", "-o", str(tmp_path / name), "--sentences", "150", "--epochs", "2", "--seed", "3"]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        weights.append((tmp_path / name / "model" / "ner" / "model").read_bytes())
    assert weights[0] == weights[1]
    lines = [json.loads(line) for line in (tmp_path / "one" / "log.jsonl").read_text("utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[1]["total"] < lines[0]["total"]
    found = SpacyRecogniser(tmp_path / "one" / "model").spans(["Sinus rhythm, QTc 480 ms."] * 3)
    assert len(found) == 3 and found[0] == found[2]
    assert all(span.label in LABELS for span in found[0])


def test_training_with_sentences_that_all_have_cut_terms_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("spacy")
    from ecgvec.keywords.training import train

    monkeypatch.setattr(train, "sentences", lambda *_: iter([Example("LBBBs", (Span(0, 3, "CONDUCTION"),), "notes")]))
    with pytest.raises(SourceError, match="too few"):
        train.train(tmp_path, train.Settings(sentences=1, epochs=1))
