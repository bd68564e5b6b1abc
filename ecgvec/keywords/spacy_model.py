"""Terms found by a spaCy model, and the tokeniser that it is trained with."""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ecgvec.errors import SourceError, nearest, one_line
from ecgvec.keywords.lexicon import LABELS, Recogniser, Span
from ecgvec.keywords.match import LexiconRecogniser, longest
from ecgvec.keywords.words import words

SHIPPED = Path(__file__).with_name("model")
OWN_NAME = "ecgvec_keywords"
_BATCH = 64  # texts


class SpacyRecogniser:
    """A spaCy pipeline as a recogniser of terms; it is loaded with the first text.

    ``model`` is the name of an installed pipeline or the folder of one, None the one that ships with ecgvec. An entity
    that the lexicon holds takes the lexicon's label. One whose label is none of this project's, as those of
    ``en_core_sci_md``, is left out where the lexicon has none. With pipelines that ecgvec trained, tokens are cut by
    scispaCy's rules where that is installed, and a lone entity where the lexicon finds nothing in a text is left out.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        self._model = model
        self._language: Any = None
        self.name = "ecgvec 1 (spaCy)" if model is None else str(model)

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """The terms of each text; SourceError where the pipeline is not installed, or finds no entities at all."""
        language = self._loaded()
        found = [_labelled(document) for document in language.pipe(texts, batch_size=_BATCH)]
        return _in_context(texts, found) if _is_own(language) else found

    def _loaded(self) -> Any:
        if self._language is None:
            self._language = _load(SHIPPED if self._model is None else self._model)
            if _is_own(self._language) and importlib.util.find_spec("scispacy"):
                self._language.tokenizer = tokeniser(self._language, scientific=True)
        return self._language


def _is_own(language: Any) -> bool:
    """Whether a pipeline was trained by `ecgvec train keywords`."""
    return bool(language.meta.get("name") == OWN_NAME)


def _labelled(document: Any) -> list[Span]:
    """A document's entities with labels of this project: the lexicon's for what it holds word for word, else the
    pipeline's own; an entity of a foreign label that the lexicon does not know is left out."""
    spans = []
    for entity in document.ents:
        ours = entity.label_ in LABELS
        label = _lexicon_label(entity.text, whole=ours) or (entity.label_ if ours else "")
        if label:
            spans.append(Span(entity.start_char, entity.end_char, label))
    return spans


def _in_context(texts: Sequence[str], found: list[list[Span]]) -> list[list[Span]]:
    """The spans, without those that stand alone in a text in which the lexicon finds nothing: one word that looks like
    a term in a text about something else."""
    alone = [place for place, spans in enumerate(found) if len(spans) == 1]
    of_lexicon = LexiconRecogniser().spans([texts[place] for place in alone])
    for place, spans in zip(alone, of_lexicon, strict=True):
        if not spans:
            found[place] = []
    return found


def _load(model: str | Path) -> Any:
    """The pipeline, without the parts that need not run to find entities."""
    import spacy

    try:
        language = spacy.load(model)
    except OSError as error:
        if Path(model).exists():
            raise SourceError(f"{model} is not a spaCy pipeline: {one_line(error)}") from error
        hint = nearest(str(model), spacy.util.get_installed_models())
        missing = f"--nlp-model {model}: no such spaCy pipeline is installed and no such folder exists{hint}"
        raise SourceError(missing) from error
    if not {"ner", "beam_ner", "entity_ruler", "span_ruler"} & set(language.pipe_names):
        parts = ", ".join(language.pipe_names) or "no parts"
        raise SourceError(
            f"--nlp-model {model}: this pipeline finds no entities (it has {parts}); choose one with 'ner'"
        )
    return language


@cache
def _lexicon_label(text: str, whole: bool) -> str:
    """The label of the wording of the lexicon that makes up a text (or, unless ``whole``, most of it); else nothing."""
    text_words = words(text)
    for at, first in enumerate(text_words):
        match = longest(text, text_words, at)
        if match is None or match[1].concept is None:
            continue
        length = text_words[at + match[0] - 1].end - first.start
        if length == len(text) or (not whole and 2 * length > len(text)):
            return match[1].concept.label
    return ""


def default_recogniser(model: str | None = None) -> tuple[Recogniser, list[str]]:
    """The recogniser to use, and messages: spaCy with the shipped pipeline or with ``model``; without spaCy the
    lexicon, and a message that says so."""
    if importlib.util.find_spec("spacy") is not None:
        return SpacyRecogniser(model), []
    if model is not None:
        raise SourceError(f"--nlp-model {model}: spaCy is not installed: pip install 'ecgvec[nlp]'")
    message = "spaCy is not installed, so only the terms of the lexicon are found: pip install 'ecgvec[nlp]'"
    return LexiconRecogniser(), [message]


# Cut between letters or digits at these, and at commas but for those within a number.
_INFIXES = (
    r"(?<=\w)[-‐‑–—](?=\w)",
    r"(?<=[\w°%.'’)])[/+=|~&;<>≥≤→↑↓(](?=[\w(+\-<>])",
    r"(?<=[^\W\d]),(?=\w)",
    r"(?<=\w),(?=[^\W\d])",
    r"(?<=[^\W\d]):(?=[\w+\-])",
    r"(?<=\d)(?=(?i:ms|msecs?|secs?|s|mm|mv|bpm|mg|mcg|g|hz|cm)(?!\w))",
)
# Units that the rules for English take for initials and titles at a sentence's end.
_NOT_WHOLE = re.compile(r"[a-z]\.|(?i:ms|sec|min)\.")
_PREFIXES = (r"[~≈<>≥≤±↑↓→/=|*]", r"[-+](?=[^\W\d])", r"[–—-]$")
_SUFFIXES = (r"\.", r"[°↑↓→/=|+*~]", r"(?<=\w)-", r"(?<=\d)(?i:ms|msec|sec|mm|mv|bpm|mg|mcg|hz)")


def tokeniser(language: Any, scientific: bool) -> Any:
    """A tokeniser for the new spaCy pipeline ``language``: the rules of this module added to spaCy's own for English,
    or, with ``scientific``, to scispaCy's for scientific text (scispaCy has to be installed)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Possible set union", FutureWarning)  # of the rules of scispaCy
        tokenizer = _scientific(language) if scientific else language.tokenizer
        before = "|".join(f"^(?:{pattern})" for pattern in _PREFIXES)
        after = "|".join(f"(?:{pattern})$" for pattern in _SUFFIXES)
        tokenizer.prefix_search = re.compile(f"{_pattern(tokenizer.prefix_search)}|{before}").search
        tokenizer.suffix_search = re.compile(f"{_pattern(tokenizer.suffix_search)}|{after}").search
        tokenizer.infix_finditer = re.compile(f"{_pattern(tokenizer.infix_finditer)}|{'|'.join(_INFIXES)}").finditer
    tokenizer.rules = {word: rule for word, rule in tokenizer.rules.items() if not _NOT_WHOLE.fullmatch(word)}
    return tokenizer


def _scientific(language: Any) -> Any:
    return importlib.import_module("scispacy.custom_tokenizer").combined_rule_tokenizer(language)


def _pattern(method: Any) -> str:
    """The pattern of which ``method`` is a bound method."""
    return str(method.__self__.pattern)
