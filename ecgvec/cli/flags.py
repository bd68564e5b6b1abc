"""The table of command-line flags that shape images. Each sets one key of the recipe; nothing is done by flags alone.

Names and meanings that ecg-image-kit's users know are kept. Underscores and hyphens are the same in long names.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import typer

from ecgvec.cli.bent_flags import BENT_FLAGS, FULLY_RANDOM, bent_idle, bent_overrides
from ecgvec.cli.flag import Flag, Overrides, flag, plain
from ecgvec.cli.note_flags import NOTE_FLAGS, note_overrides, notes_idle
from ecgvec.geometry.units import MM_PER_INCH

LEAST_DPI, MOST_DPI = 50, 1200


def _probability(p: float) -> Any:
    return {"probability": p}


_WHAT, _PAPER, _GRID, _INK, _MARKS, _RUN = (
    "What is drawn",
    "Paper and scale",
    "Grid",
    "Ink",
    "Names, pulse, header",
    "Which images and files",
)
_COLORS = ("brown", "pink", "blue", "green", "red")


def _standard_color(number: int) -> str:
    # Out of range is said in the recipe's words: the value is no grid colour.
    return _COLORS[number - 1] if 1 <= number <= len(_COLORS) else str(number)


FLAGS: tuple[Flag, ...] = (
    plain("--template --config_file", "layout.template", _WHAT, metavar="NAME"),
    plain("--rhythm --full_mode", "layout.rhythm", _WHAT, metavar="LEADS"),
    plain("--num_columns", "layout.num_columns", _WHAT),
    plain("--column-timing", "page.column_timing", _WHAT),
    plain("--cabrera/--no-cabrera", "page.cabrera", _WHAT),
    plain("--leads", "record.leads", _WHAT, "Separate them with commas; put a name with a comma in double quotes."),
    plain("--derive-leads/--no-derive-leads", "record.derive_leads", _WHAT),
    plain("-st --start", "record.first_sample", _WHAT, metavar="SAMPLE"),
    plain("--partial-page", "record.partial_page", _WHAT),
    plain("--paper", "page.paper", _PAPER),
    plain("--orientation", "page.orientation", _PAPER),
    plain("-r --resolution --dpi", "page.dpi", _PAPER),
    plain("--speed", "page.speed", _PAPER),
    plain("--gain", "page.gain", _PAPER),
    plain("--chest-gain", "page.chest_gain", _PAPER),
    plain("--seconds", "page.seconds", _PAPER),
    plain("--fit/--no-fit", "page.fit", _PAPER),
    plain("--baseline", "page.baseline", _PAPER),
    flag("--pad_inches", "page.pad", float, _PAPER, "White border around the page in inches, 0 to 10.", "0 in", metavar="INCHES", value=lambda inches: inches * MM_PER_INCH),
    plain("--clip/--no-clip", "page.clip", _PAPER),
    plain("--grid", "page.grid", _GRID),
    plain("--grid-color", "page.grid_color", _GRID),
    flag("--standard_grid_color", "page.grid_color", int, _GRID, "The same by number: 1 brown, 2 pink, 3 blue, 4 green, 5 red.", "5", metavar="1-5", value=_standard_color),
    flag("--random_grid_color", "page.grid_color", bool, _GRID, "Draw one of these five colours for each image.", "no", value=lambda _: {"choice": list(_COLORS)}),
    flag("--random_grid_present", "page.grid_present", float, _GRID, "Probability of a grid.", "1", metavar="P", value=_probability),
    plain("--minor-color", "page.minor_color", _GRID),
    plain("--major-color", "page.major_color", _GRID),
    plain("--paper-color", "page.paper_color", _GRID),
    plain("--trace-width", "page.trace_width", _INK),
    plain("--trace-color", "page.trace_color", _INK),
    plain("--bw/--no-bw", "page.bw", _INK),
    flag("--random_bw", "page.bw", float, _INK, "Probability of black and white.", "0", metavar="P", value=_probability),
    plain("--pulse", "page.pulse", _MARKS),
    flag("--calibration_pulse --random_dc", "page.calibration_pulse", float, _MARKS, "Probability of the calibration pulse.", "1", metavar="P", value=_probability),
    plain("--separators", "page.separators", _MARKS),
    plain("--lead-names", "page.lead_names", _MARKS),
    flag("--deterministic_lead", "page.lead_names", bool, _MARKS, "Lead names on every image (as by default).", "yes", value=lambda _: None),
    flag("--remove_lead_names", "page.lead_names", bool, _MARKS, "No lead names.", "no", value=lambda _: "none"),
    plain("--names-font", "page.names_font", _MARKS),
    plain("--print_header/--no-print_header", "page.print_header", _MARKS),
    flag("--random_print_header --random_print --random_add_header", "page.print_header", float, _MARKS, "Probability of such a header.", "0", metavar="P", value=_probability),
    plain("--header", "page.header", _MARKS, metavar="NAME"),
    plain("--header-text", "page.header_text", _MARKS),
    plain("--header-fields", "header.fields", _MARKS, "Separate them with commas."),
    plain("--footer", "page.footer", _MARKS),
    plain("--print_footer/--no-print_footer", "page.print_footer", _MARKS),
    plain("--add_qr_code/--no-add_qr_code", "page.qr_code", _MARKS),
    plain("-se --seed", "output.seed", _RUN),
    plain("--variants", "output.variants", _RUN),
    plain("--max_num_images --num_images", "output.max_images", _RUN),
    plain("--formats", "output.formats", _RUN, "Separate them with commas."),
    plain("--image_only", "output.image_only", _RUN),
    flag("--store_config", "output.kit_level", int, _RUN, "What kit/NAME-K.json holds: 0 there is none, 1 the leads, 2 the page's look and damage too; boxes only with the next two. Without this flag: all of it.", "2, with all boxes", metavar="0-2"),
    flag("--lead_bbox --bbox", "output.kit_lead_boxes", bool, _RUN, "Boxes of the leads in the JSON of --store_config.", "yes without --store_config"),
    flag("--lead_name_bbox --store_text_bounding_box", "output.kit_text_boxes", bool, _RUN, "Boxes of the leads' names there.", "yes without --store_config"),
    plain("--mask_unplotted_samples/--no-mask_unplotted_samples --mask-unplotted", "output.mask_unplotted", _RUN, "Adds `wfdb` where --formats does not say what to write."),
    plain("--trace-density", "output.trace_density", _RUN, metavar="N/UNIT"),
    plain("--minor-grid/--no-minor-grid", "page.label_minor_grid", _RUN),
    plain("--anonymous-names/--no-anonymous-names", "output.anonymous_names", _RUN),
)  # fmt: skip

RANDOM_PADDING = flag(
    "--random_padding", "page.pad", bool, _PAPER, "Draw the border from 0 up to --pad_inches for each image.", "no"
)
RANDOM_RESOLUTION = flag(
    "--random_resolution", "page.dpi", bool, _PAPER, "Draw the resolution from 50 dpi up to -r for each image.", "no"
)


def overrides(given: Mapping[str, Any], present: Collection[str] = ()) -> Overrides:
    """Recipe keys and values for the flags that were given (those that are not None). ``present``: see
    ``bent_overrides`` and ``note_overrides``."""
    result = bent_overrides(given, present) | note_overrides(given, present, bool(given.get(FULLY_RANDOM.parameter)))
    for row in FLAGS:
        raw = given.get(row.parameter)
        # A plain switch that is off was not given; a switch with a --no- twin is None then.
        if raw is None or (raw is False and "/" not in row.names[0]):
            continue
        value = row.value(raw)
        if value is not None:
            result[row.key] = value
    result |= _stronger(given)
    if given.get(RANDOM_RESOLUTION.parameter):
        highest = result.get("page.dpi", 200)
        if LEAST_DPI <= highest <= MOST_DPI:  # else the recipe refuses it in its own words
            result["page.dpi"] = {"integer": [LEAST_DPI, int(highest)]}
    if given.get(RANDOM_PADDING.parameter) and 0 <= result.get("page.pad", -1) < math.inf:  # else as above
        result["page.pad"] = {"uniform": [0.0, result["page.pad"]]}
    return result


def _stronger(given: Mapping[str, Any]) -> Overrides:
    """What a flag that says which files to write makes of the recipe's other key for that: flags are stronger. Where
    both keys are given as flags they may contradict one another, which the recipe refuses."""
    formats, alone = given.get("formats"), given.get("image_only")
    if alone and formats is None:
        return {"output.formats": ["png"]}
    return {"output.image_only": False} if formats is not None and not alone else {}


def without_effect(given: Mapping[str, Any], present: Collection[str] = ()) -> list[str]:
    """A sentence for each flag that was given and does nothing, for want of another."""
    lines = bent_idle(given, present) + notes_idle(given, present, bool(given.get(FULLY_RANDOM.parameter)))
    if given.get(RANDOM_PADDING.parameter) and given.get("pad_inches") is None:
        lines.append(f"{RANDOM_PADDING.long_name} has no effect without --pad_inches.")
    return lines + _unwritten(given)


def _unwritten(given: Mapping[str, Any]) -> list[str]:
    """The same for flags of files that will not be written."""
    formats = given.get("formats")
    names = [name.strip() for name in formats.split(",")] if formats is not None else None
    lines = []
    for flag_name, parameter, needed in _OF_FORMATS:
        if given.get(parameter) not in (None, False):
            if given.get("image_only"):
                lines.append(f"{flag_name} has no effect with --image_only.")
            elif names is not None and needed not in names:
                lines.append(f"{flag_name} has no effect without {needed} among --formats.")
            elif given.get("store_config") == 0 and parameter in ("lead_bbox", "lead_name_bbox"):
                lines.append(f"{flag_name} has no effect with --store_config 0.")
    return lines


# Flag, its parameter, and the format without which it does nothing.
_OF_FORMATS = (
    ("--store_config", "store_config", "kit"),
    ("--lead_bbox", "lead_bbox", "kit"),
    ("--lead_name_bbox", "lead_name_bbox", "kit"),
    ("--mask_unplotted_samples", "mask_unplotted_samples", "wfdb"),
    ("--trace-density", "trace_density", "json"),
)

ALL_FLAGS = (*FLAGS, RANDOM_RESOLUTION, RANDOM_PADDING, *BENT_FLAGS, *NOTE_FLAGS)
_HIDDEN = "_misspelt"


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command(..., flags)`` one Typer option for each row of the table; ``flags`` receives what was given."""
    declared = inspect.signature(command, eval_str=True).parameters.values()
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in declared if p.name != "flags"]
    hidden = [row for row in ALL_FLAGS if row.misspelt]
    shared = [_parameter(row) for row in ALL_FLAGS] + [_parameter(row, hidden=True) for row in hidden]

    def run(**given: Any) -> None:
        mine = {p.name: given.pop(p.name) for p in own}
        for row in hidden:
            misspelt = given.pop(row.parameter + _HIDDEN)
            if misspelt not in (None, False):
                given[row.parameter] = misspelt
        command(**mine, flags=given)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
    return run


def _parameter(row: Flag, hidden: bool = False) -> inspect.Parameter:
    """A row as a parameter of a command's function; ``hidden``: by its misspelt names."""
    names = row.misspelt if hidden else row.names
    option = typer.Option(
        *names, help=row.help, rich_help_panel=row.group, show_default=row.shown, metavar=row.metavar, hidden=hidden
    )
    plain_switch = row.kind is bool and "/" not in row.names[0]
    kind: Any = bool if plain_switch else row.kind | None
    return inspect.Parameter(
        row.parameter + (_HIDDEN if hidden else ""),
        inspect.Parameter.KEYWORD_ONLY,
        default=False if plain_switch else None,
        annotation=Annotated[kind, option],
    )
