"""Print-out headers: TOML blocks of text cells with placeholders, filled with what the plan made up."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecgvec.errors import TemplateError, nearest, one_line
from ecgvec.resources import listing

Align = Literal["left", "right"]
Position = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class HeaderBlock(BaseModel):
    """Lines of cells. ``x`` is the block's distance in mm from the left margin; cell i starts (or, right-aligned,
    ends) ``tabs[i]`` mm further right. With ``from_right`` distances are taken from the right margin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: Position = 0.0
    y: Position = 0.0
    from_right: bool = False
    tabs: tuple[Position, ...] = (0.0,)
    align: tuple[Align, ...] = ("left",)
    rows: tuple[tuple[str, ...], ...]
    size: float | None = Field(default=None, ge=1, le=12)
    font: str | None = None


class HeaderTemplate(BaseModel):
    """A header: its height on the page, its type, and its blocks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    height: float = Field(gt=0, le=100)
    font: str = "sans"
    size: float = Field(default=2.8, ge=1, le=12)
    leading: float = Field(default=1.28, ge=0.8, le=3)
    over_grid: bool = False
    block: tuple[HeaderBlock, ...]


class HeaderCell(BaseModel):
    """One piece of header text: its baseline starts (``left``) or ends (``right``) at (``x``, ``y``) mm in the
    header's box; a negative ``x`` counts from the box's right edge."""

    model_config = ConfigDict(frozen=True)

    text: str
    x: float
    y: float
    from_right: bool
    align: Align
    size: float
    font: str


class Header(BaseModel):
    """A header with everything filled in."""

    model_config = ConfigDict(frozen=True)

    name: str
    height: float
    over_grid: bool
    cells: tuple[HeaderCell, ...]


def load_header(source: str) -> HeaderTemplate:
    """A shipped header template by name, or a user's own by the path of its .toml file; TemplateError with the nearest
    name, or with the wrong key."""
    return _loaded(source, Path(source)) if source.endswith(".toml") else _shipped(source)


@cache
def _shipped(name: str) -> HeaderTemplate:
    shipped = listing("headers")
    if name not in shipped:
        raise TemplateError(f"unknown header '{name}'{nearest(name, shipped)} (or give the path of a .toml file)")
    return _loaded(name, shipped[name])


def _loaded(name: str, path: Path) -> HeaderTemplate:
    try:
        return HeaderTemplate.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TemplateError(f"header '{name}' cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TemplateError(f"header '{name}': {where} is {first['input']!r}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:  # TOML's own errors among them
        raise TemplateError(f"header '{name}' is not TOML: {one_line(error)}") from None


def fill_text(text: str, values: Mapping[str, str], where: str) -> str:
    """``text`` with its ``{placeholders}`` replaced; TemplateError with the nearest name for an unknown one."""
    try:
        fields = [(name, spec, turn) for _, name, spec, turn in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise TemplateError(f"{where}: '{text}' has a wrong placeholder ({error}); write {{name}}") from None
    for name, spec, turn in fields:
        if spec or turn:
            wrong = f"{{{name}{'!' + turn if turn else ''}{':' + spec if spec else ''}}}"
            raise TemplateError(f"{where}: placeholder '{wrong}' has a format of its own; write {{{name}}} alone")
        if name not in values:
            raise TemplateError(f"{where}: placeholder '{{{name}}}' is unknown{nearest(name, values)}")
    return string.Formatter().vformat(text, (), dict(values)).rstrip()


def fill_header(name: str, values: Mapping[str, str]) -> Header:
    """The header template ``name`` with ``values`` for its placeholders; empty cells are left out."""
    template = load_header(name)
    cells = []
    for block in template.block:
        size, font = block.size or template.size, block.font or template.font
        for line, row in enumerate(block.rows):
            for i, cell in enumerate(row):
                text = fill_text(cell, values, f"header '{name}'")
                tab = block.tabs[i] if i < len(block.tabs) else block.tabs[-1]
                align = block.align[i] if i < len(block.align) else block.align[-1]
                y = block.y + (line + 1) * size * template.leading
                if text:
                    cells.append(
                        HeaderCell(
                            text=text,
                            x=block.x + tab,
                            y=y,
                            from_right=block.from_right,
                            align=align,
                            size=size,
                            font=font,
                        )
                    )
    return Header(name=name, height=template.height, over_grid=template.over_grid, cells=tuple(cells))
