"""The characters that the model can write, and their numbers."""

from __future__ import annotations

import string
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


def padded(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of several texts, all as long as the longest: rows of one matrix."""
    rows = [encode(text) for text in texts]
    longest = max(map(len, rows), default=0)
    return [row + [PAD] * (longest - len(row)) for row in rows]
