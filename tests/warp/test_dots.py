"""Whatever bends a page: a dot painted at a label's place is found, in the image, where the label says.

Dots are measured as they are, no shift predicted from the map's Jacobian is taken off: at sigma 1.5 px the bend itself
moves a dot by less than what is allowed.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from ecgvec.errors import WarpError
from ecgvec.rendering.labels.derive import inside
from ecgvec.warp import WARPS
from ecgvec.warp.compose import Composed
from ecgvec.warp.parts import WarpPart
from tests.warp.bending import SCALE, alone, any_warp, bend_page, jacobian
from tests.warp.dots import SMALLEST, Dots, label_points, look_for

OUTSIDE_P99, OUTSIDE_MOST, INSIDE_P99 = 0.1, 0.25, 0.5  # px
MOST_EXCLUDED = 0.05  # of the dots that are in the image
LARGEST_PX = 9e6  # a picture that is larger takes too long


def assert_found(dots: Dots) -> None:
    measured = dots.visible & ~dots.excluded
    assert dots.excluded.sum() <= MOST_EXCLUDED * dots.visible.sum(), dots.summary()
    outside, within = dots.away[measured & ~dots.zone], dots.away[measured & dots.zone]
    if len(outside):
        assert np.percentile(outside, 99) <= OUTSIDE_P99, dots.summary()
        assert outside.max() <= OUTSIDE_MOST, dots.summary()
    if len(within):
        assert np.percentile(within, 99) <= INSIDE_P99, dots.summary()


@pytest.mark.parametrize(("name", "parts"), alone(), ids=[name for name, _ in alone()])
def test_dots_lie_where_labels_say(name: str, parts: tuple[WarpPart, ...]) -> None:
    dots = look_for(bend_page(parts))
    print(f"{name}: {dots.summary()}")
    assert_found(dots)


def test_no_warp_escapes() -> None:
    assert {name.rsplit("-default")[0] for name, _ in alone() if "-default" in name} == set(WARPS.names())


def composed_for(parts: tuple[WarpPart, ...]) -> Composed:
    """The warp, where it makes a page that the criterion speaks of: one that can be photographed, shows a third of the
    sheet (of less, the dots at the image's rim, which are cut off, are too large a share), and hardly any of it smaller
    than half size."""
    try:
        composed = bend_page(parts)
    except WarpError as error:
        assert "\n" not in str(error)
        event("cannot be photographed")
        assume(False)
    width, height = composed.warp.size
    assume(width * height <= LARGEST_PX)
    points = label_points(composed, 0)
    shown = points[inside(composed.warp)(composed.warp.forward(points))]
    assume(len(shown) >= len(points) / 3)
    small = np.linalg.svd(jacobian(composed.warp, shown) / SCALE, compute_uv=False)[:, 1] < SMALLEST
    assume(small.mean() < 0.03)
    return composed


def check_composition(parts: tuple[WarpPart, ...]) -> None:
    composed = composed_for(parts)
    dots = look_for(composed, seed=len(parts))
    print(f"{' + '.join(p.kind for p in parts) or 'nothing'}, share {composed.share:g}: {dots.summary()}")
    event(f"relief kept: {composed.share:g}")
    assert_found(dots)


LOOSE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=LOOSE)
@given(parts=any_warp())
def test_dots_lie_where_labels_say_in_any_composition(parts: tuple[WarpPart, ...]) -> None:
    check_composition(parts)


@pytest.mark.long
@settings(max_examples=130, deadline=None, derandomize=True, database=None, suppress_health_check=LOOSE)
@given(parts=any_warp())
def test_dots_lie_where_labels_say_in_fifty_compositions(parts: tuple[WarpPart, ...]) -> None:
    """And as many again: Hypothesis tries each idea in a variation or two."""
    check_composition(parts)
