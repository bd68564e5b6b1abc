"""Handwriting: a recurrent network that writes notes as pen strokes, and the corpus and training behind it.

    notes = ecgvec.handwriting.Writer().write(["LBBB", "72 bpm"], style=3, bias=0.7, seed=5)

Importing this package imports nothing else: the network's modules are loaded with the first `Writer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgvec.handwriting.writer import Note, Writer

__all__ = ["Note", "Writer"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ecgvec.handwriting import writer

        return getattr(writer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
