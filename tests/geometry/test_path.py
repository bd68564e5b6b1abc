"""Paths, glyph outlines and affine maps."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ecgvec.errors import TemplateError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import FACES, cap_height, face, text_path
from ecgvec.geometry.path import CLOSE, CURVE, LINE, MOVE, Path, join, polyline, rectangles, segments, with_gaps
from ecgvec.layout.style import PageStyle
from ecgvec.resources import folder


def test_a_gap_breaks_the_line_and_a_lonely_point_is_a_dot() -> None:
    nan = np.nan
    path = with_gaps(np.array([[0, 0], [1, 1], [2, nan], [3, 3], [4, nan], [5, 5], [6, 6], [7, 7]], dtype=float))
    assert path.svg_d() == ("M0.0,0.0L1.0,1.0M3.0,3.0L3.0,3.0M5.0,5.0L6.0,6.0L7.0,7.0")


def test_a_line_of_gaps_alone_is_empty() -> None:
    assert len(with_gaps(np.full((3, 2), np.nan)).points) == 0


def test_svg_path_data_of_all_commands() -> None:
    codes = np.array([MOVE, CURVE, LINE, CLOSE], dtype=np.uint8)
    points = np.array([[0, 0], [1, 0], [2, 1], [2, 2], [0, 2.00004]])
    assert Path(codes, points).round().svg_d() == ("M0.0,0.0C1.0,0.0 2.0,1.0 2.0,2.0L0.0,2.0Z")


def test_flattening_follows_the_curve() -> None:
    # A cubic whose highest point, 0.75 at t = 0.5, lies well inside its control points.
    curve = Path(np.array([MOVE, CURVE], dtype=np.uint8), np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=float))
    assert curve.bounds() == (0.0, 0.0, 1.0, 1.0)
    assert curve.flatten().bounds() == (0.0, 0.0, 1.0, 0.75)


def test_joined_segments_and_rectangles_keep_their_points() -> None:
    path = join([segments([(0, 0, 1, 1)]), rectangles([(2, 2, 3, 4)]), polyline([(5, 5), (6, 6)], closed=True)])
    assert path.codes.tolist() == [MOVE, LINE, MOVE, LINE, LINE, LINE, CLOSE, MOVE, LINE, CLOSE]
    assert path.bounds() == (0.0, 0.0, 6.0, 6.0)
    assert len(join([]).points) == 0


def test_affine_maps_invert() -> None:
    points = np.array([[1.0, 2.0], [-3.0, 0.5]])
    affine = Affine(2, 0.3, -0.4, 1.5, 7, -2)
    assert np.allclose(affine.inverse()(affine(points)), points, atol=1e-12)
    with pytest.raises(ValueError, match="no inverse"):
        Affine(1, 2, 2, 4).inverse()


@pytest.mark.parametrize("name", FACES)
def test_every_bundled_face_draws_lead_names_at_size(name: str) -> None:
    path, advance = text_path("aVR", name, 4.0)
    x0, y0, x1, y1 = path.flatten().bounds()
    assert -0.3 < x0 < x1 < advance + 0.3
    assert y1 < 0.15  # stands on the baseline
    assert -y0 == pytest.approx(cap_height(name, 4.0), rel=0.03)
    assert 2.5 < cap_height(name, 4.0) < 3.1


def test_styles_offer_the_bundled_faces() -> None:
    schema = PageStyle.model_json_schema()
    assert sorted(schema["properties"]["names_font"]["enum"]) == sorted(FACES)


def test_a_character_of_no_face_is_drawn_as_a_replacement() -> None:
    assert text_path("\U0001fac0", "sans", 3.0)[1] > 0
    assert not face("serif").has("\U0001fac0")


def test_a_character_of_another_face_is_borrowed() -> None:
    missing = next(c for c in map(chr, range(0x1E00, 0x2100)) if not face("mono").has(c) and face("condensed").has(c))
    assert len(text_path(missing, "mono", 3.0)[0].points)


def test_unknown_face_is_helped() -> None:
    with pytest.raises(TemplateError, match="did you mean 'serif'"):
        face("serfi")


def test_fonts_are_those_of_the_manifest() -> None:
    listed = dict(line.split()[::-1] for line in (folder("fonts") / "MANIFEST.sha256").read_text().splitlines())
    assert {name: hashlib.sha256((folder("fonts") / name).read_bytes()).hexdigest() for name in listed} == listed
    assert sorted(listed) == sorted(FACES.values())
