"""The demo: the embedded, synthesised record on many kinds of page, and an HTML page that shows them."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecgvec.export.files import write_file
from ecgvec.export.write import write_sheets
from ecgvec.record.read import read_record
from ecgvec.resources import folder
from ecgvec.sheet import Sheet
from ecgvec.viewer.overlay import inspect_images

DEMO_RECORD = "ecgvec-demo"
SEED = 10
PAGES: dict[str, dict[str, Any]] = {
    "GE-like, with a header": {"template": "ge"},
    "As many hospitals print: dots, dashed separators": {
        "template": "hospital", "print_header": True, "header": "plain",
    },
    "Philips-like": {"template": "philips", "qr_code": True},
    "Schiller-like, on A4": {"template": "schiller", "paper": "a4"},
    "Six rows of two, pink": {"template": "6x2+1R", "grid_color": "pink", "lead_names": "inline"},
    "Portable, three leads a strip": {"template": "mac400"},
    "Twelve rows on blue A4, portrait": {
        "template": "12x1", "paper": "a4", "orientation": "portrait", "grid_color": "blue", "fit": True,
    },
    "Cabrera order, half gain in the chest leads": {"cabrera": True, "chest_gain": 5, "grid_color": "green"},
    "50 mm/s on a roll, three rhythm strips": {
        "template": "3x4+3R", "paper": "roll-210", "speed": 50, "grid_color": "brown",
    },
    "Black and white, columns at the same time": {"bw": True, "column_timing": "simultaneous", "separators": "dashed"},
    "Folded, photographed with a phone": {"recipe": "phone-photo", "template": "ge", "print_header": True, "seed": 8},
    "Photographed on another desk": {"recipe": "phone-photo", "template": "3x4+1R", "seed": 5},
    "Crumpled, photographed with a phone": {"recipe": "phone-photo-crumpled", "template": "hospital", "seed": 3},
    "Folded once, on a flat-bed scanner": {"recipe": "scan-colour", "template": "schiller", "seed": 2},
    "From a filing cabinet": {"recipe": "archive", "seed": 1},
    "Stained": {"recipe": "stained", "seed": 1},
    "Torn and taped": {"recipe": "damaged", "seed": 1},
    "Mouldy": {"recipe": "mouldy-colour", "seed": 3},
    "On a laptop's screen": {"recipe": "screen-photo", "seed": 3},
    "Photocopied": {"recipe": "photocopy", "seed": 1},
    "Faxed": {"recipe": "fax", "seed": 1},
    "Everything that can happen": {"recipe": "everything", "seed": 1},
}  # fmt: skip


def make_showcase(render: Callable[..., Sheet], out: Path) -> dict[str, Path]:
    """Draw the pages into ``out`` in the default formats; title -> PNG. ``render`` is ``ecgvec.render``. ExportError
    where that cannot be written."""
    record = read_record(folder("demo") / DEMO_RECORD)
    pages: dict[str, Path] = {}
    for number, (title, page) in enumerate(PAGES.items(), start=1):
        sub = f"{number:02d}"
        files = write_sheets([render(record, **{"seed": SEED, **page})], out / sub)
        pages[title] = next(path for path in files if path.suffix == ".png")
    first = next(iter(pages.values()))
    for output in ("svg", "png"):
        inspect_images(first, output=output)
    pages["The labels of the first page, over it"] = first.with_name(f"{first.stem}-labels.png")
    write_file(out / "index.html", _index(out, pages).encode())
    return pages


def _index(out: Path, pages: dict[str, Path]) -> str:
    figures = "\n".join(
        f'<figure><a href="{path.relative_to(out).with_suffix(".svg").as_posix()}">'
        f'<img src="{path.relative_to(out).as_posix()}" alt="{html.escape(title)}"></a>'
        f"<figcaption>{html.escape(title)}</figcaption></figure>"
        for title, path in pages.items()
    )
    style = (
        "body{font:16px/1.5 sans-serif;margin:2em;background:#eee}figure{margin:0 0 2em}"
        "img{width:100%;max-width:1400px;box-shadow:0 1px 6px #0006}figcaption{padding:.3em 0}"
    )
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>ecgvec demo</title><style>{style}</style>\n'
        "<h1>ecgvec demo</h1>\n<p>A synthesised record, belonging to no person. Each picture opens its exact SVG.</p>\n"
        f"{figures}\n</html>\n"
    )
