"""The gallery in a real browser, from a file, without network: values, layers, keys, zoom, and names that are HTML."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

import ecgvec
from ecgvec.record.model import Record
from ecgvec.sheet import Sheet
from ecgvec.viewer.gallery import write_gallery
from ecgvec.viewer.gallery_data import LAYERS
from tests.viewer.conftest import EVIL, NAMES, Opened, open_image, value

SOON = 2000.0  # ms


def truth(sheet: Sheet, trace: int) -> tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """A trace's lead, seconds and millivolts of its samples from the record itself, and their places by the axes and
    the warp: nothing of what the gallery reads."""
    label = sheet.labels.traces[trace]
    index = label.first_sample + np.arange(len(label.t))
    mv = sheet.signals[index - sheet.plan.window.first, sheet.signal_leads.index(label.lead)]
    t = index / label.fs
    return label.lead, t, mv, sheet.warp.forward(label.axes.to_page(t, mv))


def point_at(page: Page, sheet: Sheet, place: NDArray[np.float64]) -> None:
    """Move the mouse to a place in image px."""
    box = page.locator("#image").bounding_box()
    assert box is not None
    scale = box["width"] / sheet.image.shape[1]
    page.mouse.move(box["x"] + float(place[0]) * scale, box["y"] + float(place[1]) * scale)


def zoom_to(page: Page, sheet: Sheet, place: NDArray[np.float64]) -> None:
    """Zoom in on a place until a pixel of the image is many on the screen, by the wheel."""
    page.keyboard.press("0")
    point_at(page, sheet, place)
    for _ in range(12):
        page.mouse.wheel(0, -200)
    point_at(page, sheet, place)


def seen_samples(sheet: Sheet) -> list[tuple[int, int]]:
    """The highest R wave, a steep flank, and a sample of another lead's last quarter: (trace, sample), all visible."""
    label = sheet.labels.traces[1]
    visible = np.flatnonzero(label.visible[:-1] & label.visible[1:])
    high = int(visible[np.argmax(np.abs(label.mv[visible]))])
    steep = int(visible[np.argmax(np.abs(np.diff(label.mv))[visible])])
    other = np.flatnonzero(sheet.labels.traces[6].visible)
    return [(1, high), (1, steep), (6, int(other[3 * len(other) // 4]))]


@pytest.mark.parametrize("name", ["flat", "bent"])
def test_the_value_under_the_pointer_is_the_samples_own(opened: Opened, sheets: dict[str, Sheet], name: str) -> None:
    page, sheet = opened.page, sheets[name]
    open_image(page, name)
    for trace, i in seen_samples(sheet):
        lead, t, mv, places = truth(sheet, trace)
        zoom_to(page, sheet, places[i])
        found = value(page)
        assert found["lead"] == lead
        assert found["t"] == pytest.approx(t[i], abs=0.0006)
        assert found["mv"] == pytest.approx(mv[i], abs=0.0006)
        assert "visible" not in found["text"]


def test_without_zoom_the_value_is_right_to_a_hundredth_of_a_millivolt(
    opened: Opened, sheets: dict[str, Sheet]
) -> None:
    page, sheet = opened.page, sheets["flat"]
    open_image(page, "flat")
    for trace, i in ((0, 400), (5, 300), (11, 150)):
        lead, _, mv, places = truth(sheet, trace)
        point_at(page, sheet, places[i])
        assert value(page)["lead"] == lead
        assert value(page)["mv"] == pytest.approx(mv[i], abs=0.01)


def test_a_sample_that_is_not_visible_says_so(opened: Opened, sheets: dict[str, Sheet]) -> None:
    """In a gap of the pen; its value is that of the record all the same."""
    page, sheet = opened.page, sheets["bent"]
    label = sheet.labels.traces[1]
    lead, t, mv, places = truth(sheet, 1)
    height, width = sheet.image.shape[:2]
    inside = ((places > 5) & (places < (width - 5, height - 5))).all(axis=1)
    i = int(np.flatnonzero(label.occluded & ~label.visible & inside)[4])
    open_image(page, "bent")
    zoom_to(page, sheet, places[i])
    found = value(page)
    assert "not visible: occluded" in found["text"]
    assert (found["lead"], found["t"]) == (lead, pytest.approx(t[i], abs=0.0006))
    assert found["mv"] == pytest.approx(mv[i], abs=0.0006)


def test_an_inverted_lead_has_the_value_as_recorded(opened: Opened, sheets: dict[str, Sheet]) -> None:
    page, sheet = opened.page, sheets["flat"]
    trace = next(i for i, label in enumerate(sheet.labels.traces) if label.polarity < 0)
    _, _, mv, places = truth(sheet, trace)
    i = int(np.argmin(mv))
    open_image(page, "flat")
    zoom_to(page, sheet, places[i])
    assert value(page)["mv"] == pytest.approx(mv[i], abs=0.0006)
    assert "upside down" in value(page)["text"]


def test_words_are_shown_where_they_stand(opened: Opened, sheets: dict[str, Sheet]) -> None:
    """The transcript of a note, the string of the QR code; and nothing where there is nothing."""
    for name, role in (("bent", "note"), ("flat", "qr")):
        labels, page = sheets[name].labels, opened.page
        page.keyboard.press("Escape")
        open_image(page, name)
        if role == "note":
            note = next(text for text in labels.texts if text.role == "note" and text.visible)
            page.keyboard.press("0")
            point_at(page, sheets[name], note.quad.mean(axis=0))
            assert note.text in value(page)["text"]
        else:
            assert labels.qr is not None
            point_at(page, sheets[name], labels.qr.quad.mean(axis=0))
            assert labels.qr.text in value(page)["text"]
    point_at(opened.page, sheets["flat"], np.array([2.0, 2.0]))
    assert value(opened.page)["text"] == ""


def displayed(page: Page) -> set[str]:
    """The layers that are painted."""
    script = "groups => groups.filter(g => g.getBoundingClientRect().width > 0).map(g => g.dataset.layer)"
    return set(page.locator("#layers .layer").evaluate_all(script))


def test_layers_are_switched_by_boxes_and_by_keys_and_stay_so(opened: Opened) -> None:
    page = opened.page
    open_image(page, "flat")
    assert displayed(page) == {"traces", "boxes"}
    page.check("#layer-names")
    assert displayed(page) == {"traces", "boxes", "names"}
    page.uncheck("#layer-boxes")
    assert displayed(page) == {"traces", "names"}
    page.keyboard.press("2")
    assert page.is_checked("#layer-boxes")
    page.keyboard.press("a")
    every = {"page", "grid", "traces", "boxes", "panels", "names", "texts", "pulses", "qr"}
    assert displayed(page) == every  # no notes, marks or beats on this page
    page.keyboard.press("a")
    assert displayed(page) == set()
    for layer in LAYERS:
        page.keyboard.press(layer.key)
        assert page.is_checked(f"#layer-{layer.id}"), layer
    page.keyboard.press("a")
    page.keyboard.press("q")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f'#stage[data-open="{NAMES.index("jpg") + 1}"]')
    assert displayed(page) == set()  # there is no QR code on that one
    assert page.is_checked("#layer-qr")


def test_painted_layers_lie_on_the_ink(opened: Opened, sheets: dict[str, Sheet]) -> None:
    """The drawn trace begins at its first sample's place on the screen, at any zoom."""
    page, sheet = opened.page, sheets["flat"]
    open_image(page, "flat")
    lead, _, _, places = truth(sheet, 0)
    script = """(paths, lead) => { const path = paths.find(p => p.dataset.lead === lead);
        const at = path.getPointAtLength(0).matrixTransform(path.getScreenCTM()); return [at.x, at.y]; }"""
    for presses in (0, 3):
        for _ in range(presses):
            page.keyboard.press("+")
        box = page.locator("#image").bounding_box()
        assert box is not None
        scale = box["width"] / sheet.image.shape[1]
        at = page.locator('#layers [data-layer="traces"] path').evaluate_all(script, lead)
        assert at == pytest.approx(
            [box["x"] + places[0, 0] * scale, box["y"] + places[0, 1] * scale], abs=0.02 * scale + 0.05
        )


def test_keys_alone_lead_to_a_value_and_back(opened: Opened, sheets: dict[str, Sheet]) -> None:
    page, sheet = opened.page, sheets["flat"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(f'#stage[data-open="{NAMES.index("flat") + 1}"]')
    page.keyboard.press("c")
    for key in ("Home", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    lead, t, mv, _ = truth(sheet, 0)
    found = value(page)
    assert (found["lead"], found["t"]) == (lead, pytest.approx(t[26], abs=0.0006))
    assert found["mv"] == pytest.approx(mv[26], abs=0.0006)
    page.keyboard.press("ArrowDown")
    assert value(page)["lead"] == truth(sheet, 1)[0]
    page.keyboard.press("End")
    assert value(page)["t"] == pytest.approx(truth(sheet, 1)[1][-1], abs=0.0006)
    page.keyboard.press("Escape")
    assert value(page)["text"] == ""
    page.keyboard.press("Escape")
    page.wait_for_selector("#cards", state="visible")
    focused = page.evaluate("document.activeElement.closest('.card').dataset.name")
    assert focused.startswith("flat/")


def test_zoom_and_pan(opened: Opened) -> None:
    page = opened.page
    open_image(page, "flat")

    def scale() -> int:
        return int(page.inner_text("#scale").removesuffix(" %"))

    def left() -> float:
        box = page.locator("#image").bounding_box()
        assert box is not None
        return box["x"]

    whole = scale()
    for press, factor in (("+", 1.5), ("+", 2.25), ("-", 1.5)):
        page.keyboard.press(press)
        assert scale() == pytest.approx(whole * factor, abs=2)
    page.keyboard.press("+")
    before = left()
    page.keyboard.press("Shift+ArrowRight")
    assert left() == pytest.approx(before - 80, abs=0.5)
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(530, 400)
    page.mouse.up()
    assert left() == pytest.approx(before - 50, abs=0.5)
    page.keyboard.press("0")
    assert scale() == whole
    page.mouse.dblclick(500, 400)
    assert scale() == pytest.approx(2 * whole, abs=2)


def test_two_fingers_zoom(opened: Opened) -> None:
    """From 200 px apart to 400: twice as large, about the middle between them."""
    page = opened.page
    open_image(page, "flat")
    before, box = int(page.inner_text("#scale").removesuffix(" %")), page.locator("#image").bounding_box()
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *xs: int) -> None:
        points = [{"x": x, "y": 400, "id": i} for i, x in enumerate(xs)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 400)
    fingers("touchStart", 400, 600)
    for reach in range(0, 101, 10):
        fingers("touchMove", 400 - reach, 600 + reach)
    fingers("touchEnd")
    page.wait_for_function(f"parseInt(document.getElementById('scale').textContent) >= {1.9 * before}")
    after, moved = int(page.inner_text("#scale").removesuffix(" %")), page.locator("#image").bounding_box()
    assert box is not None
    assert moved is not None
    assert after == pytest.approx(2 * before, rel=0.06)
    ratio = moved["width"] / box["width"]
    assert 500 - moved["x"] == pytest.approx((500 - box["x"]) * ratio, abs=12)


def test_html_in_names_recipes_and_notes_stays_text(opened: Opened) -> None:
    page = opened.page
    assert page.inner_text("h1") == f"A title {EVIL}"
    assert page.locator(".card").count() == len(NAMES)
    open_image(page, "evil")
    page.keyboard.press("a")
    assert page.inner_text("#name") == 'evil/"><img src=x onerror=window.evil=3>'
    assert EVIL in page.inner_text("#about")
    assert page.locator("#layers img, #about img, header img").count() == 0
    page.keyboard.press("c")
    assert value(page)["lead"] == EVIL
    assert page.evaluate("window.evil") is None


def test_the_page_forbids_itself_every_address(opened: Opened) -> None:
    """A request and a script that somebody got into the page are refused by its own policy."""
    script = """() => new Promise(done => {
        const seen = []; setTimeout(() => done(seen.sort()), 3000);
        addEventListener("securitypolicyviolation", e => { seen.push(e.effectiveDirective);
            if (seen.length === 3) done(seen.sort()); });
        fetch("http://127.0.0.1:9/").catch(() => {}); new Image().src = "http://127.0.0.1:9/x.png";
        const code = document.createElement("script"); code.textContent = "window.evil = 4"; document.body.append(code);
    })"""
    assert opened.page.evaluate(script) == ["connect-src", "img-src", "script-src-elem"]
    assert opened.page.evaluate("window.evil") is None
    opened.asked[:] = [url for url in opened.asked if "127.0.0.1" not in url]


def test_the_filter_finds_names_recipes_and_seeds(opened: Opened) -> None:
    page = opened.page
    for text, names in (("phone", ["bent"]), ("FLAT clean", ["flat"]), ("60 dpi", ["jpg", "evil"]), ("nobody", [])):
        page.keyboard.press("/")
        page.keyboard.type(text)
        cards = page.locator(".card:visible").evaluate_all("cards => cards.map(c => c.dataset.name.split('/')[0])")
        assert sorted(cards) == sorted(names), text
        assert page.inner_text("#count") == f"{len(names)} of {len(NAMES)} images"
        assert page.is_visible("#none") == (not names)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.locator(".card:visible").count() == len(NAMES)
    page.keyboard.type("clean")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#stage[data-open]")
    assert page.inner_text("#place") == "1 of 2"  # those that the filter leaves


@pytest.mark.parametrize("dpi", [50, pytest.param(200, marks=pytest.mark.long)])
def test_fifty_images_open_soon(chromium: Browser, demo_record: Record, tmp_path: Path, dpi: int) -> None:
    (first, *others) = ecgvec.render(demo_record, recipe="phone-photo", seed=1, dpi=dpi).save(tmp_path, ["png", "json"])
    for i in range(49):
        for path in (first, *others):
            shutil.copy(path, tmp_path / f"copy-{i}{path.suffix}")
    gallery = write_gallery(tmp_path)
    assert gallery.shown == 50
    page = chromium.new_page()
    page.goto(gallery.path.as_uri(), wait_until="commit")
    decoded = """async () => { while (document.images.length < 50) await new Promise(requestAnimationFrame);
        await Promise.all([...document.querySelectorAll(".thumb img")].map(image => image.decode()));
        return performance.now(); }"""
    thumbnails = page.evaluate(decoded)
    page.wait_for_load_state("load")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    print(f"50 images at {dpi} dpi, {gallery.size / 1e6:.0f} MB: thumbnails {thumbnails:.0f} ms, all {loaded:.0f} ms")
    assert thumbnails < SOON
    page.close()
