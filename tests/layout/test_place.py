"""Templates and their places on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgvec.errors import TemplateError
from ecgvec.layout.place import PageSpec, fitting_seconds, place
from ecgvec.layout.style import PageStyle
from ecgvec.layout.template import default_template, fill, load_template, rhythm_leads
from ecgvec.record.leads import STANDARD_12
from ecgvec.resources import listing


def _spec(template: str = "3x4+1R", leads: tuple[str, ...] = STANDARD_12, **style: Any) -> PageSpec:
    loaded = load_template(template)
    page = PageStyle.model_validate({**loaded.page, **style})
    rows = fill(loaded, leads, page.cabrera)
    seconds = fitting_seconds(page, len(rows[0]))
    return PageSpec(
        template=template, rows=rows, rhythm=rhythm_leads(loaded, "template", leads), style=page, seconds=seconds
    )


@pytest.mark.parametrize("name", listing("pages"))
def test_every_template_shows_every_lead_inside_the_paper(name: str) -> None:
    leads = (*STANDARD_12, "V7", "V8", "V9") if name == "15-lead" else STANDARD_12
    layout = place(_spec(name, leads))
    assert {panel.lead for panel in layout.panels} == set(leads)
    for panel in layout.panels:
        assert 0 <= panel.box.x0 < panel.box.x1 <= layout.width
        assert 0 <= panel.box.y0 < panel.baseline < panel.box.y1 <= layout.height


def test_baselines_and_trace_starts_lie_on_major_lines() -> None:
    layout = place(_spec())
    for panel in layout.panels:
        assert (panel.baseline - layout.grid_origin[1]) / 5 == pytest.approx(
            round((panel.baseline - layout.grid_origin[1]) / 5)
        )
    assert layout.panels[0].box.x0 == layout.grid_origin[0]


@pytest.mark.parametrize(
    ("count", "name"),
    [
        (1, "1-column"),
        (3, "1-column"),
        (6, "1-column"),
        (8, "2-column"),
        (11, "2-column"),
        (13, "3-column"),
        (20, "3-column"),
    ],
)
def test_sensible_default_for_any_number_of_leads(count: int, name: str) -> None:
    leads = tuple(f"ECG {i}" for i in range(count))
    assert default_template(leads) == name
    rows = fill(load_template(name), leads, cabrera=False)
    assert sorted(slot for row in rows for slot in row if slot) == sorted(leads)


def test_twelve_and_fifteen_leads() -> None:
    assert default_template(STANDARD_12) == "3x4+1R"
    fifteen = (*STANDARD_12, "X", "Y", "Z")
    assert default_template(fifteen) == "15-lead"
    assert [row[-1] for row in fill(load_template("15-lead"), fifteen, cabrera=False)] == ["X", "Y", "Z"]


def test_cabrera_order() -> None:
    rows = fill(load_template("12x1"), STANDARD_12, cabrera=True)
    assert [row[0] for row in rows[:6]] == ["aVL", "I", "-aVR", "II", "aVF", "III"]
    stacked = fill(load_template("1-column"), STANDARD_12, cabrera=True)
    assert [row[0] for row in stacked[:6]] == ["aVL", "I", "-aVR", "II", "aVF", "III"]


def test_absent_leads_are_named_with_a_cure() -> None:
    with pytest.raises(TemplateError, match=r"needs lead aVR, V1.*the record has I, II.*1-column"):
        fill(load_template("3x4"), ("I", "II"), cabrera=False)
    with pytest.raises(TemplateError, match="Cabrera order needs all six limb leads"):
        fill(load_template("1-column"), ("I", "II"), cabrera=True)


def test_rhythm_strips() -> None:
    template = load_template("3x4+3R")
    assert rhythm_leads(template, "template", STANDARD_12) == ("V1", "II", "V5")
    assert rhythm_leads(template, "None", STANDARD_12) == ()
    assert rhythm_leads(template, "v2, avf", STANDARD_12) == ("V2", "aVF")
    assert rhythm_leads(template, "II", ("V1", "V2")) == ("V1",)  # the record's first lead takes its place


def test_what_does_not_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(
        TemplateError, match=r"10 s at 50 mm/s are 500 mm long, a4 landscape has room for 272.0 mm"
    ) as caught:
        fitting_seconds(PageStyle(speed=50, paper="a4"), 4)
    assert "--seconds to 5.44" in str(caught.value)


def test_fit_shortens_to_what_fits() -> None:
    style = PageStyle(speed=50, paper="a4", fit=True)
    seconds = fitting_seconds(style, 4)
    assert seconds == 5.44
    assert fitting_seconds(PageStyle(speed=50, paper="a4", seconds=seconds), 4) == seconds


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(TemplateError, match=r"has 12 rows, roll-50 landscape has room for \d"):
        place(_spec("12x1", paper="roll-50"))


def test_a_roll_is_as_long_as_the_strip() -> None:
    slow, fast = (place(_spec(paper="roll-210", speed=speed)) for speed in (25.0, 50.0))
    assert slow.height == fast.height == 210
    assert fast.width - slow.width == pytest.approx(250 + 5)  # ten seconds, and the pulse's 0.2 s, at twice the speed
    upright = place(_spec("1-column", leads=("I", "II"), paper="roll-110", orientation="portrait", seconds=3))
    assert upright.width == 110


def test_gains_apart_make_a_two_step_pulse() -> None:
    layout = place(_spec(chest_gain=5.0))
    assert all(pulse.gains == (10.0, 5.0) for pulse in layout.pulses[:3])
    assert layout.pulses[3].gains == (10.0,)  # the rhythm strip is lead II alone


def test_own_template_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text('title = "two"\nextends = "3x4"\nrows = [["V1", "V2"]]\n[page]\ngrid_color = "green"\n')
    template = load_template(str(file))
    assert template.rows == (("V1", "V2"),)
    assert template.page == {"grid_color": "green"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('rows = [["I"]]\nryhthm = ["II"]\n', "ryhthm is unknown; did you mean 'rhythm'"),
        ('rows = [["I"]]\n[page]\ngird = "dots"\n', "page.gird is unknown; did you mean 'grid'"),
        ('rows = [["I"]]\n[page]\ngrid = "dost"\n', "page.grid is 'dost'"),
        ("title = 'x'\n", "give either rows"),
        ('rows = [["I"], ["II", "III"]]\n', "same number of columns"),
        ("rows = [[\n", "is not TOML"),
    ],
)
def test_wrong_templates_are_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(TemplateError, match=words):
        load_template(str(file))
