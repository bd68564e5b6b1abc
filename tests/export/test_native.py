"""The native JSON: strict, as its schema says, and tight."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import ecgvec
from ecgvec.errors import SourceError
from ecgvec.export.native import dense
from ecgvec.record.model import Record
from tests.export.native import SCHEMA, document


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"template": "ge", "qr_code": True, "label_minor_grid": True},
        {"grid": "none", "crop": 0.3, "bw": True},
        {"cabrera": True, "chest_gain": 5, "clip": True, "pad": 25.4},
    ],
)
def test_every_page_is_as_the_schema_says(demo_record: Record, page: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document(ecgvec.render(demo_record, **page)), SCHEMA)


def test_a_page_with_gaps_is_strict_json(demo_record: Record) -> None:
    signals = demo_record.signals.copy()
    signals[:800, 2] = np.nan
    jsonschema.validate(document(ecgvec.render(Record("r", 500.0, signals, demo_record.leads))), SCHEMA)


def test_the_schema_notices_what_is_wrong(demo_record: Record) -> None:
    wrong = document(ecgvec.render(demo_record))
    wrong["labels"]["traces"][0]["boxx"] = [1, 2, 3, 4]
    with pytest.raises(jsonschema.ValidationError, match="boxx"):
        jsonschema.validate(wrong, SCHEMA)


def test_boxes_are_tight_to_the_ink(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, grid="none", template="ge", paper_color="#FFFFFF", qr_code=True, dpi=200)
    dark = (sheet.image < 200).any(axis=2)
    labels = document(sheet)["labels"]
    everything = np.zeros_like(dark)
    for label in (*labels["traces"], *labels["texts"], *labels["pulses"]):
        x, y, width, height = label["box"]
        x0, y0, x1, y1 = int(x), int(y), int(np.ceil(x + width)), int(np.ceil(y + height))
        everything[y0:y1, x0:x1] = True
    (qx, qy), (rx, ry) = labels["qr"]["quad"][0], labels["qr"]["quad"][2]
    everything[int(qy) : int(np.ceil(ry)), int(qx) : int(np.ceil(rx))] = True
    separators = sheet.scene.only({"separator"})
    for mark in separators.shapes():
        (a, b), (c, d) = sheet.warp.forward(np.array(mark.path.bounds()).reshape(2, 2))
        everything[int(b) - 1 : int(d) + 2, int(a) - 2 : int(c) + 3] = True
    assert not (dark & ~everything).any()  # no ink outside its box
    for label in (*labels["texts"], *labels["pulses"]):  # and the ink reaches all four sides within half a pixel
        x, y, width, height = label["box"]
        x0, y0, x1, y1 = int(x), int(y), int(np.ceil(x + width)), int(np.ceil(y + height))
        ink = 1 - sheet.image[y0:y1, x0:x1].min(axis=2) / 255
        columns, rows = np.flatnonzero(ink.max(axis=0) > 0.02), np.flatnonzero(ink.max(axis=1) > 0.02)
        assert columns[0] + x0 - 0.5 <= x <= columns[0] + x0 + 1
        assert rows[0] + y0 - 0.5 <= y <= rows[0] + y0 + 1
        assert columns[-1] + x0 <= x + width <= columns[-1] + x0 + 1.5
        assert rows[-1] + y0 <= y + height <= rows[-1] + y0 + 1.5


def test_reading_order_is_that_of_a_reader(demo_record: Record) -> None:
    labels = document(ecgvec.render(demo_record, template="ge"))["labels"]["texts"]
    ordered = sorted(labels, key=lambda text: text["order"])
    assert [text["order"] for text in ordered] == list(range(len(ordered)))
    names = [text["text"] for text in ordered if text["role"] == "lead-name"]
    assert names == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    roles = [text["role"] for text in ordered]
    assert roles == sorted(roles, key=["header-text", "lead-name", "footer-text"].index)


def test_lattice_and_axes_tell_time_and_voltage(demo_record: Record) -> None:
    sheet = ecgvec.render(demo_record, label_minor_grid=True)
    labels = document(sheet)
    homography = np.array(labels["image"]["homography"])
    grid = np.array(labels["labels"]["grid"]["crossings"])
    minor = np.array(labels["labels"]["minor_grid"]["crossings"])
    scale = labels["image"]["px_per_mm"]
    assert np.allclose(np.diff(grid[..., 0], axis=1), 5 * scale, atol=2e-6)
    assert np.allclose(np.diff(minor[..., 1], axis=0), scale, atol=2e-6)
    trace = labels["labels"]["traces"][5]
    axes, arrays = trace["axes"], np.load(io.BytesIO(dense(sheet)))
    xy = arrays[f"{trace['id']}/xy"]
    mm = (np.linalg.inv(homography) @ np.column_stack([xy, np.ones(len(xy))]).T).T[:, :2]
    t = axes["t0"] + (mm[:, 0] - axes["x0"]) / axes["speed"]
    mv = (axes["zero_y"] - mm[:, 1]) / (axes["gain"] * axes["polarity"])
    assert np.abs(t - arrays[f"{trace['id']}/t"]).max() < 1e-6
    assert np.abs(mv - arrays[f"{trace['id']}/mv"]).max() < 5e-4


def test_a_foreign_json_is_named(tmp_path: Path) -> None:
    for text, words in (("{}", "is not a JSON that ecgvec has written"), ("{", "is not a whole sidecar")):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(SourceError, match=rf"x\.json {words}"):
            ecgvec.load(tmp_path / "x.json")
