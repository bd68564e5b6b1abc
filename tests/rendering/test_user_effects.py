"""Functions from outside: those that move pixels are refused before they are used."""

from __future__ import annotations

import functools
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.errors import RecipeError
from ecgvec.pipeline import render_plan
from ecgvec.record.model import Record
from ecgvec.rendering import user_effects as custom
from tests.cli.running import DEMO
from tests.program import assert_one_line, program

Image = NDArray[np.uint8]
rng = np.random.default_rng(1)


def soften(image: Image) -> Image:
    return cv2.GaussianBlur(image, (0, 0), 1.2)


def noise(sigma: float) -> Callable[[Image], Image]:
    return lambda image: np.clip(image + rng.normal(0, sigma, image.shape), 0, 255).astype(np.uint8)


def in_shadow(image: Image) -> Image:
    return (image * np.linspace(0.3, 1, image.shape[1])[:, None]).astype(np.uint8)


def as_jpeg(image: Image) -> Image:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR)


def moved(degrees: float = 0.0, factor: float = 1.0, x: float = 0.0) -> Callable[[Image], Image]:
    def change(image: Image) -> Image:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, factor)
        matrix[0, 2] += x
        return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return change


def swelling(pixels: float, length: float) -> Callable[[Image], Image]:
    """Moves each place its own way, none on the mean."""

    def change(image: Image) -> Image:
        y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
        wave = (pixels * np.sin(2 * np.pi * y / length)).astype(np.float32)
        return cv2.remap(image, x + wave, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    return change


def sometimes(change: Callable[[Image], Image]) -> Callable[[Image], Image]:
    """Every other time."""
    count = iter(range(1000))
    return lambda image: change(image) if next(count) % 2 else image


GOOD: dict[str, Callable[[Image], Any]] = {
    "nothing": lambda image: image,
    "blur": soften,
    "strong blur": lambda image: cv2.GaussianBlur(image, (0, 0), 4),
    "noise": noise(25),
    "strong noise": noise(60),
    "grey noise": lambda image: np.clip(image + rng.normal(0, 40, (*image.shape[:2], 1)), 0, 255).astype(np.uint8),
    "shadow": in_shadow,
    "jpeg": as_jpeg,
    "negative": lambda image: 255 - image,
    "threshold": lambda image: (255 * (image > 128)).astype(np.uint8),
    "median": lambda image: cv2.medianBlur(image, 3),
    "in a mapping": lambda image: {"image": soften(image)},
    "partial": functools.partial(cv2.GaussianBlur, ksize=(3, 3), sigmaX=0),
    "noise now and then": sometimes(noise(20)),
}
MOVING: dict[str, Callable[[Image], Any]] = {
    "a pixel right": lambda image: np.roll(image, 1, axis=1),
    "a pixel down": lambda image: np.roll(image, 1, axis=0),
    "a tenth of a pixel": moved(x=0.1),
    "far": lambda image: np.roll(image, 40, axis=1),
    "flipped": lambda image: image[:, ::-1],
    "upside down": lambda image: image[::-1],
    "turned round": lambda image: image[::-1, ::-1],
    "a degree": moved(degrees=1),
    "a twentieth of a degree": moved(degrees=0.05),
    "larger": moved(factor=1.002),
    "waves": swelling(0.4, 300),
    "cropped": lambda image: np.pad(image[30:], ((0, 30), (0, 0), (0, 0)), mode="edge"),
    "moved now and then": sometimes(moved(x=1)),
    "blanked": np.zeros_like,
}
WRONG: dict[str, tuple[Callable[[Image], Any], str]] = {
    "grey": (lambda image: image[:, :, 0], "shape and type must stay"),
    "smaller": (lambda image: image[1:], "shape and type must stay"),
    "float": (lambda image: image / 255, "float64"),
    "none": (lambda image: None, "gives NoneType, not an image"),
    "mapping": (lambda image: {"mask": image}, "gives NoneType, not an image"),
    "raises": (lambda image: 1 / 0, "fails (ZeroDivisionError: division by zero)"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_moves_nothing_is_taken(name: str) -> None:
    custom.check(GOOD[name])


@pytest.mark.parametrize("name", MOVING)
def test_what_moves_pixels_is_refused(name: str) -> None:
    def distort(image: Image) -> Any:
        return MOVING[name](image)

    with pytest.raises(RecipeError, match=r"the function distort moves pixels .*labels would be wrong") as caught:
        custom.check(distort)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_picture_is_refused(name: str) -> None:
    function, words = WRONG[name]
    with pytest.raises(RecipeError) as caught:
        custom.check(function)
    assert words in str(caught.value)
    assert "<lambda>" in str(caught.value)


def test_no_function_at_all() -> None:
    with pytest.raises(RecipeError, match="5 cannot be called"):
        custom.check(5)  # type: ignore[arg-type]


def test_a_function_is_tried_once_as_long_as_it_lives() -> None:
    calls = []

    def counted(image: Image) -> Image:
        calls.append(image.shape)
        return image

    for _ in range(3):
        custom.check(counted)
    assert len(calls) == custom.TRIES
    key = id(counted)
    assert key in custom._tried
    del counted
    gc.collect()
    assert key not in custom._tried


def test_what_cannot_be_referred_to_weakly_is_tried_each_time() -> None:
    class Slotted:
        __slots__ = ("calls",)

        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, image: Image) -> Image:
            self.calls += 1
            return image

    function = Slotted()
    custom.check(function)
    custom.check(function)
    assert function.calls == 2 * custom.TRIES
    assert custom.name_of(function) == "Slotted"


def test_the_picture_alone_changes_and_the_plan_names_who(demo_record: Record) -> None:
    plain = ecgvec.render(demo_record, dpi=60, recipe="phone-photo")
    changed = ecgvec.render(demo_record, dpi=60, recipe="phone-photo", effects=[soften, in_shadow])
    assert changed.plan.user_effects == ("soften", "in_shadow")
    assert (changed.image == in_shadow(soften(plain.image))).all()
    assert changed.plan.model_copy(update={"user_effects": ()}) == plain.plan
    assert (changed.trace_image == plain.trace_image).all()
    with pytest.raises(RecipeError, match="moves pixels"):
        ecgvec.render(demo_record, dpi=60, effects=[soften, MOVING["a pixel right"]])


def test_a_function_cannot_change_the_picture_it_was_given(demo_record: Record) -> None:
    def in_place(image: Image) -> Image:
        image[:] = 255 - image
        return image

    page = custom.trial_page(0)[0]
    assert (custom.apply_user_effects(page, [in_place]) == 255 - page).all()
    assert page.max() > 200 > 60 > page.min()
    assert page.mean() > 200  # the page itself is as it was


def test_a_plan_says_that_it_is_not_the_whole_truth(demo_record: Record, tmp_path: Path) -> None:
    sheet = ecgvec.render(demo_record, dpi=60, effects=[soften])
    with pytest.raises(RecipeError, match=r"was also changed by functions \(soften\) that only Python has") as caught:
        render_plan(demo_record, sheet.plan)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecipeError, match=r"\(soften\)"):
        render_plan(demo_record, sheet.plan, [in_shadow])
    assert (render_plan(demo_record, sheet.plan, [soften]).image == sheet.image).all()
    sheet.save(tmp_path, ["png", "json"])
    assert json.loads((tmp_path / "ecgvec-demo-0.json").read_text())["plan"]["user_effects"] == ["soften"]
    replayed = program("replay", tmp_path / "ecgvec-demo-0.json", "-i", DEMO)
    assert replayed.code == 2
    assert_one_line(replayed.stderr, ("ecgvec-demo-0", "soften", "only Python has"))


def test_a_pixel_transform_of_albumentations() -> None:
    albumentations = pytest.importorskip("albumentations")
    page = custom.trial_page(0)[0]
    assert custom.apply_user_effects(page, [albumentations.GaussNoise(p=1)]).shape == page.shape
    with pytest.raises(RecipeError, match="HorizontalFlip moves pixels"):
        custom.check(albumentations.HorizontalFlip(p=1))
