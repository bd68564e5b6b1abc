"""The format ``kit``: the keys that users of ecg-image-kit read, and boxes that hold what they say."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
import ecgvec.export.kit  # adds the format
from ecgvec.export.formats import FORMATS
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Lead, Record
from ecgvec.sheet import Sheet

LEVEL_1 = "sampling_frequency width height x_grid y_grid resolution pad_inches leads"
LEVEL_2 = (
    "grid_line_width grid_line_color_major grid_line_color_minor ecg_plot_color dc_pulse bw gridlines printed_text "
    "number_of_columns_in_image full_mode_lead handwritten_text num_words x_offset_for_handwritten_text "
    "y_offset_for_handwritten_text wrinkles crease_angle number_of_creases_horizontally number_of_creases_vertically "
    "augment crop temperature rotate noise"
)
EXTRA = "calibration_pulses"


def rendered(record: Record, **overrides: Any) -> Sheet:
    keys = {key.replace("__", "."): value for key, value in overrides.items()}
    return ecgvec.render(record, load_recipe("clean", keys), seed=3)


def config(sheet: Sheet) -> dict[str, Any]:
    """The JSON as a strict reader sees it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    files = FORMATS.get("kit").files(sheet, "ward/r-0")
    assert set(files) == {"kit/ward/r-0.json", "kit/text_bounding_box/ward/r-0.txt"}
    document: dict[str, Any] = json.loads(files["kit/ward/r-0.json"].decode(), parse_constant=refuse)
    return document


def edges(box: dict[str, list[float]]) -> tuple[float, float, float, float]:
    """Top, left, bottom, right of a box whose corners run clockwise from the top left, row first."""
    (y0, x0), (y1, x1) = box["0"], box["2"]
    assert box == {"0": [y0, x0], "1": [y0, x1], "2": [y1, x1], "3": [y1, x0]}
    assert y0 < y1
    assert x0 < x1
    return y0, x0, y1, x1


def dark(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = image.max(axis=2) < 128
    return found


def ink_edges(image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of all ink of a white page."""
    rows, columns = np.nonzero((image < 250).any(axis=2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


LOOKS: list[dict[str, Any]] = [
    {},
    {"page__pad": 12.7, "page__dpi": 150},
    {"page__crop": 0.04},
    {"page__grid": "dots", "page__bw": True, "page__pulse": "right", "layout__num_columns": 2},
]


@pytest.mark.parametrize("look", LOOKS)
def test_all_keys_of_level_2(demo_record: Record, look: dict[str, Any]) -> None:
    document = config(rendered(demo_record, **look))
    assert set(document) == set(f"{LEVEL_1} {LEVEL_2} {EXTRA}".split())
    for lead in document["leads"]:
        assert set(lead) == {
            "lead_name", "lead_bounding_box", "text_bounding_box", "start_sample", "end_sample", "plotted_pixels",
            "rhythm", "visible",
        }  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_boxes_hold_the_ink_of_the_traces_and_nothing_else(demo_record: Record, look: dict[str, Any]) -> None:
    sheet = rendered(demo_record, **look)
    document = config(sheet)
    assert (document["height"], document["width"]) == sheet.image.shape[:2]
    boxes = np.array([edges(lead["lead_bounding_box"]) for lead in document["leads"]])
    union = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    size = (*sheet.image.shape[:2], *sheet.image.shape[:2])
    np.testing.assert_allclose(np.clip(union, 0, size), ink_edges(sheet.trace_image), rtol=0, atol=1.0)
    for pulse in document["calibration_pulses"]:
        top, left, bottom, right = edges(pulse["bounding_box"])
        piece = dark(sheet.image)[int(top) : int(bottom) + 1, max(0, int(left)) : int(right) + 1]
        assert piece.any()
        for other in boxes:  # no trace's box swallows a pulse
            assert right <= other[1] or left >= other[3] or bottom <= other[0] or top >= other[2]


@pytest.mark.parametrize("look", LOOKS)
def test_plotted_pixels_lie_on_the_ink(demo_record: Record, look: dict[str, Any]) -> None:
    sheet = rendered(demo_record, **look)
    ink = dark(sheet.trace_image)
    for lead in config(sheet)["leads"]:
        points = np.array(lead["plotted_pixels"], dtype=np.float64)
        assert len(points) == lead["end_sample"] - lead["start_sample"]
        rows, columns = np.floor(points).astype(int).T
        inside = (rows >= 0) & (rows < ink.shape[0]) & (columns >= 0) & (columns < ink.shape[1])
        assert inside.any() == lead["visible"]
        assert ink[rows[inside], columns[inside]].mean() > 0.95


def test_samples_of_each_lead(demo_record: Record) -> None:
    leads = config(rendered(demo_record))["leads"]
    spans = {(lead["lead_name"], lead["rhythm"]): (lead["start_sample"], lead["end_sample"]) for lead in leads}
    assert spans["aVL", False] == (1250, 2500)
    assert spans["V6", False] == (3750, 5000)
    assert spans["II", True] == (0, 5000)
    assert len(spans) == 13


def test_names_stand_in_their_boxes(demo_record: Record) -> None:
    sheet = rendered(demo_record, page__grid="none")
    for lead in config(sheet)["leads"]:
        top, left, bottom, right = edges(lead["text_bounding_box"])
        outer = sheet.image[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        assert dark(outer).any()
        panel = edges(lead["lead_bounding_box"])
        assert panel[1] - 2 < left < panel[3]  # the name stands at its own trace
        assert abs((top + bottom) - (panel[0] + panel[2])) / 2 < 200
    nameless = config(rendered(demo_record, page__lead_names="none"))
    assert not any("text_bounding_box" in lead for lead in nameless["leads"])


def test_values_drawn(demo_record: Record) -> None:
    document = config(rendered(demo_record))
    assert document["sampling_frequency"] == 500
    assert isinstance(document["sampling_frequency"], int)
    assert (document["x_grid"], document["y_grid"]) == (39.37, 39.37)
    assert (document["resolution"], document["pad_inches"], document["crop"]) == (200, 0, 0)
    assert document["grid_line_color_major"] == [0.9098, 0.5686, 0.5529]
    assert document["ecg_plot_color"] == [0, 0, 0]
    assert document["grid_line_width"] == pytest.approx(0.2 / 25.4 * 72, abs=1e-4)
    assert (document["dc_pulse"], document["bw"], document["gridlines"], document["printed_text"]) == (
        True, False, True, False,
    )  # fmt: skip
    assert (document["number_of_columns_in_image"], document["full_mode_lead"]) == (4, "II")
    off = ("handwritten_text", "num_words", "wrinkles", "crease_angle", "augment", "temperature", "rotate", "noise")
    assert not any(document[key] for key in off)
    assert document["handwritten_text"] is False
    assert document["noise"] == 0


def test_values_drawn_are_not_their_bounds(demo_record: Record) -> None:
    sheet = rendered(
        demo_record, page__crop={"uniform": [0.0, 0.1]}, page__pad={"uniform": [0.0, 25.4]},
        page__grid_present=False, page__calibration_pulse=False, page__print_header=True,
        layout__rhythm="None", layout__num_columns=2, page__bw=True,
    )  # fmt: skip
    document = config(sheet)
    style = sheet.plan.page.style
    assert 0 < document["crop"] < 0.1
    assert document["crop"] == style.crop
    assert document["pad_inches"] == pytest.approx(style.pad / 25.4, abs=1e-6)
    assert 0 < document["pad_inches"] < 1
    assert (document["dc_pulse"], document["calibration_pulses"]) == (False, [])
    assert (document["gridlines"], document["printed_text"], document["bw"]) == (False, True, True)
    assert document["grid_line_color_major"] is document["grid_line_color_minor"] is None
    assert document["grid_line_width"] == 0
    assert (document["number_of_columns_in_image"], document["full_mode_lead"]) == (2, "None")


def test_gaps_and_empty_pages_are_strict_json() -> None:
    signals = np.tile(np.sin(np.arange(5000) / 20)[:, None], 2)
    signals[100:110, 0] = np.nan
    signals[2500:] = np.nan
    record = Record("r", 250, signals, (Lead("I", ""), Lead("II", "")))
    first = config(rendered(record))["leads"][0]["plotted_pixels"]
    assert [number for number, point in enumerate(first) if point == [None, None]] == list(range(100, 110))
    assert np.isfinite(np.array(first, dtype=np.float64)).all(axis=1).sum() == 2490
    empty = config(ecgvec.render(record, "clean", window=1))
    assert (empty["leads"], empty["sampling_frequency"]) == ([], None)


def test_the_other_two_files(demo_record: Record) -> None:
    sheet = rendered(demo_record, page__pad=5)
    kit = FORMATS.get("kit")
    assert kit.part is not None
    assert kit.merge is not None
    part = json.loads(json.dumps(kit.part(sheet, "r-0")))
    rows = list(csv.DictReader(io.StringIO(b"".join(kit.merge([part])["kit/gridsize.csv"]).decode())))
    assert [row["lead_name"] for row in rows] == [
        ("full" if lead["rhythm"] else "") + lead["lead_name"] for lead in config(sheet)["leads"]
    ]
    for row, lead in zip(rows, config(sheet)["leads"], strict=True):
        _, left, _, right = edges(lead["lead_bounding_box"])
        assert left - 1 <= int(row["start"]) <= left + 2
        assert right - 2 <= int(row["end"]) <= right + 1
    lines = kit.files(sheet, "r-0")["kit/text_bounding_box/r-0.txt"].decode().splitlines()
    names = {line.split(",", 4)[4]: [float(v) for v in line.split(",", 4)[:4]] for line in lines}
    for lead in config(sheet)["leads"]:
        if lead["lead_name"] != "II":  # which stands twice
            top, left, bottom, right = edges(lead["text_bounding_box"])
            np.testing.assert_allclose(names[lead["lead_name"]], [left, bottom, right, top], atol=1e-3)


def test_what_bent_the_page_is_the_value_drawn(demo_record: Record) -> None:
    bent = {
        "page__dpi": 70, "warp__creases__angle": {"integer": [0, 45]}, "warp__creases__vertical": {"integer": [1, 9]},
        "warp__creases__horizontal": 2, "warp__rotate__angle": {"integer": [-9, 9]}, "page__crop": 0.02,
        "effects__gaussian-noise__sigma": {"integer": [1, 40]},
        "effects__temperature__kelvin": {"integer": [2000, 9000]},
    }  # fmt: skip
    sheet = rendered(demo_record, **bent)
    creases, rotate = sheet.plan.warp
    document = config(sheet)
    assert document["wrinkles"] and document["augment"]
    assert document["crease_angle"] == creases.angle and document["rotate"] == rotate.angle  # type: ignore[attr-defined]
    assert document["number_of_creases_vertically"] == creases.vertical  # type: ignore[attr-defined]
    assert document["number_of_creases_horizontally"] == 2
    noise, temperature = sheet.plan.effects
    assert document["noise"] == noise.sigma and document["temperature"] == temperature.kelvin  # type: ignore[attr-defined]
    assert document["x_grid"] == pytest.approx(5 * 70 / 25.4, rel=0.05) and document["x_grid"] != document["y_grid"]
