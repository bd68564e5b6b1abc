"""Write the tables of docs/effects.md and docs/marks.md: every kind with its keys, from the parts' models.

python tools/make_part_docs.py [-o FOLDER]

A table stands between ``<!-- table NAME -->`` and ``<!-- end of table -->``; what stands around it is left as it is.
What a kind is comes from the first paragraph of its class's docstring, its keys from the class's Fields.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from ecgvec.components import Part
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import Capture, Light, OnPaper, Surroundings
from ecgvec.marks import MARKS
from ecgvec.marks.base import AddedMark, PenFault
from ecgvec.marks.pointing import HandDrawn
from ecgvec.recipe.toml import describe

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("effects.md", "marks.md")
TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
KINDS: dict[str, type[Part]] = {
    kind.__name__: kind for kind in (OnPaper, Surroundings, Light, Capture, AddedMark, PenFault)
}
# The modules in the order in which their kinds are told.
ORDER = ("paper", "ink", "stains", "wear", "attached", "missing", "light", "glare", "color", "files", "copier", "lens")
PEN = tuple(name for name in HandDrawn.model_fields if name not in ("kind", "lead", "seed"))


def main() -> None:
    """The pages, written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs")
    folder = parser.parse_args().output
    for name in PAGES:
        (folder / name).write_text(page(name), encoding="utf-8")


def page(name: str) -> str:
    """The whole page: as it is, with its tables made anew."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return TABLE.sub(lambda found: f"{found[1]}{table(found[2])}{found[3]}", text)


def table(name: str) -> str:
    """One table: "Pen", or that of a class of parts."""
    if name == "Pen":
        return _rows(("key", "what"), ((f"`{key}` {_values(HandDrawn, key)}", _text(HandDrawn, key)) for key in PEN))
    parts = [part for registry in (EFFECTS, MARKS) for _, part in registry if issubclass(part, KINDS[name])]
    parts.sort(key=lambda part: _rank(part.__module__.rpartition(".")[2]))
    return _rows(("kind", "what", "keys (default; values)"), map(_row, parts))


def _rank(module: str) -> int:
    return ORDER.index(module) if module in ORDER else len(ORDER)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    first, *rest = (f"| {' | '.join(line)} |\n" for line in (head, *rows))
    return "".join([first, "|---" * len(head) + "|\n", *rest])


def _row(part: type[Any]) -> tuple[str, str, str]:
    """A kind, what it is, and its keys."""
    hidden: Collection[str] = PEN if issubclass(part, HandDrawn) else ()
    names = [name for name in part.model_fields if name not in ("kind", "seed", *hidden)]
    keys = [f"`{name}` {_values(part, name)}: {_text(part, name)}" for name in names]
    pen = ["those of the pen"] if hidden else []
    return f"`{part.model_fields['kind'].default}`", what(part), "<br>".join([*keys, *pen])


def what(part: type[Any]) -> str:
    """The first paragraph of its docstring, in one line."""
    paragraph = " ".join((part.__doc__ or "").strip().split("\n\n")[0].split())
    return paragraph.removesuffix(".").replace("``", "`")


def _values(part: type[Any], name: str) -> str:
    """As in "(60; 1 to 100)"."""
    about = describe(part.model_fields[name])
    values = f"{about.values} {about.unit}".strip() if about.values else ""
    return f"({'; '.join(filter(None, (about.default if values else about.shown, values)))})"


def _text(part: type[Any], name: str) -> str:
    return describe(part.model_fields[name]).text.removesuffix(".")


if __name__ == "__main__":
    main()
