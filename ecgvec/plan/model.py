"""The Plan: all that will happen to one image, settled and serialisable."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, SerializeAsAny

from ecgvec.effects.base import Effect
from ecgvec.effects.every import EFFECTS
from ecgvec.layout.header import Header
from ecgvec.layout.place import PageSpec
from ecgvec.marks.base import PageMark
from ecgvec.marks.every import MARKS
from ecgvec.options import KitContent
from ecgvec.parts import parse_parts
from ecgvec.warp.every import WARPS
from ecgvec.warp.parts import WarpPart


class RecordRef(BaseModel):
    """Which record a page shows. ``path`` is relative to the input folder, without extension, or an alias where names
    are anonymous; ``digest`` is ``Record.digest`` as read."""

    model_config = ConfigDict(frozen=True)

    path: str
    digest: str
    leads: tuple[str, ...] | None
    derive_leads: bool

    @property
    def name(self) -> str:
        """The last part of ``path``: what files are called."""
        return self.path.rsplit("/", 1)[-1]


class Window(BaseModel):
    """Samples ``first`` to ``first + count`` of a record, from ``start`` seconds on; ``index`` counts windows."""

    model_config = ConfigDict(frozen=True)

    index: int
    first: int
    count: int
    start: FiniteFloat


def _warp(raw: Any) -> tuple[WarpPart, ...]:
    return parse_parts(WARPS, raw)


def _effects(raw: Any) -> tuple[Effect, ...]:
    return parse_parts(EFFECTS, raw)


def _marks(raw: Any) -> tuple[PageMark, ...]:
    return parse_parts(MARKS, raw)


class Plan(BaseModel):
    """One image, all settled: ``pipeline.render_plan(record, plan)`` makes it, today or in a replay.

    ``relief_share``: the share of the warp's relief that the camera can see whole; None until the warp has been
    built, which settles it. ``outside``: names of the functions, given from Python, that have changed the picture at
    the end; no plan can hold what they do.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    seed: int
    variant: int
    variants: int
    recipe: str
    record: RecordRef
    window: Window
    page: PageSpec
    header: Header | None
    header_from_record: tuple[str, ...]
    footer: str
    warp: Annotated[tuple[SerializeAsAny[WarpPart], ...], BeforeValidator(_warp)] = ()
    relief_share: Annotated[float, Field(gt=0, le=1)] | None = None
    effects: Annotated[tuple[SerializeAsAny[Effect], ...], BeforeValidator(_effects)] = ()
    marks: Annotated[tuple[SerializeAsAny[PageMark], ...], BeforeValidator(_marks)] = ()
    qr_text: str | None
    mask_unplotted: bool = False
    trace_density: str | None = None
    kit: KitContent = KitContent()
    outside: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """File name of the image without extension: NAME-K, or NAME-K-vV where there are several variants."""
        suffix = f"-v{self.variant}" if self.variants > 1 else ""
        return f"{self.record.name}-{self.window.index}{suffix}"

    @property
    def stem_path(self) -> str:
        """``stem`` below the output folder, which mirrors the input's folders."""
        folder = self.record.path.rpartition("/")[0]
        return f"{folder}/{self.stem}" if folder else self.stem

    def __repr__(self) -> str:
        return f"<Plan {self.stem}: {self.page.template}, seed {self.seed}, {self.page.style.dpi:g} dpi>"
