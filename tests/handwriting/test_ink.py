"""Ink: outlines that hold the strokes, as wide as the pen, and boxes around what each character left."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from ecgvec.errors import RecipeError
from ecgvec.geometry.path import CLOSE, MOVE, Path
from ecgvec.handwriting import Note, Writer
from ecgvec.handwriting.ink import Ink, ink
from ecgvec.handwriting.nibs import INKS, NIBS


@pytest.fixture(scope="module")
def notes() -> list[Note]:
    return Writer().write(["QTc 480 ms", "no acute ischemia", "8@&%i!"], "uji-05", seed=[1, 2, 3])


def drawing(strokes: list[np.ndarray], text: str = "x", speed: float = 45.0, x_height: float = 6.0) -> Note:
    """A note of these strokes (n, 2) in mm, all of one character, at one speed."""
    whole = tuple(np.column_stack([s, np.full(len(s), speed)]) for s in strokes)
    return Note(text, whole, tuple(np.zeros(len(s), dtype=np.int64) for s in strokes), "drawn", x_height)


def line(angle: float = 0.0, length: float = 12.0) -> np.ndarray:
    at = np.arange(0.0, length, 0.31)[:, None]
    return at * [np.cos(angle), np.sin(angle)]


def rings(path: Path) -> list[np.ndarray]:
    """The closed rings of a path."""
    starts = [*np.flatnonzero(path.codes == MOVE).tolist(), len(path.codes)]
    assert (path.codes[np.array(starts[1:]) - 1] == CLOSE).all()
    counts = [end - start - 1 for start, end in pairwise(starts)]
    return np.split(path.points, np.cumsum(counts)[:-1])


def area_of(inked: Ink, opaque: bool = False) -> BaseGeometry:
    """All that is filled."""
    layers = [layer for layer in inked.layers if layer.opacity == 1 or not opaque]
    return shapely.union_all([shapely.union_all(filled(rings(layer.path))) for layer in layers])


def filled(found: list[np.ndarray]) -> list[BaseGeometry]:
    """Rings as polygons with their holes, by the even-odd rule."""
    area: BaseGeometry = shapely.Polygon()
    for ring in found:
        polygon = shapely.Polygon(ring)
        assert polygon.is_valid, "a ring that crosses itself"
        area = shapely.symmetric_difference(area, polygon)
    return [area]


def width_of(inked: Ink) -> float:
    """The mean width of a line 12 mm long, away from its ends, in mm."""
    return float(shapely.intersection(area_of(inked), shapely.box(3, -5, 9, 5)).area / 6)


@pytest.mark.parametrize("nib", NIBS)
def test_outlines_hold_the_strokes(nib: str, notes: list[Note]) -> None:
    for note in notes:
        inked = ink(note, nib, "black", seed=4)
        area = shapely.buffer(area_of(inked), 0.01)
        points = np.concatenate(note.strokes)[:, :2]
        held = shapely.contains_xy(area, points[:, 0], points[:, 1])
        assert held.mean() > (0.97 if NIBS[nib].skips else 0.9999)


def test_both_fill_rules_give_the_same_area(notes: list[Note]) -> None:
    """Rings do not overlap, and holes run the other way round."""
    for layer in ink(notes[2], "gel", seed=1).layers:
        found = rings(layer.path)
        signed = sum(0.5 * np.sum(r[:, 0] * np.roll(r[:, 1], -1) - r[:, 1] * np.roll(r[:, 0], -1)) for r in found)
        assert abs(signed) == pytest.approx(shapely.union_all(filled(found)).area, rel=1e-6)
        assert len(found) > 4, "an 8 and an @ have holes"


def test_nibs_have_their_widths() -> None:
    straight = drawing([line()])
    widths = {nib: np.mean([width_of(ink(straight, nib, seed=s)) for s in range(8)]) for nib in NIBS}
    assert widths["ballpoint"] == pytest.approx(0.35, abs=0.02) and widths["gel"] == pytest.approx(0.5, abs=0.03)
    assert widths["felt-tip"] == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("nib", NIBS)
def test_small_letters_are_written_with_a_finer_pen(nib: str) -> None:
    small, large = (width_of(ink(drawing([line()], x_height=height), nib, seed=2)) for height in (1.25, 6.0))
    assert 0.1 < small <= 1.3 * NIBS[nib].broadest * 1.25 < large


def test_points_between_digits_stand_alone() -> None:
    written = Writer().write(["0.14", "1.5 mm", "6.8"], "uji-05", seed=[4, 5, 6], x_height=1.8)
    for note in written:
        for nib in NIBS:
            inked = area_of(ink(note, nib))
            point = next(c for c in ink(note, nib).characters if c.character == ".")
            dot = [p for p in shapely.get_parts(inked) if shapely.Polygon(point.ring).buffer(0.02).contains(p)]
            assert dot, f"the point of {note.text} has run together with a digit, {nib}"


def test_slow_felt_tips_write_wider_and_ballpoints_do_not() -> None:
    for nib, least, most in (("felt-tip", 1.2, 1.8), ("ballpoint", 0.98, 1.1)):
        slow, fast = (width_of(ink(drawing([line()], speed=v), nib, seed=5)) for v in (25.0, 90.0))
        assert least < slow / fast < most


def test_a_fountain_pen_is_wider_across_its_nib() -> None:
    areas = [area_of(ink(drawing([line(np.radians(a))]), "fountain", seed=3)).area for a in (-40, 50)]
    assert areas[1] > 1.6 * areas[0]


def test_ink_pools_where_the_pen_rests() -> None:
    areas = [area_of(ink(drawing([line()]), "gel", seed=seed)) for seed in range(12)]
    boxes = [shapely.box(x, -3, x + 0.15, 3) for x in (0.1, 6.0)]
    end, middle = (np.mean([shapely.intersection(area, box).area for area in areas]) for box in boxes)
    assert end > 1.03 * middle


def test_ballpoints_skip_and_start_pale() -> None:
    straight = drawing([line(length=40.0)])
    skipped = [ink(straight, "ballpoint", seed=s) for s in range(30)]
    assert 3 < sum(len(one.layers) > 1 for one in skipped) < 30
    pieces = [len(shapely.get_parts(area_of(one, opaque=True))) for one in skipped]
    assert max(pieces) > 1 and all(len(ink(straight, "gel", seed=s).layers) == 1 for s in range(10))


def test_a_dot_is_round() -> None:
    area = area_of(ink(drawing([np.zeros((1, 2))]), "gel"))
    x0, y0, x1, y1 = area.bounds
    assert 0.35 < x1 - x0 < 0.8 and x1 - x0 == pytest.approx(y1 - y0, rel=0.1)


def test_corners_are_round_and_hairpins_whole() -> None:
    hairpin = np.vstack([line(length=5.0), line(length=5.0)[::-1] + np.array([0.0, 0.05])])
    zigzag = np.array([[0, 0], [1, 2], [2, 0], [3, 2], [4, 0]], dtype=float)
    for points in (hairpin, zigzag, np.zeros((4, 2))):
        area = area_of(ink(drawing([points]), "felt-tip", seed=2))
        assert area.is_valid and len(shapely.get_parts(area)) == 1
        assert shapely.contains_xy(shapely.buffer(area, 0.01), points[:, 0], points[:, 1]).all()


def test_characters_have_boxes_around_their_ink(notes: list[Note]) -> None:
    note = notes[0]
    inked = ink(note, "gel", seed=1)
    assert [c.index for c in inked.characters] == [i for i, c in enumerate(note.text) if c != " "]
    points, owner = np.concatenate(note.strokes)[:, :2], np.concatenate(note.characters)
    for one in inked.characters:
        assert one.character == note.text[one.index]
        x, y = points[owner == one.index].T
        assert one.box[0] < x.min() < x.max() < one.box[2] and one.box[1] < y.min() < y.max() < one.box[3]
        assert shapely.Polygon(one.ring).bounds == pytest.approx(one.box)
    hulls = shapely.union_all([shapely.Polygon(one.ring).buffer(0.02) for one in inked.characters])
    assert hulls.covers(area_of(inked)), "no ink without a character"
    assert inked.box == pytest.approx(area_of(inked).bounds, abs=0.05)


def test_ink_repeats_and_shades_are_of_the_color(notes: list[Note]) -> None:
    for color, shades in INKS.items():
        found = {layer.color for seed in range(12) for layer in ink(notes[0], "gel", color, seed).layers}
        assert found == set(shades)
    one, two, three = (ink(notes[0], "ballpoint", "blue", seed).layers[-1].path for seed in (1, 1, 2))
    assert np.array_equal(one.points, two.points)
    assert len(one.points) != len(three.points) or not np.array_equal(one.points, three.points)


@pytest.mark.parametrize(("nib", "color", "told"), [("gell", "blue", "'gel'"), ("gel", "blu", "'blue'")])
def test_pens_that_are_not_there_are_named(nib: str, color: str, told: str, notes: list[Note]) -> None:
    with pytest.raises(RecipeError, match=f"did you mean {told}"):
        ink(notes[0], nib, color)
