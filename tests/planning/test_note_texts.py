"""What notes say: of the record's diagnoses, against them, from a text; and that each says where it is from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ecgvec
from ecgvec.errors import RecipeError, SourceError
from ecgvec.keywords.diagnoses import contradict, notes_of
from ecgvec.keywords.lexicon import load_lexicon
from ecgvec.planning.make import make_plans
from ecgvec.planning.model import PlannedNote
from ecgvec.planning.note_texts import remarks, with_terms
from ecgvec.recipe.distributions import Constant
from ecgvec.recipe.options import FoundTerm, NotesOptions
from ecgvec.recipe.recipe import load_mix, load_recipe
from ecgvec.record.model import Record
from ecgvec.rng import stream
from tests.export.native import document

AF, LBBB, LVH, SINUS = "164889003", "164909002", "164873001", "426783006"
KEYS = (0, "r#0", 0)
TERMS = [{"text": f"term{i}", "label": "RHYTHM", "count": 100 if i < 2 else 1} for i in range(20)]
NOTES = {"notes.probability": 1, "notes.words": 3, "page.dpi": 60}


def options(**keys: Any) -> NotesOptions:
    return NotesOptions.model_validate(keys)


def with_dx(record: Record, *codes: str) -> Record:
    return replace(record, subject=replace(record.subject, dx=codes))


def planned(record: Record, recipe: ecgvec.Recipe, seed: int = 0) -> tuple[list[PlannedNote], tuple[str, ...]]:
    made = make_plans(record, recipe, seed=seed)
    return list(made.plans[0].notes), made.messages


def texts_of(code: str) -> set[str]:
    """All ways in which a diagnosis is written."""
    return {note.text for seed in range(60) for note in notes_of([code], stream(seed, "x", 0, "y"))}


@pytest.mark.usefixtures("plain_hand")
def test_notes_on_the_record_s_own_diagnoses(demo_record: Record) -> None:
    recipe = load_recipe("clean", NOTES | {"notes.content": "from-dx"})
    seen = set()
    for seed in range(4):
        notes, _ = planned(with_dx(demo_record, AF, LBBB), recipe, seed)
        assert {note.origin.code for note in notes} == {AF, LBBB}, "two diagnoses make two notes, not three"
        assert all(note.text in texts_of(str(note.origin.code)) and note.origin.how == "from-dx" for note in notes)
        seen |= {note.text for note in notes}
    assert len(seen) > 2, "the same diagnosis is written in several ways"


def test_a_record_without_diagnoses_has_no_notes_on_them(demo_record: Record) -> None:
    for content in ("from-dx", "contradict"):
        notes, messages = planned(with_dx(demo_record), load_recipe("clean", NOTES | {"notes.content": content}))
        assert notes == [] and any("no diagnosis codes" in message for message in messages)


@pytest.mark.usefixtures("plain_hand")
def test_notes_that_contradict_the_record(demo_record: Record) -> None:
    recipe = load_recipe("clean", NOTES | {"notes.content": "contradict"})
    for seed in range(6):
        notes, _ = planned(with_dx(demo_record, AF, LBBB), recipe, seed)
        against = {note.text for note in contradict([AF, LBBB], stream(seed, "z", 0, "z"))}
        assert len(notes) == 3 and all(note.origin.how == "contradict" for note in notes)
        codes = {note.origin.code for note in notes}
        assert not codes & {AF, LBBB} and against
        assert all(code is None or code in load_lexicon().by_code() for code in codes)


def test_terms_of_a_text_frequent_ones_first() -> None:
    drawn = [remarks(options(terms=TERMS), 2, (), (seed, "r#0", 0)).texts for seed in range(200)]
    assert all(len({text for text, _ in pair}) == 2 for pair in drawn)
    frequent = sum(text in ("term0", "term1") for pair in drawn for text, _ in pair) / 400
    assert 0.4 < frequent < 0.75
    assert {origin.how for pair in drawn for _, origin in pair} == {"from-text"}
    assert len(remarks(options(terms=TERMS), 50, (), KEYS).texts) == 20, "no term twice"


def test_mixed_notes_are_of_both() -> None:
    made = [remarks(options(terms=TERMS, content="mixed"), 3, (AF, LBBB, LVH), (seed, "r", 0)) for seed in range(20)]
    hows = [origin.how for one in made for _, origin in one.texts]
    assert 0.3 < hows.count("from-dx") / len(hows) < 0.7 and set(hows) == {"from-dx", "from-text"}
    alone = remarks(options(terms=TERMS, content="mixed"), 3, (), KEYS).texts
    assert {origin.how for _, origin in alone} == {"from-text"} and len(alone) == 3


def test_random_remarks_are_as_before_and_a_content_can_be_drawn() -> None:
    assert remarks(options(), 3, (AF,), KEYS) == remarks(options(content="random"), 3, (AF,), KEYS)
    both = options(content={"choice": ["random", "from-dx"]})
    hows = {remarks(both, 1, (AF,), (seed, "r", 0)).texts[0][1].how for seed in range(20)}
    assert hows == {"random", "from-dx"}


def test_the_json_says_where_notes_are_from(demo_record: Record) -> None:
    recipe = load_recipe("clean", NOTES | {"notes.content": "from-dx"})
    sheet = ecgvec.render(with_dx(demo_record, SINUS), recipe)
    (note,) = document(sheet)["plan"]["notes"]
    assert note["origin"] == {"how": "from-dx", "source": None, "label": None, "code": SINUS}


def test_a_text_is_read_once_and_its_name_is_told_without_its_folder(
    tmp_path: Path, demo_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "private" / "terms.txt"
    text.parent.mkdir()
    text.write_text("Atrial fibrillation with left bundle branch block. Atrial fibrillation again.")
    recipe, messages = with_terms(load_recipe("clean", NOTES | {"notes.source": str(text)}))
    assert recipe.notes.terms and not [m for m in messages if "no term" in m]
    text.unlink()
    notes, _ = planned(demo_record, recipe)
    assert len(notes) == 2 and {note.origin.label for note in notes} == {"RHYTHM", "CONDUCTION"}
    assert {note.origin.source for note in notes} == {"terms.txt"}
    again, _ = planned(demo_record, load_recipe("clean", NOTES | {"notes.source": str(text)}))
    assert again == notes, "the same process has read it already"


def test_a_source_that_cannot_be_read(tmp_path: Path, demo_record: Record) -> None:
    recipe = load_recipe("clean", NOTES | {"notes.source": str(tmp_path / "missing.txt")})
    with pytest.raises(SourceError, match=r"missing\.txt"):
        with_terms(recipe)
    with pytest.raises(SourceError, match=r"missing\.txt"):
        make_plans(demo_record, recipe)
    forgiven, messages = with_terms(recipe, forgiving=True)
    assert "missing.txt" in messages[0] and "built-in list" in messages[0]
    assert {note.origin.how for note in planned(demo_record, forgiven)[0]} == {"random"}


def test_recipes_of_a_mix_have_their_own_terms(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("Sinus bradycardia and first degree AV block.")
    mix = load_mix({"clean": 1, "everything": 1}, {"notes.source": str(text)})
    resolved, _ = with_terms(mix)
    by_name = {part.name: part.recipe.notes for part in resolved.mix}
    assert by_name["everything"].terms and by_name["clean"].terms is None, "a recipe without notes reads no text"


def test_bad_contents_are_refused() -> None:
    for keys, match in (
        ({"notes.content": "dx"}, "notes.content is 'dx': write random, from-dx"),
        ({"notes.content": "from-text"}, "notes.source names no text"),
        ({"notes.content": {"choice": ["random", "mixed"]}}, "notes.content is 'mixed' and notes.source"),
        ({"notes.source": ""}, "notes.source"),
        ({"notes.terms": [{"text": "", "label": "RHYTHM"}]}, "notes.terms holds .*: write"),
        ({"notes.terms": [{"text": "AF", "label": "rhythm"}]}, "with a label of RHYTHM"),
        ({"notes.terms": "AF"}, "notes.terms holds 'AF'"),
    ):
        with pytest.raises(RecipeError, match=match):
            load_recipe("clean", keys)


def test_terms_are_drawn_by_their_own_streams() -> None:
    drawn = Constant(value="random")
    assert options(content=drawn).content == drawn
    assert FoundTerm(text="AF", label="RHYTHM").count == 1
