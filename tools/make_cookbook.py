"""Write docs/cookbook.md from the scripts in examples/cookbook, so that page and scripts cannot differ.

python tools/make_cookbook.py [-o FILE]
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples" / "cookbook"
TARGET = ROOT / "docs" / "cookbook.md"
INTRODUCTION = """# Cookbook

`make docs` makes this page from the scripts in `examples/cookbook`. The tests run each. Copy one, and change it.

    python3 -m venv env && . env/bin/activate       # once, in a checkout of ecgvec
    pip install -c constraints/main.txt '.[nlp,parquet,pdf]'
    COUNT=5 DPI=100 sh examples/cookbook/01_nnunet_masks.sh path/of/ptb-xl/records500 out

The first argument is a folder of WFDB records, pairs of `.hea` and `.dat` or `.mat`, in folders of any depth. No
records yet? `demo` in the checkout holds one; [PTB-XL](https://physionet.org/content/ptb-xl/) has 21,799. Leave out
`COUNT` and `DPI` to draw all of it at 200 dpi. If a run was stopped, its output folder is not overwritten: use
`--resume` or `--restart`, or give another folder. All flags are in [flags.md](flags.md), all recipes in
[recipes.md](recipes.md).

Most recipes draw 12-lead pages. For records with fewer or other leads, add `--template auto`, which takes a page that
fits. Records that cannot be drawn are in `quarantine.csv`, with the reason; all others are drawn.
"""


@dataclass(frozen=True)
class Task:
    """A script: its title, what its first sentence says beside, and its text."""

    path: Path
    title: str
    told: str
    text: str

    @property
    def language(self) -> str:
        """For the fence around its text."""
        return "python" if self.path.suffix == ".py" else "sh"

    @property
    def heading(self) -> str:
        """As on the page: ``1. nnU-Net masks from PTB-XL``."""
        return f"{int(self.path.name[:2])}. {self.title}"


def main() -> None:
    """The page, written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    parser.parse_args().output.write_text(page(), encoding="utf-8")


def tasks() -> list[Task]:
    """All scripts, in the order of their numbers."""
    return [_task(path) for path in sorted(SCRIPTS.glob("[0-9][0-9]_*.*"))]


def _task(path: Path) -> Task:
    text = path.read_text(encoding="utf-8")
    lines = text.removeprefix("#!/bin/sh\n").removeprefix('"""').splitlines()
    head = " ".join(
        line.removeprefix("#").strip() for line in lines[: lines.index("#" if path.suffix == ".sh" else "")]
    )
    title, _, told = head.partition(": ")
    if not told:
        raise ValueError(f"{path.name}: begin with 'Title: what it does.'")
    return Task(path, title, told, text)


def page() -> str:
    """The whole page."""
    found = tasks()
    contents = [f"- [{task.heading}](#{slug(task.heading)})" for task in found]
    return "\n".join([INTRODUCTION, *contents, "", *map(_section, found)])


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def _section(task: Task) -> str:
    told = task.told[0].upper() + task.told[1:]
    where = f"[`{task.path.name}`](../examples/cookbook/{task.path.name})"
    return f"## {task.heading}\n\n{told} {where}\n\n```{task.language}\n{task.text}```\n"


if __name__ == "__main__":
    main()
