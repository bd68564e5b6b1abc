"""Training of the spaCy model, and its score on sentences that it has not seen."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ecgvec.errors import SourceError
from ecgvec.keywords.lexicon import LABELS, Recogniser, Span
from ecgvec.keywords.spacy_model import OWN_NAME, tokeniser
from ecgvec.keywords.training.sentences import Example, sentences, tuning_sentences
from ecgvec.rng import stream

MODEL, LOG = "model", "log.jsonl"
_TUNING_SENTENCES = 600
_CHECKED = 600  # sentences of the training's own kind by which an epoch is judged, none of them trained with
_BATCH = 16
_WARM_UP = 0.05
VERSION = "1"

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Settings:
    """How to train. ``tuning`` keeps an eighth of the terms out of training, to see how well unknown terms are found.

    ``width`` and ``depth`` are those of the convolutions, ``rows`` the size of the table of words.
    """

    sentences: int = 12_000
    epochs: int = 9
    seed: int = 7
    tuning: bool = False
    width: int = 96
    depth: int = 4
    rows: int = 3_000
    rate: float = 1e-3
    dropout: float = 0.2


def train(out: Path, settings: Settings = Settings(), report: Report | None = None) -> Path:
    """Write the training text, train, and write the model: the path of the model's folder in ``out``.

    ``out`` also gets ``log.jsonl``, a line an epoch; ``report`` is given each. On one machine, with one version of
    spaCy, equal settings give equal weights, bit for bit. spaCy draws from Python's and NumPy's global random state,
    which is seeded here.
    """
    out.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):  # more threads would add in another order
        run = _Run(settings)
        lines = []
        for line in run.epochs():
            lines.append(json.dumps(line))
            (out / LOG).write_text("\n".join(lines) + "\n", encoding="utf-8")
            if report is not None:
                report(line)
        return run.write(out / MODEL)


def digest(text: Iterable[Example]) -> str:
    """A fingerprint of a training text: the model's meta.json has that of the text it was trained with."""
    lines = (json.dumps([example.text, example.spans]) for example in text)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def new_pipeline(settings: Settings) -> Any:
    """An untrained spaCy pipeline of this project's tokeniser and one recogniser of terms."""
    import spacy

    language = spacy.blank("en")
    language.tokenizer = tokeniser(language, scientific=False)
    embedding = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": settings.width,
        "depth": settings.depth,
        "embed_size": settings.rows,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
    }
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": embedding,
    }
    recogniser: Any = language.add_pipe("ner", config={"model": parser})
    for label in LABELS:
        recogniser.add_label(label)
    return language


class _Run:
    """One training: the pipeline, its examples and the clock."""

    def __init__(self, settings: Settings) -> None:
        from thinc.api import fix_random_seed

        self._settings = settings
        self._since = time.monotonic()
        self._language = new_pipeline(settings)
        text = list(sentences(settings.sentences, settings.seed, settings.tuning))
        self._known = {example.text[span.start : span.end].lower() for example in text for span in example.spans}
        self._digest = digest(text)
        self._examples = self._made(text)
        number = min(_CHECKED, settings.sentences)
        self._checked = list(sentences(number, settings.seed + 1, settings.tuning))
        tuned = tuning_sentences(_TUNING_SENTENCES, settings.seed) if settings.tuning else ()
        self._tuned = list(tuned)
        fix_random_seed(settings.seed)
        self._optimiser: Any = self._language.initialize(lambda: self._examples[:200])

    def _made(self, examples: Iterable[Example]) -> list[Any]:
        """The examples as spaCy's, without those in which a term ends within a token."""
        from spacy.training import Example as SpacyExample

        made = []
        for example in examples:
            document = self._language.make_doc(example.text)
            if all(document.char_span(span.start, span.end) is not None for span in example.spans):
                made.append(SpacyExample.from_dict(document, {"entities": [tuple(span) for span in example.spans]}))
        if not made:
            raise SourceError(f"no sentence to train with: --sentences {self._settings.sentences} is too few")
        return made

    def epochs(self) -> Iterator[dict[str, Any]]:
        """Train; a line for the log after each epoch."""
        settings = self._settings
        steps = settings.epochs * (len(self._examples) // _BATCH + 1)
        step = 0
        for epoch in range(1, settings.epochs + 1):
            order = stream(settings.seed, "keywords", epoch, "training/order").permutation(len(self._examples))
            losses: dict[str, float] = {}
            for start in range(0, len(order), _BATCH):
                self._optimiser.learn_rate = settings.rate * _part_of_rate(step / steps)
                batch = [self._examples[index] for index in order[start : start + _BATCH]]
                self._language.update(batch, drop=settings.dropout, sgd=self._optimiser, losses=losses)
                step += 1
            line = {"epoch": epoch, "total": round(float(losses["ner"]) / len(order), 4)} | self._figures()
            yield {**line, "seconds": round(time.monotonic() - self._since, 1)}

    def _figures(self) -> dict[str, float]:
        with self._language.use_params(self._optimiser.averages):
            figures = {"f1": round(self._scored(self._checked).total.f1, 4)}
            if self._tuned:
                tuned = self._scored(self._tuned)
                figures |= {
                    "tuning_f1": round(tuned.total.f1, 4),
                    "tuning_recall_unseen": round(tuned.unseen.recall, 4),
                }
        return figures

    def _scored(self, examples: Sequence[Example]) -> Scores:
        found = [document_spans(document) for document in self._language.pipe(example.text for example in examples)]
        return scores(examples, found, self._known)

    def write(self, folder: Path) -> Path:
        """Write the pipeline with its mean weights. The vocabulary is left out: it holds nothing that is learnt."""
        settings = asdict(self._settings) | {"text": self._digest}
        self._language.meta |= {
            "name": OWN_NAME,
            "version": VERSION,
            "description": "Terms of electrocardiography, trained on text written for ecgvec",
            "license": "Apache-2.0",
            "author": "ecgvec",
            "training": settings,
        }
        with self._language.use_params(self._optimiser.averages):
            self._language.to_disk(folder, exclude=["vocab"])
        return folder


def _part_of_rate(done: float) -> float:
    """The learning rate as a part of the highest: up in a line, then down in a line to a fiftieth."""
    return min(done / _WARM_UP, 1.0) * (1 - 0.98 * done)


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


def score_recogniser(recogniser: Recogniser, examples: Sequence[Example], known: Collection[str] = ()) -> Scores:
    """The scores of a recogniser on sentences whose terms are known."""
    return scores(examples, recogniser.spans([example.text for example in examples]), known)
