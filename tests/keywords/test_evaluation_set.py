"""The kept-apart sentences are what their guide says: offsets, labels, kinds and numbers."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

SET = Path(__file__).resolve().parent / "evaluation"
LABELS = {
    "RHYTHM", "CONDUCTION", "ISCHEMIA", "HYPERTROPHY", "AXIS", "INTERVAL", "MEASURE", "LEAD", "DRUG", "DEVICE",
    "SYMPTOM",
}  # fmt: skip


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SET / name).read_text(encoding="utf-8").splitlines()]


def test_entities_are_whole_words_without_overlap() -> None:
    for row in rows("sentences.jsonl"):
        text, last = row["text"], 0
        for start, end, label in row["entities"]:
            assert last <= start < end <= len(text) and label in LABELS, row["id"]
            mention = text[start:end]
            assert mention.strip() == mention and not re.match(r"(the|an)\s|a\s(?!flutter)", mention), row["id"]
            around = text[max(0, start - 1) : start] + text[end : end + 1]
            assert not any(c.isalnum() for c in around), (row["id"], mention)
            last = end


def test_there_is_enough_of_each_kind() -> None:
    found = rows("sentences.jsonl")
    kinds = Counter(row["kind"] for row in found)
    assert len(found) >= 200 and set(kinds) == {"report", "prose", "note", "unrelated"} and min(kinds.values()) >= 50
    assert len({row["id"] for row in found}) == len({row["text"].lower() for row in found}) == len(found)
    assert sum(len(row["text"].split()) for row in found if row["kind"] == "unrelated") >= 900
    assert not any(row["entities"] for row in found if row["kind"] == "unrelated")
    labels = Counter(label for row in found for *_, label in row["entities"])
    assert set(labels) == LABELS and min(labels.values()) >= 35


def test_rare_terms_are_mentions_of_the_set() -> None:
    by_id = {row["id"]: row for row in rows("sentences.jsonl")}
    found = rows("rare.jsonl")
    assert len(found) >= 120
    for rare in found:
        row = by_id[rare["id"]]
        assert [rare["start"], rare["end"], rare["label"]] in row["entities"]
        assert row["text"][rare["start"] : rare["end"]] == rare["text"]
