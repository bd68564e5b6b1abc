"""Draw docs/recipes.md: for every shipped recipe what may happen, and a contact sheet of the embedded record.

python tools/make_recipe_docs.py [-o FOLDER] [--page-only] [NAME ...]

With names it draws the sheets of those alone, with --page-only none; the page always tells of all.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import cv2

from ecgvec._typing import Image
from ecgvec.pipeline import render
from ecgvec.recipe.distributions import BaseDistribution, Distribution
from ecgvec.recipe.recipe import PartRecipe, Recipe, load_recipe
from ecgvec.recipe.toml import tell_distribution
from ecgvec.record.read import read_record
from ecgvec.resources import folder, listing
from ecgvec.viewer.contact_sheet import preview

ROOT = Path(__file__).resolve().parent.parent
SEEDS, COLUMNS, WIDTH = range(1, 7), 3, 320
MOST_BYTES = 150_000
INTRODUCTION = """# Recipes

`make docs-recipes` makes this page. A recipe is a TOML file in `templates/recipes`. `ecgvec recipes show NAME` prints
it with all that it extends. `ecgvec recipes preview NAME -i RECORD` draws such a sheet from your record.
`--mix "clean:1,phone-photo:3"` draws one of several recipes for each record.

A key takes a value or a distribution:

| in TOML | what is drawn |
|---|---|
| `30` | always this value |
| `{ choice = ["red", "blue"], weights = [3, 1] }` | one value of a list; without `weights` all are equally likely |
| `{ uniform = [100, 300] }` | any number between these two |
| `{ normal = [60, 10], min = 30, max = 90 }` | a number around a mean, with a standard deviation |
| `{ integer = [1, 10] }` | a whole number from the first to the second |
| `{ probability = 0.2 }` | yes with this probability, else no |

A normal distribution is truncated to `min` and `max`, which you may leave out, and to the range of its key: numbers
beyond are never drawn, and do not pile up at the ends. Where a key takes whole numbers, what is drawn is rounded.

`--set` overrides any key on the command line. It takes any TOML value, and you can repeat it. A mark, a bend or an
effect that the recipe does not have is added. Other flags override `--set`.

    ecgvec batch -i RECORDS -o OUT --recipe scan-bw --set effects.jpeg.quality=40 --set "page.dpi={normal=[150, 20]}"
"""


def main() -> None:
    """Sheets and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="recipes whose sheets are drawn; all by default")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs")
    parser.add_argument("--page-only", action="store_true", help="draw no sheets")
    given = parser.parse_args()
    recipes = {name: load_recipe(name) for name in listing("recipes")}
    record = read_record(folder("demo") / "ecgvec-demo")
    (given.output / "recipes").mkdir(parents=True, exist_ok=True)
    for name in [] if given.page_only else given.names or recipes:
        content = as_jpeg(preview(render, record, recipes[name], SEEDS, COLUMNS, WIDTH))
        (given.output / "recipes" / f"{name}.jpg").write_bytes(content)
        print(f"{name}: {len(content) // 1000} kB")
    (given.output / "recipes.md").write_text(page(recipes), encoding="utf-8")


def page(recipes: Mapping[str, Recipe]) -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(section(name, recipe) for name, recipe in recipes.items())])


def as_jpeg(image: Image) -> bytes:
    """The picture (H, W, 3) RGB as JPEG, at the best quality that keeps it small."""
    for quality in range(88, 20, -4):
        content = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(content) <= MOST_BYTES:
            break
    return content


def section(name: str, recipe: Recipe) -> str:
    """What may happen, and how to make it."""
    rows = [f"| page | {key} | | {drawn(draw)} |" for key, draw in {**_layout(recipe), **recipe.page}.items()]
    for kind, parts in (("marks", recipe.marks), ("warp", recipe.warp), ("effects", recipe.effects)):
        for key, part in parts.items():
            rows.append(f"| {kind} | {_called(key, part)} | {part.probability:.0%} | {_keys(part)} |")
    if recipe.notes.probability:
        rows.append(f"| notes | handwriting | {recipe.notes.probability:.0%} | {_note_keys(recipe)} |")
    table = ["| section | key | probability | values |", "|---|---|---|---|", *rows] if rows else ["All defaults."]
    return "\n".join(
        [
            f"## {name}\n\n{recipe.title}\n\n![{name}](recipes/{name}.jpg)\n",
            f"    ecgvec batch -i RECORDS -o OUT --recipe {name} -se {SEEDS[0]}\n",
            *table,
            "",
        ]
    )


def _layout(recipe: Recipe) -> dict[str, Distribution]:
    """The keys of the layout that the recipe sets."""
    default = Recipe().layout
    keys = {key: getattr(recipe.layout, key) for key in type(default).model_fields}
    return {key: draw for key, draw in keys.items() if draw != getattr(default, key)}


def _note_keys(recipe: Recipe) -> str:
    """What the handwritten notes may be."""
    values = {key: getattr(recipe.notes, key) for key in type(recipe.notes).model_fields}
    told = [f"{key} {drawn(value)}" for key, value in values.items() if isinstance(value, BaseDistribution)]
    return "; ".join([*told, f"signature {recipe.notes.signature:.0%}"])


def _called(key: str, part: PartRecipe) -> str:
    return key if key == part.kind else f"{key} ({part.kind})"


def _keys(part: PartRecipe) -> str:
    return "; ".join(f"{key} {drawn(draw)}" for key, draw in part.keys.items()) or "as by default"


def drawn(draw: Distribution) -> str:
    """What a key may be, in words."""
    return tell_distribution(draw).replace("|", "\\|")


if __name__ == "__main__":
    main()
