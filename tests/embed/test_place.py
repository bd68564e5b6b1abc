"""An ECG in another SVG: its place, its ids, and a host that stays as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import ecgvec
from ecgvec import embed
from ecgvec.embed.host import read
from ecgvec.errors import SourceError
from ecgvec.graphics.raster import draw
from ecgvec.record.model import Record
from ecgvec.svg import read_traces
from tests.conftest import ROOT
from tests.embed.hosts import LETTER, blank

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def sheet(demo_record: Record) -> ecgvec.Sheet:
    return ecgvec.render(demo_record, dpi=50, template="ge", qr_code=True, clip=True, label_minor_grid=True)


def references(root: ElementTree.Element) -> list[str]:
    """All ids that anything in a document refers to."""
    found = []
    for element in root.iter():
        for name, value in element.attrib.items():
            found += re.findall(r"url\(#([^)]+)\)", value)
            if name.endswith("href") and value.startswith("#"):
                found.append(value[1:])
            if name in ("data-trace", "aria-labelledby"):
                found += value.split()
    return found


def test_ids_never_clash_and_all_references_resolve(sheet: ecgvec.Sheet) -> None:
    page = embed.page(LETTER)
    for turn in (0, 30, -90):
        page = page.with_ecg(sheet, 20, 60, 80, rotate=turn)
    page = page.with_text("made up", (20, 20)).with_text("again", (20, 25))
    root = ElementTree.fromstring(page.svg.encode())
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    assert max(ids.values()) == 1
    named = references(root)
    assert len(named) > 60 and set(named) <= set(ids)
    assert [inset.prefix for inset in page.insets] == ["ecg1-", "ecg2-", "ecg3-"]
    for inset in page.insets:
        labels = inset.labels
        own = {label.id for label in (*labels.traces, *labels.texts, *labels.pulses)}
        assert own <= set(ids) and all(name.startswith(inset.prefix) for name in own)
        assert {text.trace for text in labels.texts if text.trace} <= own


def test_the_host_stays_as_it_was_to_the_last_byte(sheet: ecgvec.Sheet) -> None:
    placed = embed.place(LETTER, sheet, 20, 60, 100)
    at = LETTER.rindex("</svg>")
    assert placed.svg.startswith(LETTER[:at]) and placed.svg.endswith(LETTER[at:])
    added = placed.svg[at : len(placed.svg) - len(LETTER[at:])]
    assert added.startswith("<g ") and added.rstrip().endswith("</g>")


@pytest.mark.parametrize(
    "host",
    [
        '<s:svg xmlns:s="http://www.w3.org/2000/svg" width="10cm" height="10cm" s:a="/>"/><!-- <svg/> -->',
        '<svg width="10cm" xmlns="http://www.w3.org/2000/svg" height="10cm" desc=\'"/>\' /> \n',
        '<?xml version="1.0" encoding="latin-1"?>'
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">\u00e4</svg>',
    ],
)
def test_roots_without_content_prefixes_and_wrong_encodings(host: str, sheet: ecgvec.Sheet) -> None:
    once = embed.place(host, sheet, 0, 0, 50)
    twice = embed.place(once.svg, sheet, 0, 0, 50)
    root = ElementTree.fromstring(twice.svg.encode().replace(b"latin-1", b"utf-8"))
    assert [child.get("id") for child in root] == ["ecg1-embedded", "ecg2-embedded"]


@pytest.mark.parametrize(
    ("size", "more", "mm"),
    [
        (("150mm", "200mm"), 'viewBox="0 0 150 200"', (150, 200)),
        (("15cm", "20cm"), 'viewBox="-30 12.5 600 800"', (150, 200)),
        (("6in", "8in"), "", (152.4, 203.2)),
        (("432pt", "48pc"), 'viewBox="10,10 1000,1000"', (152.4, 203.2)),
        (("600", "800px"), 'viewBox="100 0 300 300" preserveAspectRatio="xMaxYMin slice"', (158.75, 211.6667)),
        (("600", "800"), 'viewBox="0 0 300 100" preserveAspectRatio="none"', (158.75, 211.6667)),
        (("600", "800"), 'viewBox="0 0 300 100" preserveAspectRatio="xMinYMax meet"', (158.75, 211.6667)),
    ],
)
def test_any_unit_and_view_box(size: tuple[str, str], more: str, mm: tuple[float, float], sheet: ecgvec.Sheet) -> None:
    """The ECG, which fills the page's width, is drawn where its labels are: as the sheet alone, at that scale."""
    page = embed.page(blank(*size, more))
    assert (page.width, page.height) == pytest.approx(mm, abs=1e-3)
    dpi = 120.0
    own = sheet.scene.width
    page = page.with_ecg(sheet, 0, 0, page.width)
    image = page.drawing.draw(dpi).astype(float)
    alone = draw(sheet.scene, dpi * page.width / own).astype(float)
    height, width = np.minimum(image.shape[:2], alone.shape[:2])
    difference = np.abs(image[:height, :width] - alone[:height, :width])
    assert difference.mean() < 1 and np.percentile(difference, 99) < 40
    assert image[height + 2 :].min() == 255  # below it, the host is bare
    labels = page.insets[0].labels
    assert labels.corners[1] == pytest.approx([page.width, 0], abs=1e-9)


def test_place_width_and_turn(sheet: ecgvec.Sheet) -> None:
    placed = embed.place(blank(), sheet, 40, 50, 100, rotate=90)
    height = 100 * sheet.scene.height / sheet.scene.width
    middle = np.array([90, 50 + height / 2])
    assert placed.labels.corners.mean(axis=0) == pytest.approx(middle)
    assert placed.labels.corners[0] == pytest.approx(
        middle + np.array([height / 2, -50])
    )  # the top left goes to the top right
    assert placed.inset.quad == pytest.approx(placed.labels.corners)
    trace = placed.labels.traces[0]
    assert placed.inset.to_host(trace.axes.to_page(trace.t, trace.mv)) == pytest.approx(trace.points, nan_ok=True)


def numbers(value: Any, found: list[np.ndarray]) -> None:
    """All arrays of points within labels, in order."""
    if isinstance(value, np.ndarray) and value.dtype == float and value.shape[-1:] == (2,):
        found.append(value.reshape(-1, 2))
    elif isinstance(value, tuple):
        for item in value:
            numbers(item, found)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            numbers(getattr(value, name), found)


def test_every_point_of_every_label_goes_along(sheet: ecgvec.Sheet) -> None:
    inset = embed.place(blank(), sheet, 40, 50, 100, rotate=33).inset
    before, after = [], []
    numbers(inset.on_paper, before)
    numbers(inset.labels, after)
    assert len(before) == len(after) > 100
    for one, other in zip(before, after, strict=True):
        if len(one) == len(other) and len(one) != 128:  # outlines of traces are made anew, of 4 x 32 points
            assert inset.to_host(one) == pytest.approx(other, nan_ok=True)
    scale = 100 / sheet.scene.width
    assert inset.labels.ink_width == pytest.approx(scale * sheet.labels.ink_width)
    again = inset.labels.transform(lambda points: points * 2)  # labels in host mm may be sent further on
    direct = inset.on_paper.transform(lambda points: inset.to_host(points) * 2)
    for one, other in zip(again.traces, direct.traces, strict=True):
        for end in (np.min, np.max):
            assert end(one.outline, axis=0) == pytest.approx(end(other.outline, axis=0))


def test_labels_are_those_of_the_sheets_own_page(sheet: ecgvec.Sheet, demo_record: Record) -> None:
    """Of a photographed sheet the flat page is placed, and its labels are the page's; beats come along."""
    bent = ecgvec.render(demo_record, "phone-photo", seed=3, dpi=50)
    flat, inset = bent.labels, embed.place(blank(), bent, 0, 0, bent.scene.width).inset
    assert len(inset.labels.beats) == len(flat.beats)
    for own, known in zip(inset.labels.traces, flat.traces, strict=True):
        assert own.id == inset.prefix + known.id
        assert bent.warp.inverse(known.points) == pytest.approx(own.points, abs=1e-6, nan_ok=True)
    assert embed.place(blank(), sheet, 0, 0, 50).labels.minor is not None


def test_the_look_of_the_host_does_not_reach_the_ecg(sheet: ecgvec.Sheet) -> None:
    """LETTER has rules for all paths, for the class trace, and caps and a pen on its root."""
    dpi = 150
    styled, bare = (
        embed.page(host, texts=()).with_ecg(sheet, 20, 130, 150).with_text("made up", (30, 60)).drawing.draw(dpi)
        for host in (LETTER, blank(more='viewBox="0 0 210 297"'))
    )
    for y0, y1 in ((50, 70), (129, 250)):  # the text that was added, and the ECG; the host's own texts lie elsewhere
        part = np.s_[round(y0 * dpi / 25.4) : round(y1 * dpi / 25.4), round(12 * dpi / 25.4) :]
        assert (bare[part] < 128).any()
        assert np.array_equal(styled[part], bare[part])


def test_traces_are_read_back_from_the_host(sheet: ecgvec.Sheet) -> None:
    found, known = read_traces(embed.place(LETTER, sheet, 40, 50, 100, rotate=10).svg), read_traces(sheet.svg)
    assert found.keys() == known.keys()
    assert all(np.array_equal(found[lead], known[lead]) for lead in known)


def test_with_its_paper_or_without(sheet: ecgvec.Sheet) -> None:
    host = blank(more='viewBox="0 0 210 297" style="background:none"').replace(
        "></svg>", '><rect width="210" height="297" fill="#80C0FF"/></svg>'
    )
    opaque, clear = (embed.page(host).with_ecg(sheet, 0, 0, 210, paper=paper) for paper in (True, False))
    corner = np.s_[3:6, 3:6]
    assert (opaque.drawing.draw(100)[corner] == 255).all()
    assert (clear.drawing.draw(100)[corner] == [0x80, 0xC0, 0xFF]).all()
    assert opaque.insets[0].opaque and not clear.insets[0].opaque


def test_ink_ends_at_the_papers_edge(sheet: ecgvec.Sheet) -> None:
    scene = sheet.scene
    high = replace(sheet, scene=replace(scene, width=scene.width / 2))
    image = embed.page(blank(more='viewBox="0 0 210 297"'), texts=()).with_ecg(high, 10, 10, 50).drawing.draw(254)
    assert (image[:, 610:] == 255).all() and (image[:, 550:600] < 200).any()


BAD = {
    "": "no SVG",
    "<svg": "no SVG",
    "<html/>": "is <html>",
    '<svg width="1" height="1"/>': "xmlns",
    '<svg xmlns="http://www.w3.org/2000/svg"/>': "no width",
    blank("100%"): 'width="100%"',
    blank(height="10em"): 'height="10em"',
    blank(height="-5mm"): 'height="-5mm"',
    blank(height="1e999"): "height",
    blank(more='viewBox="0 0 0 5"'): "viewBox",
    blank(more='viewBox="0 0 5"'): "viewBox",
    blank(more='transform="scale(2)"'): "transform",
    '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + blank(): "entity 'a'",
    '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + blank(): "entity 'a'",
}


@pytest.mark.parametrize("host", BAD, ids=range(len(BAD)))
def test_bad_hosts_are_named_in_one_sentence(host: str, sheet: ecgvec.Sheet) -> None:
    for use in (lambda: embed.place(host, sheet, 0, 0, 50), lambda: embed.page(host)):
        with pytest.raises(SourceError) as caught:
            use()
        assert BAD[host] in str(caught.value) and "\n" not in str(caught.value)


def test_a_doctype_without_entities_is_no_fault() -> None:
    assert read('<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://localhost:9/svg11.dtd">' + blank()).width == 210


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"width_mm": 0}, "above 0"),
        ({"rotate": float("nan")}, "give numbers"),
        ({"prefix": "gree"}, "'greeting'"),
        ({"prefix": "1 a"}, "letter"),
    ],
)
def test_bad_places(keys: dict[str, Any], said: str, sheet: ecgvec.Sheet) -> None:
    with pytest.raises(SourceError, match=re.escape(said)):
        embed.place(LETTER, sheet, **({"x_mm": 0, "y_mm": 0, "width_mm": 50} | keys))


def test_ordinary_runs_do_not_load_it() -> None:
    code = "import sys, ecgvec, ecgvec.cli.app; print('ecgvec.embed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"
