"""The sections of a recipe that hold single options: which record, which template, which notes, which files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecgvec.components import Limits, Values, find_limits, key, tell_range
from ecgvec.errors import RecipeError
from ecgvec.handwriting.charset import transliterate
from ecgvec.handwriting.nibs import INKS, NIBS
from ecgvec.keywords.lexicon import LABELS
from ecgvec.recipe.distributions import (
    Choice,
    Constant,
    Distribution,
    Each,
    Integer,
    Uniform,
    parse_distribution,
    truncate,
)


class RecordOptions(BaseModel):
    """Which part of a record is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_sample: int | None = key(None, "First sample of one single image.", absent="every full window", ge=0)
    leads: tuple[str, ...] | None = key(None, "Leads to draw, in this order.", absent="all", min_length=1)
    derive_leads: bool = key(False, "Work out absent limb leads from two that are there.")
    partial_page: Literal["drop", "keep"] = key("drop", "What to do with less than a page at a record's end.")


_COLUMNS = Limits(1, 12, True)


class LayoutOptions(BaseModel):
    """Which template, and what it is filled with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: Annotated[Distribution, Each(str)] = key(
        Constant(value="auto"),
        "Page template: a name (see `ecgvec templates`), a .toml file, or `auto`, by the leads that are there.",
        absent="by number of leads",
    )
    rhythm: Annotated[Distribution, Each(str)] = key(
        Constant(value="template"),
        "Leads of the rhythm strips, with commas, `template` for the template's own, or `none`. A lead that the record "
        "lacks becomes its first lead.",
        absent="the template's",
    )
    num_columns: Annotated[Distribution, Each(int)] = key(
        Constant(value=-1), "Columns of leads, 1 to 12, instead of a template; -1 for the template's own."
    )

    @field_validator("template", "rhythm", "num_columns", mode="before")
    @classmethod
    def _parse(cls, raw: Any, info: Any) -> Distribution:
        draw = parse_distribution(f"layout.{info.field_name}", raw)
        return truncate(draw, _COLUMNS) if info.field_name == "num_columns" else draw

    @field_validator("template", "rhythm")
    @classmethod
    def _names(cls, draw: Distribution, info: Any) -> Distribution:
        for value in draw.probes():
            if not isinstance(value, str) or not value.strip():
                raise RecipeError(f"layout.{info.field_name} is {value!r}: write a name")
        return draw

    @field_validator("num_columns")
    @classmethod
    def _columns(cls, draw: Distribution) -> Distribution:
        for value in draw.probes():
            whole = isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 1 <= value <= 12)
            if not whole or (not isinstance(draw, Constant | Choice) and value == -1):
                raise RecipeError(f"layout.num_columns is {value!r}: write 1 to 12, or -1 for the template's own")
        return draw


class HeaderOptions(BaseModel):
    """Which facts of the record's header may pass to the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Literal["age", "sex", "dx"], ...] = key(
        (), "Facts of the record that may stand in the header: `age` (as a band), `sex`, `dx` (codes)."
    )


NotePlace = Literal["offset", "free", "margin", "across", "beat"]
NotePointer = Literal["arrow", "circle"]
NoteContent = Literal["random", "from-dx", "from-text", "mixed", "contradict"]

Count = Annotated[Distribution, Each(Annotated[int, Field(ge=1, le=1000)])]
Offset = Annotated[Distribution, Each(Annotated[int, Field(ge=0, le=100_000)])]
# What can be written.
NoteSize = Annotated[Distribution, Each(Annotated[float, Field(ge=0.02, le=4.0)])]
NoteAngle = Annotated[Distribution, Each(Annotated[float, Field(ge=-180, le=180)])]
Brackets = Annotated[Distribution, Each(Annotated[int, Field(ge=0, le=50)])]
_NUMBERS = ("words", "size", "x_offset", "y_offset", "angle", "calipers")
_NAMES: dict[str, tuple[str, ...]] = {
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
    """Handwritten notes. Terms are read from the ``source`` by the ``nlp_model`` (None: the shipped one), or given as
    ``terms``, which is also what they are once the source was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = key(0.0, "Probability of notes on an image.", ge=0, le=1)
    words: Count = key(Integer(first=1, last=5), "How many notes.")
    size: NoteSize = key(Uniform(low=0.1, high=0.2), "Size of the handwriting, a factor (0.2: an x is 2.5 mm high).")
    x_offset: Offset = key(Integer(first=1, last=30), "Distance of the notes from the page's left edge.", "px")
    y_offset: Offset = key(Integer(first=1, last=30), "Distance of the notes from the page's upper edge.", "px")
    place: Annotated[Distribution, Each(NotePlace)] = key(
        Constant(value="offset"),
        "Where notes are written: at the `offset`, where the page is `free`, in a `margin`, `across` traces, or near a "
        "`beat`.",
    )
    angle: NoteAngle = key(Constant(value=0), "Angle of the notes, counter-clockwise.", "degrees")
    pointer: Annotated[Distribution, Each(NotePointer)] = key(
        Choice(values=get_args(NotePointer)), "What ties a note to its beat."
    )
    calipers: Brackets = key(Constant(value=0), "How many measured intervals, each at a bracket.")
    signature: float = key(0.0, "Probability of a signature.", ge=0, le=1)
    color: Annotated[Distribution, Each(Annotated[str, Values(tuple(INKS))])] = key(
        Choice(values=("blue", "black", "red"), weights=(6.0, 4.0, 1.0)), "Colour of the ink."
    )
    nib: Annotated[Distribution, Each(Annotated[str, Values(tuple(NIBS))])] = key(
        Choice(values=("ballpoint", "gel", "felt-tip", "fountain"), weights=(7.0, 2.0, 1.0, 1.0)), "Nib of the pen."
    )
    content: Annotated[Distribution | None, Each(NoteContent)] = key(
        None,
        "What the notes say: `random` remarks, the record's diagnoses (`from-dx`), terms of the source (`from-text`), "
        "both (`mixed`), or what does not fit the record (`contradict`).",
        absent="from-text with a source, else random",
    )
    source: str | None = key(
        None, "Text to take the notes' terms from: a URL or a file.", absent="a list of our own", min_length=1
    )
    allow_private: bool = key(False, "Let the source be at an address of a private network.")
    nlp_model: str | None = key(
        None,
        "The spaCy pipeline that finds terms in the source: a name or a folder.",
        absent="the shipped one",
        min_length=1,
    )
    terms: tuple[FoundTerm, ...] | None = key(
        None, "Terms to write, instead of a source.", absent="those of the source"
    )

    @field_validator(*_NUMBERS, mode="before")
    @classmethod
    def _number(cls, raw: Any, info: Any) -> Distribution:
        each = next(note.field for note in cls.model_fields[info.field_name].metadata if isinstance(note, Each))
        where, limits = f"notes.{info.field_name}", find_limits(each)
        draw = truncate(parse_distribution(where, raw), limits)
        for value in draw.probes():
            if not limits.contain(value):
                kind = "whole number" if limits.whole else "number"
                raise RecipeError(f"{where} is {value!r}: write a {kind} {tell_range(each)}")
        return draw

    @field_validator(*_NAMES, mode="before")
    @classmethod
    def _name(cls, raw: Any, info: Any) -> Distribution | None:
        if raw is None and info.field_name == "content":
            return None
        where, names = f"notes.{info.field_name}", _NAMES[info.field_name]
        draw = parse_distribution(where, raw)
        for value in draw.probes():
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
        wanted = {"from-text", "mixed"} & {str(value) for value in (self.content.probes() if self.content else ())}
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

    seed: int = key(0, "Seed of everything random.")
    variants: int = key(1, "Images of each window.", ge=1, le=1_000_000)
    max_images: int | None = key(None, "Limit on the number of images.", absent="all", ge=1)
    formats: tuple[str, ...] | None = key(
        None,
        "What to write: png, svg, pdf, gt, gt-svg, json, kit, coco, yolo, masks, nnunet, wfdb, kaggle, grid, hf, "
        "parquet, map, warped-svg, gt-warped-svg.",
        absent="png,svg,gt,json,kit",
    )
    image_only: bool = key(False, "Write the PNG alone, and nothing beside it.")
    anonymous_names: bool = key(False, "Number the images instead of naming them after records.")
    mask_unplotted: bool = key(False, "Write NaN to WFDB where nothing was plotted.")
    trace_density: str | None = key(
        None,
        "Points of the dense traces: a number a px or a mm, as in `2/px`, `10/mm`.",
        absent="one a sample",
    )
    kit_level: Literal[0, 1, 2] | None = key(
        None,
        "What ecg-image-kit's JSON holds: 0 nothing, 1 the leads, 2 the page's look and damage too.",
        absent="2, with all boxes",
    )
    kit_lead_boxes: bool = key(False, "With kit_level, boxes of the leads in ecg-image-kit's JSON.")
    kit_text_boxes: bool = key(False, "With kit_level, boxes of the leads' names in ecg-image-kit's JSON.")

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
