"""Check README, CONTRIBUTING and docs: every link leads somewhere, every command line is one that the program takes.

python -m tools.check_docs

Links: files, headings and pictures must be there; addresses of the web are only looked at for their form. Command
lines: those of ``ecgvec`` are parsed by the program itself, down to the recipe that they make; what ``make``, ``sh``
and ``python`` are to run must be there. Python: it must compile, and what it imports from ecgvec must exist. Files that
text names, as ``ecgvec/svg.py``, must be there.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import typer

from ecgvec.cli.app import app
from ecgvec.errors import EcgvecError
from tools.make_cookbook import slug

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("benchmarks", "docs", "ecgvec", "examples", "fonts", "templates", "tests", "tools")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+(?:\([^()]*\))?)\)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"")
_FENCE = re.compile(r"^\s*```(\w*)\s*$")
_PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./+-]*[\w+-]")
# What a fine error of the parser may be in running text, where `ecgvec batch` is a name and no command line.
_NUMBERS = ("N", "SIZE")  # which stand for one
_MADE = ("ecgvec/_data",)  # what only a wheel has
_UNFINISHED = ("MissingParameter", "NoArgsIsHelpError")


@dataclass(frozen=True)
class Page:
    """A page of Markdown: its text without blocks of code, line by line, and those blocks, (line, language, lines)."""

    path: Path
    lines: list[tuple[int, str]]
    blocks: list[tuple[int, str, list[str]]]

    @property
    def anchors(self) -> set[str]:
        """Of all headings, as GitHub makes them: a second one of the same words ends in -1."""
        found: dict[str, int] = {}
        anchors = set()
        for _, line in self.lines:
            if re.match(r"#{1,6} ", line):
                name = slug(line.lstrip("#").strip())
                anchors.add(f"{name}-{found[name]}" if name in found else name)
                found[name] = found.get(name, 0) + 1
        return anchors


def pages(root: Path = ROOT) -> list[Path]:
    """All pages that are checked."""
    tops = sorted(path for path in root.glob("*.md"))
    folders = (root / name for name in ("docs", "benchmarks", "fonts"))
    return tops + [path for folder in folders for path in sorted(folder.rglob("*.md"))]


def read(path: Path) -> Page:
    """A page, taken apart. Blocks of code are fenced, or indented by four after an empty line or another such line."""
    lines: list[tuple[int, str]] = []
    blocks: list[tuple[int, str, list[str]]] = []
    fence: str | None = None
    before = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark = _FENCE.match(line)
        in_list = bool(lines) and re.match(r"\s*[-*] |\s{2,}\S", _last_text(lines)) is not None
        if mark and fence is None:
            fence = mark[1]
            blocks.append((number + 1, fence, []))
        elif mark:
            fence = None
        elif fence is not None:
            blocks[-1][2].append(line)
        elif line.startswith("    ") and (before == "code" or (before == "" and not in_list)):
            if before != "code":
                blocks.append((number, "", []))
            blocks[-1][2].append(line[4:])
            before = "code"
            continue
        else:
            lines.append((number, line))
        before = line.strip()
    return Page(path, lines, blocks)


def _last_text(lines: list[tuple[int, str]]) -> str:
    return next((line for _, line in reversed(lines) if line.strip()), "")


def faults(path: Path, root: Path = ROOT) -> list[str]:
    """What is wrong with a page, each as ``docs/page.md:12: what``."""
    page = read(path)
    found = [(number, fault) for number, line in page.lines for fault in _text_faults(line, page, root)]
    for number, language, lines in page.blocks:
        if language in ("python", "py"):
            found += [(number, fault) for fault in _python_faults("\n".join(lines))]
        elif language in ("", "sh", "bash", "console"):
            found += [
                (number + at, fault) for at, command in commands(lines) for fault in command_faults(command, root)
            ]
    name = path.relative_to(root).as_posix()
    return [f"{name}:{number}: {fault}" for number, fault in found]


def _text_faults(line: str, page: Page, root: Path) -> Iterator[str]:
    spans = re.findall(r"`([^`]+)`", line)
    for pair in _LINK.findall(re.sub(r"`[^`]*`", "``", line)):
        yield from _link_faults(pair[0] or pair[1], page)
    for span in spans:
        if span.startswith("ecgvec ") or span.startswith("make "):
            yield from command_faults(span, root, finished=False)
        for name in _PATH.findall(span) if re.fullmatch(_PATH, span) else ():
            if name not in _MADE and not (root / name).exists() and not (root / "ecgvec" / name).exists():
                yield f"`{name}` is not there"


def _link_faults(link: str, page: Page) -> Iterator[str]:
    address = urlsplit(link)
    if address.scheme:
        if address.scheme not in ("http", "https", "mailto") or not (address.netloc or address.path):
            yield f"{link} is no address"
        return
    target = page.path.parent / unquote(address.path) if address.path else page.path
    if not target.exists():
        yield f"{link} leads nowhere"
    elif address.fragment and (target.suffix != ".md" or unquote(address.fragment) not in read(target).anchors):
        yield f"{link}: there is no such heading"


def commands(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Command lines of a block, with the line that each begins in, counted from 0. Lines that end in a backslash go on;
    what here-documents hold is none."""
    whole, start, end = "", 0, None
    for number, line in enumerate(lines):
        if end is not None:
            end = None if line.strip() == end else end
            continue
        start = start if whole else number
        whole += line.rstrip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            here = re.search(r"<<-?\s*'?(\w+)'?", whole)
            end = here[1] if here else None
            yield start, whole.strip()
            whole = ""


def command_faults(line: str, root: Path = ROOT, *, finished: bool = True) -> Iterator[str]:
    """What is wrong with a command line. ``finished``: nothing that it needs is left out."""
    for words in _simple_commands(line):
        name, rest = words[0], words[1:]
        if name == "ecgvec":
            yield from ecgvec_faults(rest, finished)
        elif name == "make":
            targets = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.M))
            yield from (
                f"make has no target {word}" for word in rest if re.fullmatch(r"[a-z-]+", word) and word not in targets
            )
        elif name in ("sh", "python", "python3") and rest and rest[0].startswith(FOLDERS):
            if not (root / rest[0]).is_file():
                yield f"{rest[0]} is not there"
        elif name in ("python", "python3") and rest[:1] == ["-m"] and rest[1].startswith(FOLDERS):
            yield from _module_faults(rest[1], root)


def _module_faults(name: str, root: Path) -> Iterator[str]:
    if not (root / name.replace(".", "/")).with_suffix(".py").is_file():
        yield f"{name} is not there"


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line, without comments, redirections, variables that are set, and prompts."""
    line = re.sub(r"\$\{\w+:[-+]([^{}]*)\}", r"\1", line.removeprefix("$ "))
    line = re.sub(r"(?<=\s)\d(?=>)", "", line)  # as in 2> log
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    try:
        tokens = [*lexer, ";"]
    except ValueError:  # half of a quotation: prose
        return
    words: list[str] = []
    skip = False
    for token in tokens:
        if set(token) <= set("|;&"):
            if words:
                yield words
            words = []
        elif set(token) <= set("<>"):
            skip = True
        elif skip:
            skip = False
        elif words or not re.match(r"\w+=", token):
            words.append(token)


def ecgvec_faults(words: list[str], finished: bool = True) -> Iterator[str]:
    """What the program itself says of such a command line, short of running it."""
    command, names = typer.main.get_command(app), ["ecgvec"]
    finished = finished and "$@" not in words
    words = [_filled(word) for word in words if word != "$@"]
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words[0]]
        names.append(words.pop(0))
    if any(word in ("...", "COMMAND", "[OPTIONS]") for word in words) or (hasattr(command, "commands") and not words):
        return
    shown = " ".join([*names, *words])
    if hasattr(command, "commands") and not words[0].startswith("-"):
        yield f"{shown}: there is no such command"
        return
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            context = command.make_context(" ".join(names), list(words))
            if names[1:] in (["batch"], ["single"]) and not _names_a_file_of_yours(words):
                context.params["print_only"] = True
                with contextlib.redirect_stderr(io.StringIO()):
                    command.invoke(context)
    except EcgvecError as error:
        yield f"{shown}: {error}"
    except Exception as error:  # of the parser, which has its own; anything else is a fault as well
        kind = type(error).__name__
        if kind != "Exit" and not (kind in _UNFINISHED and not finished):
            told = error.format_message() if hasattr(error, "format_message") else repr(error)
            yield f"{shown}: {told}"


def _filled(word: str) -> str:
    """A word for what stands for one: ``$out`` and ``N``."""
    return "1" if word in _NUMBERS or (word.startswith("$") and not word.endswith(".toml")) else word


def _names_a_file_of_yours(words: list[str]) -> bool:
    return any(word.endswith(".toml") for word in words)


def _python_faults(text: str) -> Iterator[str]:
    """Python of a page: whether it compiles, and whether ecgvec has what it imports. Sessions at a prompt pass."""
    if ">>>" in text:
        return
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield f"Python: {error.msg} in line {error.lineno} of the block"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ecgvec":
            try:
                module: Any = importlib.import_module(str(node.module))
            except ImportError as error:
                yield f"Python: {error}"
                continue
            for alias in node.names:
                if not hasattr(module, alias.name) and not _is_module(f"{node.module}.{alias.name}"):
                    yield f"Python: {node.module} has no {alias.name}"


def _is_module(name: str) -> bool:
    package = importlib.import_module(name.rpartition(".")[0])
    return hasattr(package, "__path__") and importlib.util.find_spec(name) is not None


def main() -> None:
    """All faults of all pages; exit code 1 where there is one."""
    found = [fault for path in pages() for fault in faults(path)]
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    print(f"{len(pages())} pages, {len(found)} faults")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
