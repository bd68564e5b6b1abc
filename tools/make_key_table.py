"""Write ecgvec/cli/keys.py: the help, default and unit of every recipe key that is no part's, from the models' Fields.

python tools/make_key_table.py [-o FILE]

The command line has its help from this table, so that `ecgvec --help` need not load the models.
"""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "ecgvec" / "cli" / "keys.py"
TOP = '''"""Help, default and unit of recipe keys. Made by `make docs` from the models' Fields: edit those."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """What the help of a flag says about its key."""

    help: str
    shown: str
    metavar: str
    kind: str


KEYS = {
'''


def main() -> None:
    """The table, written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    parser.parse_args().output.write_text(module(), encoding="utf-8")


def module() -> str:
    """The text of the whole module."""
    from ecgvec.recipe.toml import describe_options

    rows = []
    for key, about in describe_options().items():
        values = ", ".join(map(quote, (about.help, about.shown, about.metavar, about.kind)))
        rows.append(f"    {quote(key)}: Key({values}),\n")
    return f"{TOP}{''.join(rows)}}}  # fmt: skip\n"


def quote(text: str) -> str:
    """``text`` as a Python literal in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    main()
