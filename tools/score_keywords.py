"""How well keywords are found in sentences whose terms are known: the tables of docs/keywords.md.

    python tools/score_keywords.py [--nlp-model NAME]

The sentences are those of tests/keywords/evaluation, which no model was trained with.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ecgvec.keywords.lexicon import Recogniser, Span
from ecgvec.keywords.match import LexiconRecogniser
from ecgvec.keywords.spacy_model import SpacyRecogniser
from ecgvec.keywords.training.train import Scores, read_examples, score_recogniser, table

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "keywords" / "evaluation"


def rare_recall(recogniser: Recogniser) -> float:
    """The part found of the terms that the set's author marked as ones that few lexicons hold."""
    rows = [json.loads(line) for line in (FOLDER / "sentences.jsonl").read_text("utf-8").splitlines()]
    rare = [json.loads(line) for line in (FOLDER / "rare.jsonl").read_text("utf-8").splitlines()]
    found = dict(zip((row["id"] for row in rows), recogniser.spans([row["text"] for row in rows]), strict=True))
    return sum(Span(row["start"], row["end"], row["label"]) in found[row["id"]] for row in rare) / len(rare)


def by_kind(columns: dict[str, Scores]) -> str:
    """A Markdown table: a row a kind of text."""
    lines = ["| Text | " + " | ".join(f"{name}: F1 | false terms in 100 words" for name in columns) + " |"]
    lines.append("|---" * (2 * len(columns) + 1) + "|")
    for kind in next(iter(columns.values())).by_kind:
        cells = [kind]
        for result in columns.values():
            f1 = f"{result.by_kind[kind].f1:.3f}" if result.by_kind[kind].true else "-"
            cells += [f1, f"{result.false_per_100_words(kind):.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nlp-model", help="a spaCy pipeline in the place of the shipped one")
    model = SpacyRecogniser(parser.parse_args().nlp_model)
    recognisers: dict[str, Recogniser] = {"model": model, "lexicon alone": LexiconRecogniser()}
    examples = read_examples(FOLDER / "sentences.jsonl")
    columns = {name: score_recogniser(recogniser, examples) for name, recogniser in recognisers.items()}
    print(table(columns), by_kind(columns), sep="\n\n")
    for name, recogniser in recognisers.items():
        print(f"\n{name}: recall of rare terms {rare_recall(recogniser):.3f}")


if __name__ == "__main__":
    main()
