"""Labels sent through a map: each as if it went alone, and all of them at once."""

from __future__ import annotations

import numpy as np

from ecgvec._typing import Points
from ecgvec.geometry.path import pen_rims
from ecgvec.layout.place import place
from ecgvec.pipeline import read_record
from ecgvec.planning.make import make_plans, prepare_record
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.beats import Beats
from ecgvec.rendering.labels.derive import derive
from ecgvec.rendering.scene.build import build
from ecgvec.resources import folder


def bowed(points: Points) -> Points:
    """A map that is no affine one."""
    x, y = points.T
    return np.column_stack([8 * x + 0.01 * y * y, 8 * y - 0.01 * x * x])


def test_every_label_goes_where_it_would_go_alone_and_all_go_at_once() -> None:
    record = read_record(folder("demo") / "ecgvec-demo")
    recipe = load_recipe("everything", {"notes.probability": 0, "marks.tick.probability": 1, "page.qr_code": True})
    plan = make_plans(record, recipe, seed=3).plans[0]
    layout = place(plan.page)
    scene = build(plan, layout, prepare_record(record, plan.record.leads, plan.record.derive_leads))
    labels = derive(scene, layout, Beats(np.array([0.5, 3.1, 9.7]), ("N", "V", "N"), "atr"), minor_grid=True)
    calls = []

    def counted(points: Points) -> Points:
        calls.append(len(points))
        return bowed(points)

    sent = labels.transform(counted)
    assert len(calls) == 2  # the outline of ink hangs on where its line goes
    pairs = [(labels.corners, sent.corners), (labels.page, sent.page)]
    for before, after in zip(labels.traces, sent.traces, strict=True):
        moved = bowed(before.points)
        ends = [*np.nanargmin(moved, axis=0), *np.nanargmax(moved, axis=0)]
        pairs += [(before.points, after.points), (before.panel, after.panel), (before.panel_ring, after.panel_ring)]
        pairs += [(pen_rims(before.points[ends], before.pen), after.outline)]
    for text, after_text in zip(labels.texts, sent.texts, strict=True):
        pairs += [(getattr(text, name), getattr(after_text, name)) for name in ("quad", "hull", "outline")]
    for pulse, after_pulse in zip(labels.pulses, sent.pulses, strict=True):
        pairs += [(pulse.corners, after_pulse.corners), (pulse.outline, after_pulse.outline)]
    pairs += [(mark.ring, after_mark.ring) for mark, after_mark in zip(labels.marks, sent.marks, strict=True)]
    for beat, after_beat in zip(labels.beats, sent.beats, strict=True):
        pairs += [(a.point, b.point) for a, b in zip(beat.places, after_beat.places, strict=True)]
    assert labels.qr is not None and sent.qr is not None
    pairs.append((labels.qr.quad, sent.qr.quad))
    for lattice, after_lattice in ((labels.grid, sent.grid), (labels.minor, sent.minor)):
        assert lattice is not None and after_lattice is not None
        pairs.append((lattice.crossings.reshape(-1, 2), after_lattice.crossings.reshape(-1, 2)))
    assert len(labels.marks) and len(labels.beats) == 3
    for before_points, after_points in pairs:
        np.testing.assert_array_equal(after_points, bowed(before_points))
