"""The Plan: all that will happen to one image, settled and serialisable."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, SerializeAsAny, model_validator

from ecgvec.components import load_plugins, parse_parts
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import Effect
from ecgvec.errors import brief
from ecgvec.layout.header import Header
from ecgvec.layout.place import PageSpec
from ecgvec.marks import MARKS
from ecgvec.marks.base import PageMark
from ecgvec.marks.calipers import Interval
from ecgvec.recipe.options import KitContent, NotePlace, NotePointer
from ecgvec.warp import WARPS
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


Point = tuple[FiniteFloat, FiniteFloat, Annotated[FiniteFloat, Field(gt=0)]]


NoteKind = Literal["note", "signature", "calipers"]
PlannedPlace = NotePlace | Literal["lower-right", "head"]  # where people sign


class Measure(BaseModel):
    """A measured interval in seconds, to hundredths. The text of its note is made of it."""

    model_config = ConfigDict(frozen=True)

    interval: Interval
    seconds: Annotated[FiniteFloat, Field(ge=0.04, le=3)]

    @property
    def text(self) -> str:
        """As it is written: ``QRS 0.14``."""
        return f"{self.interval} {self.seconds:.2f}"


class NoteOrigin(BaseModel):
    """Where a note's text is from, so that nobody trains on leaked labels unawares: ``how`` it was chosen, the
    ``source``'s name and the term's ``label`` of one from a text, the SNOMED CT ``code`` of one from a diagnosis of the
    record, or of one that contradicts them."""

    model_config = ConfigDict(frozen=True)

    how: Literal["random", "from-dx", "from-text", "contradict"] = "random"
    source: str | None = None
    label: str | None = None
    code: str | None = None


class PlannedNote(BaseModel):
    """A handwritten note, its strokes included, so that a replay needs no network.

    ``kind``: a remark, a signature, or an interval with the bracket that ``measure`` says. ``strokes``: of each stroke
    x, y in mm and the pen's speed in mm/s, from the start of the note's baseline; ``characters``: of each stroke the
    index in ``text`` that each point belongs to (of a signature's flourish, which is no character, the text's length);
    ``style``: the hand, ``x_height`` in mm. ``nib``, ``color``, its ``shade`` (``#RRGGBB``) and ``ink_seed`` make ink
    of it. ``angle``: degrees counter-clockwise. ``at``: the left and upper edge of its ink in mm; None where the scene
    finds a place of the kind ``place``, by ``seed``. ``pointer``: what ties a note near a beat to it. ``fallback``:
    set from plain letters, for the network could not write it; ``messages``: what happened to the text. ``origin``:
    where the text is from.
    """

    model_config = ConfigDict(frozen=True)

    kind: NoteKind = "note"
    text: Annotated[str, Field(min_length=1)]
    measure: Measure | None = None
    origin: NoteOrigin = NoteOrigin()
    style: str
    x_height: Annotated[FiniteFloat, Field(gt=0)]
    nib: str
    color: str
    shade: Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]
    ink_seed: int
    place: PlannedPlace
    pointer: NotePointer | None = None
    at: tuple[FiniteFloat, FiniteFloat] | None
    angle: FiniteFloat
    seed: int
    strokes: Annotated[tuple[Annotated[tuple[Point, ...], Field(min_length=1)], ...], Field(min_length=1)]
    characters: tuple[tuple[int, ...], ...]
    fallback: bool
    messages: tuple[str, ...]

    @model_validator(mode="after")
    def _of_the_text(self) -> Self:
        if [len(stroke) for stroke in self.strokes] != [len(owner) for owner in self.characters]:
            raise ValueError("each point of a stroke needs the index of its character")
        last = len(self.text) - (self.kind != "signature")
        if not all(0 <= index <= last for owner in self.characters for index in owner):
            raise ValueError(f"a stroke belongs to no character of '{self.text}'")
        if (self.kind == "calipers") != (self.measure is not None):
            raise ValueError(f"the note '{self.text}' has a measure without calipers, or calipers without a measure")
        if (self.pointer is not None) != (self.place == "beat" and self.kind == "note"):
            raise ValueError(f"the note '{self.text}' needs a pointer near a beat, and none elsewhere")
        if self.measure is not None and self.measure.text != self.text:
            raise ValueError(f"the note '{self.text}' does not say what its bracket is: {self.measure.text}")
        return self


def _plugins(raw: Any) -> Any:
    """What the parts of a plan are made with has to be there before they are read."""
    if isinstance(raw, list | tuple) and all(isinstance(name, str) for name in raw):
        load_plugins(raw)
    return raw


def _warp(raw: Any) -> tuple[WarpPart, ...]:
    return parse_parts(WARPS, raw)


def _effects(raw: Any) -> tuple[Effect, ...]:
    return parse_parts(EFFECTS, raw)


def _marks(raw: Any) -> tuple[PageMark, ...]:
    return parse_parts(MARKS, raw)


class Plan(BaseModel):
    """One image, all settled: ``pipeline.render_plan(record, plan)`` makes it, today or in a replay.

    ``relief_share``: the share of the warp's relief that the camera can see whole; None until the warp has been
    built, which settles it. ``plugins``: modules, or names of files, that some of its parts come from.
    ``user_effects``: names of the functions, given from Python, that have changed the picture at the end; no plan can
    hold what they do.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    seed: int
    variant: int
    variants: int
    recipe: str
    plugins: Annotated[tuple[str, ...], BeforeValidator(_plugins)] = ()
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
    notes: tuple[PlannedNote, ...] = ()
    qr_text: str | None
    mask_unplotted: bool = False
    trace_density: str | None = None
    kit: KitContent = KitContent()
    user_effects: tuple[str, ...] = ()

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
        page = f"{brief(self.page.template, 24)}, seed {self.seed}, {self.page.style.dpi:g} dpi"
        return f"<Plan {brief(self.stem, 40)}: {page}>"

    __str__ = __repr__  # a model's own holds every stroke of every note
