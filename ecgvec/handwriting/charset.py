"""The characters that can be written, and how other ones are spelt with them."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence

CHARACTERS = "".join(map(chr, range(0x20, 0x7F)))  # all printable ASCII, the space first
PAD, END = 0, len(CHARACTERS) + 1  # 0 fills up short texts, END follows the last character
SIZE = END + 1

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
PUNCTUATION = string.punctuation

_NUMBERS = {character: number for number, character in enumerate(CHARACTERS, start=1)}


def encode(text: str) -> list[int]:
    """The numbers of ``text``'s characters, END last; KeyError for a character that the model has not."""
    return [*(_NUMBERS[character] for character in text), END]


def pad_texts(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of several texts, all as long as the longest: rows of one matrix."""
    rows = [encode(text) for text in texts]
    longest = max(map(len, rows), default=0)
    return [row + [PAD] * (longest - len(row)) for row in rows]


# What Unicode's own decompositions do not know, or would take for something else.
_KNOWN = {
    "µ": "u", "μ": "u", "±": "+/-", "°": " deg ", "℃": " deg C", "℉": " deg F", "≥": ">=", "≤": "<=", "≠": "!=",
    "≈": "~", "∼": "~", "×": "x", "÷": "/", "·": ".", "•": "*", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-",
    "‘": "'", "’": "'", "‚": ",", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"', "«": '"', "»": '"', "…": "...",
    "→": "->", "←": "<-", "↑": "up ", "↓": "down ", "Δ": "delta ", "∆": "delta ", "α": "alpha", "β": "beta",
    "√": "v", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
    "Đ": "D", "ð": "d", "þ": "th", "ı": "i", "€": "EUR", "£": "GBP", "Ω": "Ohm", "⁄": "/", "∅": "0", "¼": "1/4",
    "½": "1/2", "¾": "3/4", "№": "No.", "✓": "v", "∞": "inf",
}  # fmt: skip


def transliterate(text: str) -> tuple[str, list[str]]:
    """(text in printable ASCII, a message for each character changed or left out).

    Line breaks and tabs are spaces, spaces in a row are one; the result may be empty.
    """
    parts: list[str] = []
    messages: dict[str, None] = {}  # each once, in order
    for character in unicodedata.normalize("NFC", text):
        if character in CHARACTERS:
            parts.append(character)
        elif character.isspace():
            parts.append(" ")
        else:
            plain = _plain(character)
            parts.append(plain)
            name = f"'{character}'" if character.isprintable() else f"U+{ord(character):04X}"
            said = f"is written '{plain.strip()}'" if plain else "cannot be written and is left out"
            messages[f"{name} {said}"] = None
    return " ".join("".join(parts).split()), list(messages)


def _plain(character: str) -> str:
    if character in _KNOWN:
        return _KNOWN[character]
    parts = unicodedata.normalize("NFKD", character)
    return "".join(c for c in parts if c in CHARACTERS)
