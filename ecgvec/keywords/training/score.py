"""How well a recogniser finds terms: precision, recall and F1 by label, on sentences whose terms are known."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgvec.keywords.terms import LABELS, Recogniser, Span
from ecgvec.keywords.training.sentences import Example


@dataclass
class Figures:
    """Counts of terms. A term is right where its first character, its last and its label are."""

    right: int = 0
    found: int = 0
    true: int = 0

    @property
    def precision(self) -> float:
        """The part of what was found that is right; 0 where nothing was."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The part of the true terms that was found; 0 where there are none."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.found + self.true
        return 2 * self.right / both if both else 0.0

    def add(self, right: bool, found: bool, true: bool) -> None:
        """Count one term."""
        self.right += right
        self.found += found
        self.true += true


@dataclass
class Scores:
    """Figures in all, by label, by kind of text, and of the terms that are not among the known ones (recall alone)."""

    total: Figures = field(default_factory=Figures)
    by_label: dict[str, Figures] = field(default_factory=lambda: {label: Figures() for label in LABELS})
    by_kind: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    words_by_kind: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unseen: Figures = field(default_factory=Figures)

    def false_per_100_words(self, kind: str) -> float:
        """How many terms were found that are none, for every hundred words of a kind of text."""
        figures = self.by_kind[kind]
        return 100 * (figures.found - figures.right) / max(1, self.words_by_kind[kind])


def scores(examples: Sequence[Example], found: Sequence[Sequence[Span]], known: Collection[str] = ()) -> Scores:
    """Compare what was ``found`` in each example's text with its terms. ``known`` are the terms, in lower case, that do
    not count as unseen."""
    result = Scores()
    for example, spans in zip(examples, found, strict=True):
        result.words_by_kind[example.kind] += len(example.text.split())
        theirs, ours = set(spans), set(example.spans)
        for span in sorted(theirs | ours):
            right, is_found, is_true = span in theirs & ours, span in theirs, span in ours
            for figures in (result.total, result.by_label[span.label], result.by_kind[example.kind]):
                figures.add(right, is_found, is_true)
            if is_true and example.text[span.start : span.end].lower() not in known:
                result.unseen.add(right, right, True)
    return result


def document_spans(document: Any) -> list[Span]:
    """The entities of a spaCy document."""
    return [Span(entity.start_char, entity.end_char, entity.label_) for entity in document.ents]


def table(columns: dict[str, Scores]) -> str:
    """A Markdown table: a row a label, and for each recogniser its precision, recall and F1."""
    names = list(columns)
    lines = ["| Label | " + " | ".join(f"{name}: precision | recall | F1" for name in names) + " | terms |"]
    lines.append("|---" * (3 * len(names) + 2) + "|")
    for label in (*LABELS, "all"):
        cells = [label]
        for name in names:
            figures = columns[name].total if label == "all" else columns[name].by_label[label]
            cells += [f"{figures.precision:.3f}", f"{figures.recall:.3f}", f"{figures.f1:.3f}"]
        cells.append(str(figures.true))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_examples(path: Path) -> list[Example]:
    """The sentences of a JSON Lines file, each with ``text``, ``kind`` and ``entities``: start, end and label."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [Example(row["text"], tuple(Span(*entity) for entity in row["entities"]), row["kind"]) for row in rows]


def scored(recogniser: Recogniser, examples: Sequence[Example], known: Collection[str] = ()) -> Scores:
    """The scores of a recogniser on sentences whose terms are known."""
    return scores(examples, recogniser.spans([example.text for example in examples]), known)
