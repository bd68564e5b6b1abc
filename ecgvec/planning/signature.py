"""A note made a signature: stretched, leaning, written without lifting the pen, fading out, with a flourish."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ecgvec._typing import Int64Array, Points

if TYPE_CHECKING:  # the network is loaded with the first note, never without one
    from ecgvec.handwriting import Note

WIDER, LEANING = (1.05, 1.35), (0.1, 0.35)  # the letters' width, and the tangent of their slant
FADING = (0.15, 0.45)  # by which the last letters are lower
FASTER, FASTEST = (1.5, 2.0), 220.0  # than a note is written; mm/s
PARAPH, ONCE = 0.6, 0.25  # the share of flourishes that the pen goes on to, and of these that do not turn round
REACH = 1.5  # x-heights that the pen goes on from letter to letter without being lifted
STEP = 0.125  # x-heights between points

Strokes = list[tuple[Points, Int64Array]]  # points (n, 2) mm and their characters (n,)


def sign_note(note: Note, rng: np.random.Generator) -> Note:
    """``note`` as a signature. The points of its flourish belong to no character: their index is the text's length."""
    from ecgvec.handwriting.compose import pen_speed

    x_height = note.x_height
    strokes = _shaped(note, rng)
    strokes = _joined(strokes, note.text, x_height)
    paraph = bool(rng.random() < PARAPH)
    letters = np.concatenate([points for points, _ in strokes])
    flourish = _flourish(letters, strokes[-1][0][-1] if paraph else None, x_height, rng)
    strokes.append((flourish, np.full(len(flourish), len(note.text), dtype=np.int64)))
    faster = rng.uniform(*FASTER)
    timed = []
    for points, _ in strokes:
        at = np.round(points, 3)
        speed = np.minimum(faster * pen_speed(at, x_height), FASTEST)
        timed.append(np.column_stack([at, np.round(speed, 2)]))
    return replace(note, strokes=tuple(timed), characters=tuple(owner for _, owner in strokes))


def _shaped(note: Note, rng: np.random.Generator) -> Strokes:
    """The letters wider, leaning, and lower towards the end."""
    wide, lean, fade = rng.uniform(*WIDER), rng.uniform(*LEANING), rng.uniform(*FADING)
    every = np.concatenate([stroke[:, 0] for stroke in note.strokes])
    first, span = every.min(), max(float(np.ptp(every)), 1e-6)
    found = []
    for stroke, owner in zip(note.strokes, note.characters, strict=True):
        y = stroke[:, 1] * (1 - fade * (stroke[:, 0] - first) / span)
        found.append((np.column_stack([wide * stroke[:, 0] - lean * y, y]), owner))
    return found


def _joined(strokes: Strokes, text: str, x_height: float) -> Strokes:
    """The strokes of one word as one, wherever the pen need not go far, nor back."""
    found = [strokes[0]]
    for points, owner in strokes[1:]:
        line, owners = found[-1]
        step = points[0] - line[-1]
        one_word = " " not in text[int(owners[-1]) : int(owner[0]) + 1] and text[int(owner[0])] != "."
        if not (one_word and np.hypot(*step) < REACH * x_height and step[0] > -0.2 * x_height):
            found.append((points, owner))
            continue
        sag = np.array([line[-1] + 0.4 * step + (0, 0.15 * x_height)])
        bridge = _smooth(np.concatenate([line[-1:], sag, points[:1]]), STEP * x_height)[1:-1]
        between = np.full(len(bridge), owners[-1])
        found[-1] = np.concatenate([line, bridge, points]), np.concatenate([owners, between, owner])
    return found


def _flourish(letters: Points, end: Points | None, x_height: float, rng: np.random.Generator) -> Points:
    """A line (n, 2) mm below ``letters``: one that goes on from ``end``, back below the name and forth again, or one
    of its own from left to right."""
    x0, x1 = float(letters[:, 0].min()), float(letters[:, 0].max())
    wide, high = x1 - x0, x_height
    low = float(np.clip(letters[:, 1].max(), 0.3 * high, 0.7 * high))
    shake = rng.uniform(-0.12, 0.12, (6, 2)) * high
    if end is None:
        corners = np.array(
            [
                (x0 + rng.uniform(-0.05, 0.25) * wide, low + 0.75 * high),
                (x0 + 0.45 * wide, low + 0.5 * high),
                (x1 - 0.1 * wide, low + 0.3 * high),
                (x1 + rng.uniform(0.2, 1.2) * high, low + rng.uniform(-0.1, 0.3) * high),
            ]
        )
        return _smooth(corners + shake[:4], STEP * high)
    turn = x0 + rng.uniform(-0.1, 0.45) * wide  # where the line turns round
    round_, fall = rng.uniform(0.05, 0.5) * high, rng.uniform(-0.25, 0.25) * high  # how widely, and how much lower
    corners = np.array(
        [
            (x1 + 0.7 * high, min(float(end[1]), 0.0) + 0.1 * high),
            (x1 + 0.5 * high, low + 0.25 * high),
            (0.5 * (x1 + turn), low + 0.55 * high),
            (turn, low + 0.85 * high + fall),
            (turn + 0.15 * (x1 - turn), low + 0.9 * high + fall + round_),
            (x1 + rng.uniform(-0.2, 0.9) * high, low + rng.uniform(0.45, 0.8) * high + round_),
        ]
    )
    once = rng.random() < ONCE  # the line ends where others turn round
    line = np.concatenate([end[None], corners + shake])[: -2 if once else None]
    return _smooth(line, STEP * high)


def _smooth(corners: Points, step: float) -> Points:
    """A curve through ``corners`` (n, 2), with a point about every ``step`` mm."""
    from scipy.interpolate import CubicSpline  # which pages without signatures need not pay for

    along = np.concatenate([[0.0], np.cumsum(np.sqrt(np.maximum(np.hypot(*np.diff(corners, axis=0).T), 1e-3)))])
    fine = np.asarray(CubicSpline(along, corners)(np.linspace(0, along[-1], 40 * len(corners))))
    far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(fine, axis=0).T))])
    places = np.linspace(0, far[-1], max(3, int(np.ceil(far[-1] / step)) + 1))
    return np.column_stack([np.interp(places, far, fine[:, axis]) for axis in (0, 1)])
