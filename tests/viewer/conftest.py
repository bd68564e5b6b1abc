"""A folder of four images with its gallery, and a headless Chromium that has no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import ecgvec
from ecgvec.pipeline import render
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.sheet import Sheet
from ecgvec.viewer.gallery import Gallery, write_gallery
from tests.graphics.renderers import CHROMIUM_FLAGS, program

EVIL = '</script><img src=x onerror="window.evil=1"><script>window.evil=2</script>{{cards}}<!--data-->'
NAMES = ("bent", "evil", "flat", "jpg")  # as the gallery sorts them
BENT = {
    "page.dpi": 110,
    "layout.template": "3x4+1R",
    "marks.broken-trace.amount": 0.25,
    "marks.broken-trace.length": 4,
    "notes.probability": 1,
    "notes.words": 2,
}
SMALL = {"page.dpi": 60, "layout.template": "6x2", "output.trace_density": "1/px"}


@dataclass(frozen=True)
class Shown:
    """A folder of images, the sheets that they were made of, and their gallery."""

    folder: Path
    sheets: dict[str, Sheet]
    gallery: Gallery


@pytest.fixture(scope="session")
def sheets(demo_record: Record) -> dict[str, Sheet]:
    """A bent page with gaps in its pen and a note, a flat one with an inverted lead, and a small one."""
    return {
        "bent": render(demo_record, load_recipe("phone-photo", BENT), seed=4),
        "flat": ecgvec.render(demo_record, dpi=120, cabrera=True, qr_code=True, print_header=True),
        "jpg": render(demo_record, load_recipe("clean", SMALL), seed=1),
    }


@pytest.fixture(scope="session")
def shown(sheets: dict[str, Sheet], tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("shown") / "some pages"
    for name, sheet in sheets.items():
        sheet.save(folder / name, ["jpg" if name == "jpg" else "png", "json"])
    sheets["jpg"].save(folder / "evil", ["png", "json"])
    spoil(next((folder / "evil").glob("*.json")))
    gallery = write_gallery(folder, title=f"A title {EVIL}")
    return Shown(folder, sheets, gallery)


def spoil(sidecar: Path) -> None:
    """Put HTML wherever a sidecar has words that the gallery shows, and into the name of the image."""
    document = json.loads(sidecar.read_text())
    document["plan"]["recipe"] = document["plan"]["page"]["template"] = document["plan"]["record"]["path"] = EVIL
    for text in document["labels"]["texts"]:
        text["text"] = EVIL
    document["labels"]["traces"][0]["lead"] = EVIL
    name = '"><img src=x onerror=window.evil=3>'
    for path in list(sidecar.parent.iterdir()):
        path.rename(path.with_name(name + path.suffix))
    sidecar.with_name(f"{name}.json").write_text(json.dumps(document))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = program("chromium")
    flags = [flag for flag in CHROMIUM_FLAGS if flag not in ("--headless", "--hide-scrollbars")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page of the browser, what it asked for, and what it complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture
def opened(chromium: Browser, shown: Shown) -> Iterator[Opened]:
    """The gallery, opened from its file with the network off. In the end: no request left, no script failed."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    found = Opened(context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    found.page.goto(shown.gallery.path.as_uri(), wait_until="load")
    yield found
    outside = [url for url in found.asked if not url.startswith((shown.gallery.path.as_uri(), "data:", "blob:"))]
    assert (outside, found.errors) == ([], [])
    context.close()


def open_image(page: Page, name: str) -> None:
    """Click the card of one of the four images, and wait until it is drawn."""
    at = NAMES.index(name) + 1
    page.click(f'#cards a[href="#{at}"]')
    page.wait_for_selector(f'#stage[data-open="{at}"]')


def value(page: Page) -> dict[str, Any]:
    """What is shown under the pointer: text, and the sample's lead, seconds and millivolts as the text says them."""
    if not page.is_visible("#value"):
        return {"text": ""}
    facts = page.locator("#value span").all_inner_texts()
    found: dict[str, Any] = {"text": page.inner_text("#value"), "lead": page.inner_text("#value b")}
    if facts and facts[-1].endswith(" mV"):
        found["t"] = float(facts[0].removesuffix(" s"))
        found["mv"] = float(facts[1].removesuffix(" mV").replace("−", "-"))
    return found
