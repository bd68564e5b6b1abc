"""How text is cut into tokens, so that the ends of terms are ends of tokens: ``V1-V4``, ``480ms``, ``QT/QTc``."""

from __future__ import annotations

import importlib
import re
import warnings
from typing import Any

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
