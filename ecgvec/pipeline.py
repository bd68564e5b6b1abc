"""The whole way of one image: plan -> layout -> scene -> warp -> labels and pixels. Read this first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ecgvec.errors import RecipeError, RecordError
from ecgvec.layout.place import place
from ecgvec.planning.make import make_plans, prepare_record
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import Recipe, load_mix, load_recipe
from ecgvec.record.model import Record
from ecgvec.record.read import read_record
from ecgvec.rendering.camera import compute_view, occluded_region, render_pixels
from ecgvec.rendering.labels.derive import derive, map_labels
from ecgvec.rendering.labels.occlusion import occlude
from ecgvec.rendering.scene.build import build
from ecgvec.rendering.user_effects import Function, apply_user_effects, name_of
from ecgvec.sheet import Sheet, Views
from ecgvec.warp.parts import Paper


def _save(sheets: Iterable[Sheet], folder: Path, formats: Iterable[str] | None) -> list[Path]:
    from ecgvec.export.write import write_sheets  # all formats: imported when a sheet is first saved

    return write_sheets(sheets, folder, formats)


def _png(sheet: Sheet) -> bytes:
    from ecgvec.viewer.notebook import as_png

    return as_png(sheet)


def _html(sheet: Sheet) -> str:
    from ecgvec.viewer.notebook import as_html

    return as_html(sheet)


VIEWS = Views(_save, _png, _html)


def render_plan(record: Record, plan: Plan, effects: Sequence[Function] = ()) -> Sheet:
    """Make the image that ``plan`` describes. ``record`` is the record as read, before leads are chosen or derived.

    Nothing is left to chance here: the same record and plan give the same sheet. RecordError where the record is
    not the one that the plan was made for. ``effects`` are functions of the finished picture, see ``render``;
    RecipeError where the plan was made with others, and for one that moves pixels.
    """
    names = tuple(name_of(function) for function in effects)
    if plan.user_effects and names != plan.user_effects:
        raise RecipeError(
            f"image {plan.stem} was also changed by functions ({', '.join(plan.user_effects)}) that only Python has: "
            "give them to ecgvec.render_plan as effects"
        )
    if record.digest != plan.record.digest:
        raise RecordError(
            f"record {record.name} is not the one that image {plan.stem} was made from (its samples differ): "
            "give the original record"
        )
    drawn = prepare_record(record, plan.record.leads, plan.record.derive_leads)
    layout = place(plan.page)
    scene = build(plan, layout, drawn)
    view = compute_view(plan, Paper(scene.width, scene.height))
    if view.composed is not None:
        plan = plan.model_copy(update={"relief_share": view.composed.share})
    on_page = derive(scene, layout, record.beats, plan.page.style.label_minor_grid)
    covered = occluded_region(view, plan.effects, plan.page.style.dpi)
    labels = map_labels(occlude(on_page, view.remaining_paper, covered), view.warp)
    window = plan.window
    signals = drawn.signals[window.first : window.first + window.count]
    image = render_pixels(scene, view, plan.page.style.dpi, plan.effects)
    if effects:
        image, plan = apply_user_effects(image, effects), plan.model_copy(update={"user_effects": names})
    return Sheet(plan, layout, scene, view, image, labels, covered, signals, drawn.lead_names, VIEWS)


def plan(
    record: Record | str | PathLike[str],
    recipe: Recipe | str | Mapping[str, float] = "clean",
    *,
    seed: int = 0,
    variant: int = 0,
    **page: Any,
) -> tuple[Plan, ...]:
    """What will be drawn of a record: one Plan for each window, in order. Arguments as of ``render``.

    A Plan holds everything that chance decides; ``render_plan(record, plan)`` makes its image.
    """
    if not isinstance(record, Record):
        record = read_record(record)
    if not isinstance(recipe, Recipe):
        layout_keys = ("template", "rhythm", "num_columns")
        keys = {f"{'layout' if k in layout_keys else 'page'}.{k}": v for k, v in page.items()}
        recipe = load_mix(recipe, keys) if isinstance(recipe, Mapping) else load_recipe(recipe, keys)
    elif page:
        raise TypeError("give page keys either in the Recipe or beside a recipe's name, not both")
    return make_plans(record, recipe, seed=seed, variant=variant).plans


def render(
    record: Record | str | PathLike[str],
    recipe: Recipe | str | Mapping[str, float] = "clean",
    *,
    seed: int = 0,
    window: int = 0,
    variant: int = 0,
    effects: Sequence[Function] = (),
    **page: Any,
) -> Sheet:
    """One image of a record.

    ``record`` is a Record or the path of one; ``recipe`` a Recipe, the name of a shipped one, the path of a .toml
    file, or names with weights of which one is drawn; ``window`` counts the record's pages from 0. Further keywords
    are page keys that are stronger than the recipe's: ``dpi=300, speed=50, template="ge"``.

    ``effects`` are functions of your own, applied after all other effects: each takes the picture, (H, W, 3) uint8 RGB,
    and gives one of the same shape (or a mapping that holds it as "image"). Each is tried on a page of dots first, and
    refused if it moves them. EcgvecError, one sentence, for anything that cannot be drawn.
    """
    if not isinstance(record, Record):
        record = read_record(record)
    plans = plan(record, recipe, seed=seed, variant=variant, **page)
    if not 0 <= window < len(plans):
        raise RecordError(
            f"record {record.name} has {len(plans)} windows: choose window 0 to {len(plans) - 1}, not {window}"
        )
    return render_plan(record, plans[window], effects)
