"""Write docs/flags.md: every command with every flag, asked of the program itself.

python tools/make_flag_docs.py [-o FILE]
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from ecgvec.cli.app import app
from ecgvec.cli.flags import ALL_FLAGS

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "flags.md"
INTRODUCTION = """# All commands and flags

`make docs` makes this page from the program itself. Underscores and hyphens are the same in long names: `--hw_text` and
`--hw-text`. `ecgvec --help` and `ecgvec COMMAND --help` say the same. Before a command, `--traceback` shows where an
error came from, and `--version` prints the version.

Exit codes: 0 all went well; 1 something is wrong, or some records could not be drawn; 2 bad input; 130 after Ctrl-C.
"""
SHARED = """## Flags of `ecgvec batch` and `ecgvec single`

Each sets one key of a [recipe](recipes.md), shown in the last column. What a flag can do, a recipe can do with
probabilities and ranges. `--print-recipe` prints the flags of a command line as a recipe. `--set KEY=VALUE` sets any
key, also one that has no flag; where both set the same key, the flag counts.
"""


def main() -> None:
    """The page, written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    parser.parse_args().output.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    sections = [INTRODUCTION]
    for names, command in commands(root):
        sections.append(_section(names, command))
    return "\n".join([*sections, SHARED, *_shared_tables(root)])


def commands(root: Any, above: tuple[str, ...] = ("ecgvec",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it: (("ecgvec", "recipes", "list"), command)."""
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


def _section(names: tuple[str, ...], command: Any) -> str:
    """What a command does, and its own flags."""
    context = _context(names, command)
    usage = " ".join([*names, *command.collect_usage_pieces(context)]).replace("{", "").replace("}", "")
    told = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help or "")
    lines = [f"## {' '.join(names)}\n", f"{told}\n", f"    {usage}\n"]
    shared = names[1:] in (("batch",), ("single",))
    rows = [_row(p, context) for p in command.params if _is_visible(p) and not (shared and _flag_of(p))]
    lines += ["| flag | default | what |", "|---|---|---|", *rows, ""] if rows else []
    if shared:
        lines.append("And all [flags below](#flags-of-ecgvec-batch-and-ecgvec-single).\n")
    return "\n".join(lines)


def _shared_tables(root: Any) -> Iterator[str]:
    """The flags that shape images, group by group."""
    command = root.commands["batch"]
    context = _context(("ecgvec", "batch"), command)
    for group in dict.fromkeys(flag.group for flag in ALL_FLAGS):
        yield f"### {group}\n\n| flag | default | what | key of a recipe |\n|---|---|---|---|"
        for parameter in command.params:
            flag = _flag_of(parameter)
            if flag is not None and flag.group == group:
                yield f"{_row(parameter, context)} `{flag.key}` |"
        yield ""


def _context(names: tuple[str, ...], command: Any) -> Any:
    return command.make_context(" ".join(names), [], resilient_parsing=True)


def _flag_of(parameter: Any) -> Any:
    """The row of the table of flags that made the parameter; None for a command's own and for misspelt names."""
    return next((flag for flag in ALL_FLAGS if flag.parameter == parameter.name), None)


def _is_visible(parameter: Any) -> bool:
    return not getattr(parameter, "hidden", False) and parameter.name != "help"


def _row(parameter: Any, context: Any) -> str:
    names, told = parameter.get_help_record(context)
    what, default = told, ""
    more = re.search(r"\s*\[([^\[\]]*)\]$", told)
    if more:
        what, default = told[: more.start()], _default(more[1])
    return f"| `{_cell(_plainly(names))}` | {_cell(default)} | {_cell(what)} |"


def _plainly(names: str) -> str:
    """``--workers <int range>`` -> ``--workers N``."""
    for pattern, word in ((r"<int[^>]*>", "N"), (r"<float[^>]*>", "X"), (r"<path>", "PATH"), (r"<.*str.*>", "TEXT")):
        names = re.sub(pattern, word, names)
    return re.sub(r"<([^>]*)>", r"\1", names)


def _default(text: str) -> str:
    """``(the usable cores); x>=1`` -> ``the usable cores; x>=1``."""
    plain = re.sub(r"\((.*)\)", r"\1", text.removeprefix("default: "))
    return plain.replace("required", "**required**")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
