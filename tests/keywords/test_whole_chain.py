"""From a page on a server to the labels of an image: the same words all the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecgvec
from ecgvec.errors import SourceError
from ecgvec.handwriting import Writer
from ecgvec.planning.make import make_plans
from ecgvec.planning.note_texts import with_terms
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from tests.batch.runs import write_record
from tests.conftest import Run
from tests.export.native import document
from tests.keywords.server import Answer, Site, site

PAGE = b"""<html><head><title>x</title><script>var ventricularTachycardia = 1</script></head><body>
<nav>atrial flutter</nav><p>On the first day the ECG showed <b>atrial fibrillation</b> with a left bundle branch block
(LBBB); after amiodarone there was sinus rhythm, and the LBBB had gone.</p></body></html>"""
FOUND = {"RHYTHM", "CONDUCTION", "DRUG"}


@pytest.fixture
def served() -> Iterator[Site]:
    with site() as running:
        running.add("/ecg", Answer(PAGE))
        yield running


def test_words_of_a_page_are_written_and_labelled(served: Site, demo_record: Record) -> None:
    keys = {"notes.probability": 1, "notes.words": 3, "notes.source": f"{served.base}/ecg", "notes.allow_private": True}
    recipe, messages = with_terms(load_recipe("clean", keys | {"page.dpi": 100, "notes.place": "free"}))
    terms = {term.text: term.label for term in recipe.notes.terms or ()}
    assert set(terms.values()) == FOUND and not any("ventricular" in text for text in terms), messages
    assert "AFL" not in terms and not any("flutter" in text for text in terms)
    seen: set[str] = set()
    for seed in range(3):
        sheet = ecgvec.render(demo_record, recipe, seed=seed)
        read = document(sheet)
        planned = [note["text"] for note in read["plan"]["notes"]]
        labelled = [text["text"] for text in read["labels"]["texts"] if text["role"] == "note"]
        assert planned == labelled and len(labelled) == 3 and set(labelled) <= set(terms)
        for note in read["plan"]["notes"]:
            assert note["origin"] == {
                "how": "from-text", "source": f"{served.base}/ecg", "label": terms[note["text"]], "code": None,
            }  # fmt: skip
        characters = [text["characters"] for text in read["labels"]["texts"] if text["role"] == "note"]
        for text, rings in zip(labelled, characters, strict=True):
            assert "".join(ring["character"] for ring in rings) == text.replace(" ", "")
        seen |= set(labelled)
    assert len(seen) > 3
    assert len(served.seen) == 1, "a page is fetched once, not once an image"


def test_a_batch_fetches_a_page_once(served: Site, tmp_path: Path, ecgvec_run: Run) -> None:
    for name in ("a", "b", "c"):
        write_record(tmp_path / "in", name, 10)
    flags = ["-r", "60", "--formats", "png,json", "--workers", "2", "--hw_text", "-l", f"{served.base}/ecg"]
    done = ecgvec_run("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", *flags, "--allow-private")
    assert done.returncode == 0, done.stderr
    assert len(served.seen) == 1
    notes = [
        note for path in (tmp_path / "out").glob("?-0.json") for note in json.loads(path.read_text())["plan"]["notes"]
    ]
    assert len(notes) >= 3 and {note["origin"]["how"] for note in notes} == {"from-text"}


def test_a_batch_goes_on_without_its_page_and_a_single_record_does_not(tmp_path: Path, ecgvec_run: Run) -> None:
    write_record(tmp_path / "in", "a", 10)
    flags = ["-r", "60", "--formats", "png,json", "--hw_text", "-l", "http://127.0.0.1:9/ecg"]
    done = ecgvec_run("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", *flags)
    assert done.returncode == 0 and "--allow-private" in done.stdout and "built-in list instead" in done.stdout
    (note, *_) = json.loads((tmp_path / "out/a-0.json").read_text())["plan"]["notes"]
    assert note["origin"]["how"] == "random"
    alone = ecgvec_run("single", "-i", tmp_path / "in" / "a", "-o", tmp_path / "one", *flags)
    assert alone.returncode == 2 and "http://127.0.0.1:9/ecg" in alone.stderr and len(alone.stderr.splitlines()) == 1


def test_no_page_is_fetched_and_no_model_loaded_without_need(
    demo_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError("read without need")

    monkeypatch.setattr("ecgvec.keywords.sources.read_source", refuse)
    off = load_recipe("clean", {"notes.source": "http://127.0.0.1:9/never", "page.dpi": 50})
    assert with_terms(off) == (off, [])
    make_plans(demo_record, off)
    on = load_recipe("clean", {"notes.source": "http://127.0.0.1:9/refused", "notes.probability": 1})
    monkeypatch.undo()
    with pytest.raises(SourceError, match="allow-private"):
        make_plans(demo_record, on)
    assert Writer().able("AF")
