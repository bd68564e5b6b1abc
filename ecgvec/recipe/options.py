"""The sections of a recipe that hold single options: which record, which template, which notes, which files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecgvec.errors import RecipeError
from ecgvec.handwriting.charset import transliterate
from ecgvec.handwriting.nibs import INKS, NIBS
from ecgvec.keywords.lexicon import LABELS
from ecgvec.recipe.distributions import Distribution, parse_distribution, probes


class RecordOptions(BaseModel):
    """Which part of a record is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_sample: int | None = Field(default=None, ge=0)
    leads: tuple[str, ...] | None = Field(default=None, min_length=1)
    derive_leads: bool = False
    partial_page: Literal["drop", "keep"] = "drop"


class LayoutOptions(BaseModel):
    """Which template, and what it is filled with. ``rhythm`` is "template", "none" or lead names with commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: Distribution = Distribution(values=("auto",))
    rhythm: Distribution = Distribution(values=("template",))
    num_columns: Distribution = Distribution(values=(-1,))

    @field_validator("template", "rhythm", "num_columns", mode="before")
    @classmethod
    def _parse(cls, raw: Any, info: Any) -> Distribution:
        return parse_distribution(f"layout.{info.field_name}", raw)

    @field_validator("template", "rhythm")
    @classmethod
    def _names(cls, draw: Distribution, info: Any) -> Distribution:
        for value in draw.values:
            if not isinstance(value, str) or not value.strip():
                raise RecipeError(f"layout.{info.field_name} is {value!r}: write a name")
        return draw

    @field_validator("num_columns")
    @classmethod
    def _columns(cls, draw: Distribution) -> Distribution:
        for value in draw.values:
            whole = isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 1 <= value <= 12)
            if draw.uniform or not whole or (draw.integer and value == -1):
                raise RecipeError(f"layout.num_columns is {value!r}: write 1 to 12, or -1 for the template's own")
        return draw


class HeaderOptions(BaseModel):
    """``fields``: which facts of the record's header may pass to the page, of ``age`` (as a band), ``sex``, ``dx``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Literal["age", "sex", "dx"], ...] = ()


NotePlace = Literal["offset", "free", "margin", "across", "beat"]
NotePointer = Literal["arrow", "circle"]
NoteContent = Literal["random", "from-dx", "from-text", "mixed", "contradict"]

# Key of a note -> its least and its greatest number, and whether it counts. The size is that of what can be written.
_NOTE_RANGES: dict[str, tuple[float, float, bool]] = {
    "words": (1, 1000, True),
    "size": (0.02, 4.0, False),
    "x_offset": (0, 100_000, True),
    "y_offset": (0, 100_000, True),
    "angle": (-180, 180, False),
    "calipers": (0, 50, True),
}
_NOTE_NAMES: dict[str, tuple[str, ...]] = {
    "place": get_args(NotePlace),
    "pointer": get_args(NotePointer),
    "content": get_args(NoteContent),
    "color": tuple(INKS),
    "nib": tuple(NIBS),
}


LONGEST_TERM = 40  # characters


class FoundTerm(BaseModel):
    """A term that a source of notes has, ``text`` as it is written by hand, ``label`` and ``count`` as of a Term."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    label: str
    count: int = 1


class NotesOptions(BaseModel):
    """Handwritten notes. ``words``: how many notes; ``size``: factor of the letters' height (0.2: an x-height of 2.5
    mm); ``x_offset``, ``y_offset``: px at the page's dpi from its left and its upper edge, where the notes begin.
    ``content``: what they say (None: ``terms``, or random remarks where there are none); ``source``: a file, folder or
    URL to take terms from, private networks being refused unless ``allow_private``, terms being found by ``nlp_model``
    (None: the shipped one); ``terms``: those of the source, once it was read, or given here instead. ``place``: at the
    offsets, where the page is free, in a margin, across traces, or near a beat that a ``pointer``, arrow or circle,
    ties it to; ``angle``: degrees counter-clockwise; ``colour`` and ``nib`` of the pen. ``calipers``: how many measured
    intervals, each at a bracket; ``signature``: the probability of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(default=0.0, ge=0, le=1)
    words: Distribution = Distribution(values=(1, 5), integer=True)
    size: Distribution = Distribution(values=(0.1, 0.2), uniform=True)
    x_offset: Distribution = Distribution(values=(1, 30), integer=True)
    y_offset: Distribution = Distribution(values=(1, 30), integer=True)
    place: Distribution = Distribution(values=("offset",))
    angle: Distribution = Distribution(values=(0,))
    pointer: Distribution = Distribution(values=get_args(NotePointer))
    calipers: Distribution = Distribution(values=(0,))
    signature: float = Field(default=0.0, ge=0, le=1)
    color: Distribution = Distribution(values=("blue", "black", "red"), weights=(6.0, 4.0, 1.0))
    nib: Distribution = Distribution(values=("ballpoint", "gel", "felt-tip", "fountain"), weights=(7.0, 2.0, 1.0, 1.0))
    content: Distribution | None = None
    source: str | None = Field(default=None, min_length=1)
    allow_private: bool = False
    nlp_model: str | None = Field(default=None, min_length=1)
    terms: tuple[FoundTerm, ...] | None = None

    @field_validator(*_NOTE_RANGES, mode="before")
    @classmethod
    def _number(cls, raw: Any, info: Any) -> Distribution:
        where = f"notes.{info.field_name}"
        draw, (least, most, counts) = parse_distribution(where, raw), _NOTE_RANGES[info.field_name]
        for value in probes(draw):
            right = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
            if not right or (counts and not isinstance(value, int)):
                kind = "whole number" if counts else "number"
                raise RecipeError(f"{where} is {value!r}: write a {kind} from {least:g} to {most:g}")
        return draw

    @field_validator(*_NOTE_NAMES, mode="before")
    @classmethod
    def _name(cls, raw: Any, info: Any) -> Distribution | None:
        if raw is None and info.field_name == "content":
            return None
        where, names = f"notes.{info.field_name}", _NOTE_NAMES[info.field_name]
        draw = parse_distribution(where, raw)
        for value in probes(draw):
            if value not in names:
                raise RecipeError(f"{where} is {value!r}: write {', '.join(names[:-1])} or {names[-1]}")
        return draw

    @field_validator("terms", mode="before")
    @classmethod
    def _term(cls, raw: Any) -> Any:
        for term in raw if isinstance(raw, list | tuple) else [raw] if raw is not None else []:
            if isinstance(term, FoundTerm):
                continue
            keys = dict(term) if isinstance(term, Mapping) else {}
            text, count = keys.get("text"), keys.get("count", 1)
            right = isinstance(text, str) and 0 < len(text) <= LONGEST_TERM and bool(transliterate(text)[0])
            right = right and keys.get("label") in LABELS and keys.keys() <= FoundTerm.model_fields.keys()
            if not right or type(count) is not int or count < 1:
                cure = f"write {{text = 'LBBB', label = 'CONDUCTION'}}, of at most {LONGEST_TERM} characters"
                raise RecipeError(f"notes.terms holds {term!r}: {cure}, with a label of {', '.join(LABELS)}")
        return raw

    @property
    def source_name(self) -> str | None:
        """What images say of the source: an address, or the name of a file without its folder."""
        if self.source is None or "://" in self.source:
            return self.source
        return PurePath(self.source).name or self.source

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        wanted = {"from-text", "mixed"} & {str(value) for value in (self.content.values if self.content else ())}
        if wanted and self.source is None and self.terms is None:
            name = min(wanted)
            raise RecipeError(f"notes.content is {name!r} and notes.source names no text: give a file or a URL")
        return self


_DENSITY = re.compile(r"(\d+(?:\.\d+)?)/(px|mm)")


def parse_density(text: str) -> tuple[float, str]:
    """(2.0, "px") of "2/px". RecipeError for anything but a number, of at most 1000, of samples a px or a mm."""
    match = _DENSITY.fullmatch(text)
    if match is None or not 0 < float(match[1]) <= 1000:
        raise RecipeError(f"output.trace_density is '{text}': write samples a pixel or a mm, as in '2/px' or '10/mm'")
    return float(match[1]), match[2]


class KitContent(BaseModel):
    """What ecg-image-kit's JSON holds: ``level`` 0 (there is none), 1 or 2 (the page's look and damage too), and boxes
    of leads and of their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal[0, 1, 2] = 2
    lead_boxes: bool = True
    text_boxes: bool = True


class OutputOptions(BaseModel):
    """How many images, which files, under which names. ``image_only``: the PNG and nothing beside it.

    ``kit_level`` None: ecg-image-kit's JSON with all that it can hold. A level makes it that program's: boxes only
    where ``kit_lead_boxes`` and ``kit_text_boxes`` ask for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    variants: int = Field(default=1, ge=1, le=1_000_000)
    max_images: int | None = Field(default=None, ge=1)
    formats: tuple[str, ...] | None = None
    image_only: bool = False
    anonymous_names: bool = False
    mask_unplotted: bool = False
    trace_density: str | None = None
    kit_level: Literal[0, 1, 2] | None = None
    kit_lead_boxes: bool = False
    kit_text_boxes: bool = False

    @field_validator("formats")
    @classmethod
    def _formats(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and not names:
            raise RecipeError("output.formats is empty: name at least one, as in png,json")
        return names

    @field_validator("image_only")
    @classmethod
    def _alone(cls, alone: bool, info: Any) -> bool:
        formats = info.data.get("formats")
        if alone and formats is not None and formats != ("png",):
            raise RecipeError(
                f"output.image_only and output.formats {','.join(formats)} contradict one another: give one of them"
            )
        return alone

    @field_validator("trace_density")
    @classmethod
    def _density(cls, text: str | None) -> str | None:
        if text is not None:
            parse_density(text)
        return text

    @property
    def formats_to_write(self) -> tuple[str, ...] | None:
        """The formats to write; None for the default ones."""
        return ("png",) if self.image_only else self.formats

    @property
    def kit(self) -> KitContent:
        """What ecg-image-kit's JSON is to hold."""
        if self.kit_level is None:
            return KitContent()
        return KitContent(level=self.kit_level, lead_boxes=self.kit_lead_boxes, text_boxes=self.kit_text_boxes)
