"""Plans of a record: which windows its pages show, and everything that is drawn for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from ecgvec.components import load_plugins
from ecgvec.effects import EFFECTS
from ecgvec.errors import RecordError, TemplateError
from ecgvec.layout.header import Header, fill_header, fill_text
from ecgvec.layout.place import PageSpec, fitting_seconds, place
from ecgvec.layout.style import PageStyle
from ecgvec.layout.template import Rows, Template, default_template, fill, load_template, rhythm_leads, split_slot
from ecgvec.marks import MARKS
from ecgvec.planning.header import header_values
from ecgvec.planning.model import Plan, RecordRef, Window
from ecgvec.planning.notes import Asked, NotedSheet, Written, comes, request_notes, write_notes
from ecgvec.planning.parts import draw_parts
from ecgvec.recipe.distributions import Choice, Distribution, Scalar
from ecgvec.recipe.options import RecordOptions
from ecgvec.recipe.recipe import Recipe
from ecgvec.record.leads import join_names
from ecgvec.record.model import Record
from ecgvec.rng import stream
from ecgvec.warp import WARPS

# Page keys that decide how many seconds a page shows. They are drawn once for all windows of a record, so that its
# windows follow one another without gap or overlap; all other keys are drawn anew for each image.
LAYOUT_KEYS = frozenset(
    ["paper", "orientation", "speed", "seconds", "column_timing", "cabrera", "fit", "calibration_pulse", "pulse"]
)
LARGEST_MV = 1000.0  # ten metres of paper; beyond it the numbers are not millivolts


@dataclass(frozen=True)
class Draft:
    """The plan of one image, but for the notes that it ``asked`` for: those of many images are written at once."""

    plan: Plan
    asked: Asked | None


@dataclass(frozen=True)
class Drafts:
    """The drafts of a record's windows, and what to tell the user about them."""

    pages: tuple[Draft, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """Plans, and what to tell the user about them."""

    plans: tuple[Plan, ...]
    messages: tuple[str, ...]


def prepare_record(record: Record, leads: Sequence[str] | None, derive_leads: bool) -> Record:
    """The record as it will be drawn: absent limb leads derived, then only ``leads``, in that order."""
    if derive_leads:
        record = record.with_derived_leads()
    return record if leads is None else record.with_leads(leads)


def _drawn(draw: Distribution, seed: int, record_id: str, variant: int, name: str) -> Scalar:
    return draw.draw(stream(seed, record_id, variant, name))


def _image_id(record_id: str, window: int) -> str:
    """The key of one window's streams."""
    return f"{record_id}#{window}"


def _style(recipe: Recipe, template: Template, keys: tuple[int, str, int], window: int | None) -> dict[str, Scalar]:
    """Template and recipe values of the layout keys (window None), or of all others for one window."""
    seed, record_id, variant = keys
    scope = record_id if window is None else _image_id(record_id, window)
    wanted = {key: value for key, value in template.page.items() if (key in LAYOUT_KEYS) == (window is None)}
    for key, draw in recipe.page.items():
        if (key in LAYOUT_KEYS) == (window is None):
            wanted[key] = _drawn(draw, seed, scope, variant, f"page/{key}")
    return wanted


def _template(recipe: Recipe, leads: Sequence[str], keys: tuple[int, str, int]) -> Template:
    name = str(_drawn(recipe.layout.template, *keys, "layout/template"))
    columns = int(float(str(_drawn(recipe.layout.num_columns, *keys, "layout/num_columns"))))
    if columns == -1:
        return load_template(default_template(leads) if name == "auto" else name)
    if name != "auto":
        raise TemplateError(f"--template {name} and --num_columns {columns} contradict one another: give one of them")
    return Template(name=f"{columns}-columns", stack=columns, rhythm=("II",) if columns > 1 else ())


def _check_leads(record: Record, rows: Rows, rhythm: Sequence[str]) -> None:
    """RecordError for a lead that is to be drawn and holds nothing, or no millivolts."""
    for lead in dict.fromkeys([*(split_slot(slot)[0] for row in rows for slot in row if slot), *rhythm]):
        signal = record.signals[:, record.index(lead)]
        if not np.isfinite(signal).any():
            others = join_names(name for name in record.lead_names if name not in record.empty_leads)
            cure = f"leave it out with --leads {others}" if others else "no lead of it does, give another record"
            raise RecordError(f"record {record.name}: lead {lead} holds no valid sample: {cure}")
        peak = float(np.nanmax(np.abs(signal)))
        if peak > LARGEST_MV:
            raise RecordError(
                f"record {record.name}: lead {lead} reaches {peak:.5g} mV, which is no ECG: "
                "mend its gain or unit in the header, or leave it out with --leads"
            )


def _header(
    style: PageStyle, recipe: Recipe, record: Record, keys: tuple[int, str, int]
) -> tuple[Header | None, tuple[str, ...], str]:
    """Header, the fields that came from the record, and the footer, filled in."""
    values = header_values(style, recipe.header.fields, record.subject, keys)
    header = fill_header(style.header, values) if style.print_header else None
    passed = tuple(recipe.header.fields) if style.print_header else ()
    footer = fill_text(style.footer, values, "footer") if style.print_footer else ""
    return header, passed, footer


@dataclass(frozen=True)
class _Arrangement:
    """What all windows of one record and variant share: the leads' places, the layout keys, the seconds of a page."""

    template: Template
    rows: Rows
    rhythm: tuple[str, ...]
    layout_style: dict[str, Scalar]
    seconds: float
    wanted_seconds: float


def _arrange(record: Record, recipe: Recipe, keys: tuple[int, str, int]) -> _Arrangement:
    leads = record.lead_names
    template = _template(recipe, leads, keys)
    layout_style = _style(recipe, template, keys, None)
    style = PageStyle.model_validate(layout_style)
    rows = fill(template, leads, style.cabrera)
    rhythm = rhythm_leads(template, str(_drawn(recipe.layout.rhythm, *keys, "layout/rhythm")), leads)
    seconds = fitting_seconds(style, max(len(row) for row in rows))
    return _Arrangement(template, rows, rhythm, layout_style, seconds, style.seconds)


def _plan_window(
    record: Record, recipe: Recipe, chosen: _Arrangement, ref: RecordRef, window: Window, keys: tuple[int, str, int]
) -> Draft:
    seed, path, variant = keys
    own_style = _style(recipe, chosen.template, keys, window.index)
    style = PageStyle.model_validate({**chosen.layout_style, **own_style})
    image = _image_id(path, window.index)
    header, passed, footer = _header(style, recipe, record, (seed, image, variant))
    page = PageSpec(
        template=chosen.template.name,
        rows=chosen.rows,
        rhythm=chosen.rhythm,
        style=style,
        seconds=min(chosen.seconds, window.count / record.fs),
        header_height=header.height if header else 0.0,
        header_over_grid=header.over_grid if header else False,
    )
    plan = Plan(
        seed=seed,
        variant=variant,
        variants=recipe.output.variants,
        recipe=recipe.title,
        plugins=tuple(PurePath(name).name for name in recipe.plugins),
        record=ref,
        window=window,
        page=page,
        header=header,
        header_from_record=passed,
        footer=footer,
        warp=draw_parts(recipe.warp, WARPS, "warp", (seed, image, variant)),
        effects=draw_parts(recipe.effects, EFFECTS, "effects", (seed, image, variant)),
        marks=draw_parts(recipe.marks, MARKS, "marks", (seed, image, variant)),
        qr_text=ref.path if style.qr_code else None,
        mask_unplotted=recipe.output.mask_unplotted,
        trace_density=recipe.output.trace_density,
        kit=recipe.output.kit,
    )
    return Draft(plan, _notes(recipe, page, record.subject.dx, (seed, image, variant)))


def _notes(recipe: Recipe, page: PageSpec, dx: Sequence[str], keys: tuple[int, str, int]) -> Asked | None:
    """What is to be written on one page by hand."""
    if not comes(recipe.notes, keys):
        return None
    layout = place(page)
    return request_notes(recipe.notes, NotedSheet(layout.width, layout.height, page.style.dpi), dx, keys)


def _of_mix(recipe: Recipe, keys: tuple[int, str, int]) -> Recipe:
    """The recipe itself, or the one of its mix that is drawn: one for all windows of a record and variant, for recipes
    may differ in what decides how many seconds a page shows."""
    if not recipe.mix:
        return recipe
    which = Choice(values=tuple(range(len(recipe.mix))), weights=tuple(part.weight for part in recipe.mix))
    return recipe.mix[int(str(_drawn(which, *keys, "mix")))].recipe


def make_plans(
    record: Record,
    recipe: Recipe,
    *,
    path: str | None = None,
    alias: str | None = None,
    seed: int = 0,
    variant: int = 0,
) -> Planned:
    """Plan every image of one variant of a record: ``drafts``, and their notes written."""
    made = drafts(record, recipe, path=path, alias=alias, seed=seed, variant=variant)
    pages = finish_plans(made.pages)
    messages = [message for page in pages for message in page.messages]
    return Planned(tuple(page.plans[0] for page in pages), (*made.messages, *messages))


def finish_plans(pages: Sequence[Draft]) -> list[Planned]:
    """The plan of each draft, which may be of any records: the notes of all are written in one pass of the network."""
    asked = [page.asked for page in pages if page.asked is not None]
    written = iter(write_notes(asked)) if asked else iter(())
    return [_finished(page, next(written) if page.asked else None) for page in pages]


def _finished(page: Draft, written: Written | None) -> Planned:
    if written is None:
        return Planned((page.plan,), ())
    messages = tuple(f"image {page.plan.window.index}: {message}." for message in written.messages)
    return Planned((page.plan.model_copy(update={"notes": written.notes}),), messages)


def drafts(
    record: Record,
    recipe: Recipe,
    *,
    path: str | None = None,
    alias: str | None = None,
    seed: int = 0,
    variant: int = 0,
) -> Drafts:
    """Plan every image of one variant of a record, up to the strokes of its notes.

    ``path`` is the record's path below the input folder without extension (default: its name); it keys the random
    streams and names files and QR code, unless an ``alias`` takes its place there. RecordError or TemplateError where
    the record cannot be drawn so.
    """
    keys = (seed, path or record.name, variant)
    recipe = _of_mix(recipe, keys)
    load_plugins(recipe.plugins)  # another process may have read the recipe
    drawn = prepare_record(record, recipe.record.leads, recipe.record.derive_leads)
    chosen = _arrange(drawn, recipe, keys)
    _check_leads(drawn, chosen.rows, chosen.rhythm)
    found, loss = windows(drawn, chosen.seconds, recipe.record)
    messages = [*drawn.messages, *([loss] if loss else [])]
    if chosen.seconds < chosen.wanted_seconds:
        messages.append(f"--fit shows {chosen.seconds:g} s a page instead of {chosen.wanted_seconds:g} s.")
    ref = RecordRef(
        path=alias or keys[1],
        digest=record.digest,
        leads=recipe.record.leads,
        derive_leads=recipe.record.derive_leads,
    )
    pages = [_plan_window(drawn, recipe, chosen, ref, window, keys) for window in found]
    return Drafts(tuple(pages), tuple(messages))


LEAST_FS = 10.0  # samples a second
_EPS = 1e-6  # of a sample: forgives the last bit of sampling rates such as 62.4725 / 999.56


def windows(record: Record, seconds: float, options: RecordOptions) -> tuple[list[Window], str | None]:
    """The windows of ``seconds`` that are drawn, and a sentence on what is not (None: nothing is lost)."""
    total = record.signals.shape[0]
    if record.fs < LEAST_FS:
        raise RecordError(
            f"record {record.name} has {record.fs:g} samples a second, which is no ECG: "
            "write the true rate in its header"
        )

    def index(t: float) -> int:
        return math.ceil(t * record.fs - _EPS)

    if options.first_sample is not None:
        first = options.first_sample
        if first >= total:
            raise RecordError(
                f"record {record.name} has {total} samples: choose a first sample (-st) below that, not {first}"
            )
        start = first / record.fs
        return [Window(index=0, first=first, count=min(index(start + seconds), total) - first, start=start)], None
    full = math.floor(total / (seconds * record.fs) + _EPS)
    found = []
    for k in range(full):
        first = index(k * seconds)
        found.append(
            Window(index=k, first=first, count=min(index((k + 1) * seconds), total) - first, start=k * seconds)
        )
    first = index(full * seconds)
    if first >= total:
        return found, None
    rest = total / record.fs - full * seconds
    if full == 0 or options.partial_page == "keep":
        found.append(Window(index=full, first=first, count=total - first, start=full * seconds))
        return found, f"The last {rest:.3f} s fill less than a page and are drawn as long as they are."
    return found, f"The last {rest:.3f} s fill less than a page and are dropped (--partial-page keep draws them)."
