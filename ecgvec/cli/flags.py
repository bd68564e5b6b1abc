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
from ecgvec.cli.flag import Flag, Overrides, flag
from ecgvec.cli.note_flags import NOTE_FLAGS, note_overrides, notes_idle
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.record.leads import split_names

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
    flag("--template --config_file", "layout.template", str, _WHAT, "Page template: a name (see `ecgvec templates`), a .toml file, or `auto`, which goes by the leads present.", "by number of leads", metavar="NAME"),
    flag("--rhythm --full_mode", "layout.rhythm", str, _WHAT, "Leads of the rhythm strips, separated by commas; `None` for no strip. A lead that the record lacks becomes its first lead.", "the template's", metavar="LEADS"),
    flag("--num_columns", "layout.num_columns", int, _WHAT, "Columns of leads, in place of a template; -1: the template's.", "-1"),
    flag("--column-timing", "page.column_timing", str, _WHAT, "Columns show `consecutive` windows of time, or `simultaneous` ones.", "consecutive", metavar="MODE"),
    flag("--cabrera/--no-cabrera", "page.cabrera", bool, _WHAT, "Limb leads in Cabrera order: aVL I -aVR II aVF III.", "no"),
    flag("--leads", "record.leads", str, _WHAT, "Draw only these leads, in this order, separated by commas (quote a name that has a comma).", "all", metavar="LEADS", value=split_names),
    flag("--derive-leads/--no-derive-leads", "record.derive_leads", bool, _WHAT, "Derive missing limb leads from two that are present.", "no"),
    flag("-st --start", "record.first_sample", int, _WHAT, "First sample of a single image.", "every full window", metavar="SAMPLE"),
    flag("--partial-page", "record.partial_page", str, _WHAT, "The part of a record that fills less than a page: `drop` or `keep` it.", "drop", metavar="MODE"),
    flag("--paper", "page.paper", str, _PAPER, "letter, a4, fan-fold, fan-fold-300, roll-50, roll-110 or roll-210.", "letter", metavar="NAME"),
    flag("--orientation", "page.orientation", str, _PAPER, "landscape or portrait.", "landscape", metavar="NAME"),
    flag("-r --resolution --dpi", "page.dpi", float, _PAPER, "Resolution of the images in dots per inch, 50 to 1200.", "200 dpi", metavar="DPI"),
    flag("--speed", "page.speed", float, _PAPER, "Paper speed: 12.5, 25 or 50 mm/s.", "25 mm/s", metavar="MM/S"),
    flag("--gain", "page.gain", float, _PAPER, "Gain: 2.5, 5, 10 or 20 mm/mV.", "10 mm/mV", metavar="MM/MV"),
    flag("--chest-gain", "page.chest_gain", float, _PAPER, "Gain of the chest leads, if it differs.", "as --gain", metavar="MM/MV"),
    flag("--seconds", "page.seconds", float, _PAPER, "Seconds of signal on a page.", "10 s", metavar="S"),
    flag("--fit/--no-fit", "page.fit", bool, _PAPER, "Shorten the page's time to fit the paper.", "no"),
    flag("--baseline", "page.baseline", str, _PAPER, "What lies on a row's baseline: `zero` mV, the lead's `median`, or `auto` (zero unless the median is over 1 mV away).", "auto", metavar="MODE"),
    flag("--pad_inches", "page.pad", float, _PAPER, "White border around the page in inches, 0 to 10.", "0 in", metavar="INCHES", value=lambda inches: inches * MM_PER_INCH),
    flag("--clip/--no-clip", "page.clip", bool, _PAPER, "Cut traces off where they leave their row.", "no"),
    flag("--grid", "page.grid", str, _GRID, "`lines`, `dots` (1 mm dots, 5 mm lines) or `none`.", "lines", metavar="KIND"),
    flag("--grid-color", "page.grid_color", str, _GRID, "brown, pink, blue, green, red, grey or #RRGGBB.", "red", metavar="COLOR"),
    flag("--standard_grid_color", "page.grid_color", int, _GRID, "The same by number: 1 brown, 2 pink, 3 blue, 4 green, 5 red.", "5", metavar="1-5", value=_standard_color),
    flag("--random_grid_color", "page.grid_color", bool, _GRID, "Draw one of these five colours for each image.", "no", value=lambda _: {"choice": list(_COLORS)}),
    flag("--random_grid_present", "page.grid_present", float, _GRID, "Probability of a grid.", "1", metavar="P", value=_probability),
    flag("--minor-color", "page.minor_color", str, _GRID, "Colour of the 1 mm lines or dots.", "by grid colour", metavar="#RRGGBB"),
    flag("--major-color", "page.major_color", str, _GRID, "Colour of the 5 mm lines.", "by grid colour", metavar="#RRGGBB"),
    flag("--paper-color", "page.paper_color", str, _GRID, "Colour of the paper.", "by grid colour", metavar="#RRGGBB"),
    flag("--trace-width", "page.trace_width", float, _INK, "Width of the traces in mm.", "0.26 mm", metavar="MM"),
    flag("--trace-color", "page.trace_color", str, _INK, "Colour of the traces.", "#000000", metavar="#RRGGBB"),
    flag("--bw/--no-bw", "page.bw", bool, _INK, "Black and white.", "no"),
    flag("--random_bw", "page.bw", float, _INK, "Probability of black and white.", "0", metavar="P", value=_probability),
    flag("--pulse", "page.pulse", str, _MARKS, "Place of the calibration pulse: left, right or none.", "left", metavar="PLACE"),
    flag("--calibration_pulse --random_dc", "page.calibration_pulse", float, _MARKS, "Probability of the calibration pulse.", "1", metavar="P", value=_probability),
    flag("--separators", "page.separators", str, _MARKS, "Between columns: none, bar or dashed.", "none", metavar="KIND"),
    flag("--lead-names", "page.lead_names", str, _MARKS, "Lead names above, below, inline or none.", "above", metavar="PLACE"),
    flag("--deterministic_lead", "page.lead_names", bool, _MARKS, "Lead names on every image (as by default).", "yes", value=lambda _: None),
    flag("--remove_lead_names", "page.lead_names", bool, _MARKS, "No lead names.", "no", value=lambda _: "none"),
    flag("--names-font", "page.names_font", str, _MARKS, "Face of the lead names: sans, sans-bold, serif, serif-bold, mono or condensed.", "serif", metavar="NAME"),
    flag("--print_header/--no-print_header", "page.print_header", bool, _MARKS, "A header of made-up facts on every image.", "no"),
    flag("--random_print_header --random_print --random_add_header", "page.print_header", float, _MARKS, "Probability of such a header.", "0", metavar="P", value=_probability),
    flag("--header", "page.header", str, _MARKS, "Which header: ge, philips, schiller or plain, or a .toml file.", "ge", metavar="NAME"),
    flag("--header-text", "page.header_text", str, _MARKS, "A line of your own in the header.", "none", metavar="TEXT"),
    flag("--header-fields", "header.fields", str, _MARKS, "Facts of the record that the header may show: age (as a band), sex, dx (codes); separated by commas.", "none", metavar="FIELDS", value=split_names),
    flag("--footer", "page.footer", str, _MARKS, "Footer; may hold {speed}, {gain}, {chest_gain}, {filter}.", "speed, gain, filter", metavar="TEXT"),
    flag("--print_footer/--no-print_footer", "page.print_footer", bool, _MARKS, "A footer on every image.", "yes"),
    flag("--add_qr_code/--no-add_qr_code", "page.qr_code", bool, _MARKS, "A QR code of the record's path below the input folder.", "no"),
    flag("-se --seed", "output.seed", int, _RUN, "Seed of all random numbers.", "0"),
    flag("--variants", "output.variants", int, _RUN, "Images of each window.", "1", metavar="N"),
    flag("--max_num_images --num_images", "output.max_images", int, _RUN, "At most this many images.", "all", metavar="N"),
    flag("--formats", "output.formats", str, _RUN, "What to write, separated by commas: png, svg, pdf, gt, gt-svg, json, kit, coco, yolo, masks, nnunet, wfdb, kaggle, grid, hf, parquet, map, warped-svg, gt-warped-svg.", "png,svg,gt,json,kit", metavar="NAMES", value=split_names),
    flag("--image_only", "output.image_only", bool, _RUN, "Write the PNG alone.", "no"),
    flag("--store_config", "output.kit_level", int, _RUN, "What kit/NAME-K.json holds: 0 no file, 1 the leads, 2 also the page's look and damage; boxes only with the next two flags. Without this flag: everything.", "2, with all boxes", metavar="0-2"),
    flag("--lead_bbox --bbox", "output.kit_lead_boxes", bool, _RUN, "Boxes of the leads in the JSON of --store_config.", "yes without --store_config"),
    flag("--lead_name_bbox --store_text_bounding_box", "output.kit_text_boxes", bool, _RUN, "Boxes of the leads' names there.", "yes without --store_config"),
    flag("--mask_unplotted_samples/--no-mask_unplotted_samples --mask-unplotted", "output.mask_unplotted", bool, _RUN, "Write NaN in the WFDB where nothing was plotted; without --formats, also write `wfdb`.", "no"),
    flag("--trace-density", "output.trace_density", str, _RUN, "Points of the dense traces, per px or mm, as in `2/px`, `10/mm`.", "one a sample", metavar="N/UNIT"),
    flag("--minor-grid/--no-minor-grid", "page.label_minor_grid", bool, _RUN, "Also label the crossings of the 1 mm grid.", "no"),
    flag("--anonymous-names/--no-anonymous-names", "output.anonymous_names", bool, _RUN, "Number the images; do not name them after records.", "no"),
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
