"""The look of one page, every value settled. A recipe says what may be drawn for each of these keys; a template
may set some of them; the defaults are here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ecgvec.components import HexColor, Values, cure, hex_color, key, rgb
from ecgvec.errors import RecipeError, nearest

# Grid colours by name: paper tint, minor lines, major lines. The order of the first five is that of the numbers
# 1-5 that ecg-image-kit's --standard_grid_color takes.
GRID_COLORS: dict[str, tuple[str, str, str]] = {
    "brown": ("#FFFAF3", "#EFD6BC", "#D2A277"),
    "pink": ("#FFF7FA", "#F6CBDA", "#E698B3"),
    "blue": ("#F8FAFF", "#C6D6F1", "#8FAEDC"),
    "green": ("#F5FBF6", "#BFE2C8", "#84C397"),
    "red": ("#FFF7F6", "#FAC6C3", "#E8918D"),
    "grey": ("#FFFFFF", "#D9D9D9", "#A8A8A8"),
}
PAPERS: dict[str, tuple[float, float]] = {
    "letter": (279.4, 215.9),
    "a4": (297.0, 210.0),
    "fan-fold": (280.0, 210.0),
    "fan-fold-300": (300.0, 210.0),
}
# Continuous paper: the width across the roll; its length is as long as the page needs.
ROLLS: dict[str, float] = {"roll-50": 50.0, "roll-110": 110.0, "roll-210": 210.0}


def _grid_color(text: str) -> str:
    if text in GRID_COLORS:
        return text
    try:
        return hex_color(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a grid colour: write #RRGGBB or one of {', '.join(GRID_COLORS)}") from None


def _paper(text: str) -> str:
    if text in PAPERS or text in ROLLS:
        return text
    raise ValueError(f"'{text}' is not a paper: known are {', '.join([*PAPERS, *ROLLS])}")


def _one_of(unit: str, allowed: tuple[float, ...]) -> AfterValidator:
    listed = ", ".join(f"{v:g}" for v in allowed[:-1]) + f" or {allowed[-1]:g}"

    def check(value: float) -> float:
        if value not in allowed:
            raise ValueError(f"{value:g} {unit} is not printed by ECG machines: write {listed}")
        return value

    return AfterValidator(check)


SPEEDS, GAINS = (12.5, 25.0, 50.0), (2.5, 5.0, 10.0, 20.0)
GridColor = Annotated[str, AfterValidator(_grid_color), Values((*GRID_COLORS, "#RRGGBB"))]
Paper = Annotated[str, AfterValidator(_paper), Values((*PAPERS, *ROLLS))]
Speed = Annotated[float, _one_of("mm/s", SPEEDS), Values(SPEEDS)]
Gain = Annotated[float, _one_of("mm/mV", GAINS), Values(GAINS)]
Font = Literal["sans", "sans-bold", "serif", "serif-bold", "mono", "condensed"]
Millimetres = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
LineWidth = Annotated[float, Field(ge=0.02, le=5, allow_inf_nan=False)]
Dpi = Annotated[float, Field(ge=50, le=1200, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Border = Annotated[float, Field(ge=0, le=254, allow_inf_nan=False)]
Cut = Annotated[float, Field(ge=0, le=0.45, allow_inf_nan=False)]
TextSize = Annotated[float, Field(ge=1, le=12, allow_inf_nan=False)]
_BY_GRID = "by grid colour"


class PageStyle(BaseModel):
    """Everything that decides how a page looks, in millimetres, mm/s and mm/mV."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: Paper = key("letter", "Paper.")
    orientation: Literal["landscape", "portrait"] = key("landscape", "Orientation of the paper.")
    dpi: Dpi = key(200.0, "Resolution of the images.", "dpi")
    speed: Speed = key(25.0, "Paper speed.", "mm/s")
    gain: Gain = key(10.0, "Gain.", "mm/mV")
    chest_gain: Gain | None = key(None, "Gain of the chest leads, if it differs.", "mm/mV", absent="as the gain")
    seconds: Seconds = key(10.0, "Time that a page shows.", "s")
    column_timing: Literal["consecutive", "simultaneous"] = key(
        "consecutive", "Columns show `consecutive` windows of time, or `simultaneous` ones."
    )
    cabrera: bool = key(False, "Limb leads in Cabrera order, aVL I -aVR II aVF III.")
    fit: bool = key(False, "Shorten the page's time to what fits on the paper.")
    clip: bool = key(False, "Cut traces off where they leave their row.")
    baseline: Literal["auto", "zero", "median"] = key(
        "auto",
        "What lies on a row's baseline: `zero` mV, the lead's `median`, or `auto`: zero unless the median is over 1 mV "
        "away.",
    )

    calibration_pulse: bool = key(True, "Draw the calibration pulse.")
    pulse: Literal["left", "right", "none"] = key("left", "Where the calibration pulse stands.")
    separators: Literal["none", "bar", "dashed"] = key("none", "Separators between columns.")

    grid: Literal["lines", "dots", "none"] = key("lines", "Grid: `lines`, `dots` (1 mm dots, 5 mm lines) or `none`.")
    grid_present: bool = key(True, "Draw the grid.")
    grid_color: GridColor = key("red", "Colour of the grid and its paper.")
    minor_color: HexColor | None = key(None, "Colour of the 1 mm lines or dots.", absent=_BY_GRID)
    major_color: HexColor | None = key(None, "Colour of the 5 mm lines.", absent=_BY_GRID)
    paper_color: HexColor | None = key(None, "Colour of the paper.", absent=_BY_GRID)
    tint: Literal["page", "grid"] = key("page", "What the paper's colour covers.")
    minor_width: LineWidth = key(0.1, "Width of the 1 mm lines.", "mm")
    major_width: LineWidth = key(0.2, "Width of the 5 mm lines.", "mm")
    grid_margin: Millimetres = key(4.0, "Margin around the grid.", "mm")
    bw: bool = key(False, "Black and white.")
    pad: Border = key(0.0, "White border around the page.", "mm")
    crop: Cut = key(0.0, "Share of the picture that is cut off each side.")
    label_minor_grid: bool = key(False, "Label the crossings of the 1 mm grid too.")

    trace_width: LineWidth = key(0.26, "Width of the traces.", "mm")
    trace_color: HexColor = key("#000000", "Colour of the traces.")

    lead_names: Literal["above", "below", "inline", "none"] = key("above", "Where lead names stand.")
    names_font: Font = key("serif", "Font of the lead names.")
    names_size: TextSize = key(3.6, "Size of the lead names.", "mm")

    print_header: bool = key(False, "Print a header of made-up facts.")
    header: str = key("ge", "Header: ge, philips, schiller or plain, or a .toml file.")
    header_text: str = key("", "A line of your own in the header.")
    print_footer: bool = key(True, "Print a footer.")
    footer: str = key(
        "{speed}mm/s   {gain}mm/mV   {filter} Hz",
        "Footer; it may hold {speed}, {gain}, {chest_gain}, {filter}.",
        absent="speed, gain, filter",
    )
    text_color: HexColor = key("#1A1A1A", "Colour of names, header and footer.")
    qr_code: bool = key(False, "Print a QR code of the record's path below the input folder.")


def check_style(where: str, key: str, value: object) -> None:
    """RecipeError unless ``value`` is right for the page key ``key``."""
    if key not in PageStyle.model_fields:
        raise RecipeError(f"{where}.{key} is unknown{nearest(key, PageStyle.model_fields)}")
    try:
        PageStyle.model_validate({key: value})
    except ValidationError as error:
        reason = cure(error.errors()[0], PageStyle.model_fields[key])
        raise RecipeError(f"{where}.{key} is {value!r}: {reason}") from None


class Colors(BaseModel):
    """The colours in which a page is drawn, ``#RRGGBB``: the sheet, the ground under the grid, lines, ink, text."""

    model_config = ConfigDict(frozen=True)

    sheet: str
    ground: str
    minor: str
    major: str
    trace: str
    text: str


def _mix(color: str, white: float) -> str:
    return "#" + "".join(f"{round(c + (255 - c) * white):02X}" for c in rgb(color))


def page_colors(style: PageStyle) -> Colors:
    """The page's colours: the named grid colour with the style's own overrides; greys and black where ``bw``."""
    if style.bw:
        ground, minor, major = GRID_COLORS["grey"]
        return _colors(style, ground, minor, major, "#000000", "#000000")
    named = GRID_COLORS.get(style.grid_color)
    ground, minor, major = named or (_mix(style.grid_color, 0.95), _mix(style.grid_color, 0.6), style.grid_color)
    return _colors(
        style,
        style.paper_color or ground,
        style.minor_color or minor,
        style.major_color or major,
        style.trace_color,
        style.text_color,
    )


def _colors(style: PageStyle, ground: str, minor: str, major: str, trace: str, text: str) -> Colors:
    sheet = ground if style.tint == "page" else "#FFFFFF"
    # Single dots need the stronger colour to be seen at all.
    weak = major if style.grid == "dots" and (style.bw or style.minor_color is None) else minor
    return Colors(sheet=sheet, ground=ground, minor=weak, major=major, trace=trace, text=text)
