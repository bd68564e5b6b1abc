"""The look of one page, every value settled. A recipe says what may be drawn for each of these keys; a template
may set some of them; the defaults are here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ecgvec.components import HexColor, cure, hex_color, rgb
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


def _one_of(unit: str, *allowed: float) -> AfterValidator:
    def check(value: float) -> float:
        if value not in allowed:
            raise ValueError(f"{value:g} {unit} is not printed by ECG machines: write {_listed(allowed)}")
        return value

    return AfterValidator(check)


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{v:g}" for v in values[:-1]) + f" or {values[-1]:g}"


GridColor = Annotated[str, AfterValidator(_grid_color)]
Paper = Annotated[str, AfterValidator(_paper)]
Speed = Annotated[float, _one_of("mm/s", 12.5, 25.0, 50.0)]
Gain = Annotated[float, _one_of("mm/mV", 2.5, 5.0, 10.0, 20.0)]
Font = Literal["sans", "sans-bold", "serif", "serif-bold", "mono", "condensed"]
Millimetres = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
LineWidth = Annotated[float, Field(ge=0.02, le=5, allow_inf_nan=False)]


class PageStyle(BaseModel):
    """Everything that decides how a page looks, in millimetres, mm/s and mm/mV."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: Paper = "letter"
    orientation: Literal["landscape", "portrait"] = "landscape"
    dpi: Annotated[float, Field(ge=50, le=1200, allow_inf_nan=False)] = 200.0
    speed: Speed = 25.0
    gain: Gain = 10.0
    chest_gain: Gain | None = None
    seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 10.0
    column_timing: Literal["consecutive", "simultaneous"] = "consecutive"
    cabrera: bool = False
    fit: bool = False
    clip: bool = False
    baseline: Literal["auto", "zero", "median"] = "auto"

    calibration_pulse: bool = True
    pulse: Literal["left", "right", "none"] = "left"
    separators: Literal["none", "bar", "dashed"] = "none"

    grid: Literal["lines", "dots", "none"] = "lines"
    grid_present: bool = True
    grid_color: GridColor = "red"
    minor_color: HexColor | None = None
    major_color: HexColor | None = None
    paper_color: HexColor | None = None
    tint: Literal["page", "grid"] = "page"
    minor_width: LineWidth = 0.1
    major_width: LineWidth = 0.2
    grid_margin: Millimetres = 4.0
    bw: bool = False
    pad: Annotated[float, Field(ge=0, le=254, allow_inf_nan=False)] = 0.0
    crop: Annotated[float, Field(ge=0, le=0.45, allow_inf_nan=False)] = 0.0
    label_minor_grid: bool = False

    trace_width: LineWidth = 0.26
    trace_color: HexColor = "#000000"

    lead_names: Literal["above", "below", "inline", "none"] = "above"
    names_font: Font = "serif"
    names_size: Annotated[float, Field(ge=1, le=12, allow_inf_nan=False)] = 3.6

    print_header: bool = False
    header: str = "ge"
    header_text: str = ""
    print_footer: bool = True
    footer: str = "{speed}mm/s   {gain}mm/mV   {filter} Hz"
    text_color: HexColor = "#1A1A1A"
    qr_code: bool = False


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
