"""Lights, shadows and highlights: what they promise of place and strength, alike on paper and desk, and nothing
moves."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec._typing import Float64Array, Image
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import EffectContext, Light, gain_on_paper, veil_on_paper
from ecgvec.effects.color import planckian
from ecgvec.effects.glare import Flash, Glare, Window, saturated_region
from ecgvec.effects.light import HandShadow, PhoneShadow, Shadow, anchor
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.warp import WARPS
from ecgvec.warp.apply import Dressing, Ground, resample
from ecgvec.warp.cameras import Phone, Scanner
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Canvas, Paper, WarpPart
from tests.effects.dots import SCALE, centres, centroids, dots
from tests.warp.bending import PAPER, TILTED, bend_page, on_paper

KINDS = [kind for kind in EFFECTS.names() if issubclass(EFFECTS.get(kind), Light)]
STRONG: dict[str, dict[str, Any]] = {
    "lamp": {"elevation": 15, "distance": 300, "sheen": 0.4},
    "window": {"bars": "blind", "sun": 0.8, "pitch": 12, "penumbra": 3, "ambient": 0.05},
    "hand-shadow": {"strength": 0.9, "penumbra": 4, "lamps": 3, "pose": "pointing", "left": True, "seed": 5},
    "phone-shadow": {"strength": 0.9, "penumbra": 5, "hands": 2, "turn": 30, "lamps": 2},
    "glare": {"strength": 0.9, "roughness": 0.01, "x": 0.5, "y": 0.5},
    "flash": {"strength": 1, "beam": 20, "gloss": 0.8},
}
MIDDLE = np.array([0.0, 0.0, 1.0])


def made(kind: str, strong: bool = False) -> Light:
    found = EFFECTS.get(kind)(**STRONG[kind] if strong else {})  # type: ignore[call-arg]
    assert isinstance(found, Light)
    return found


@lru_cache
def view(how: str) -> EffectContext:
    """A letter sheet: flat under a camera that looks straight down or aslant, on a scanner, or crumpled and curled."""
    bends: dict[str, tuple[WarpPart, ...]] = {
        "flat": (Phone(distance=400),),
        "tilted": TILTED,
        "scanned": (Scanner(skew=2),),
        "small": (Phone(distance=400, tilt=14, pan=5, fill=0.75),),
        "lifted": (
            WARPS.get("curl")(toward=0.0, start=200.0, radius=250.0, onset=50.0),  # type: ignore[call-arg]
            Phone(distance=400, tilt=14, pan=5, fill=0.75),
        ),
        "bent": (
            WARPS.get("curl")(toward=20.0, start=150.0, radius=160.0),  # type: ignore[call-arg]
            WARPS.get("crumple")(strength=0.4, seed=2),  # type: ignore[call-arg]
            *TILTED,
        ),
    }
    return EffectContext(bend_page(bends[how], dpi=100))


def level(seen: EffectContext, x: Float64Array, y: Float64Array, z: float = 0.0) -> Float64Array:
    """Places (rows, columns, 3) mm from the page's middle over the desk, at page mm ``x`` and ``y`` of a flat page."""
    across, down = np.meshgrid(x - seen.paper.width / 2, y - seen.paper.height / 2)
    return np.stack([across, down, np.full(across.shape, z)], axis=-1)


@pytest.mark.parametrize("how", ["flat", "scanned", "bent"])
@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_light_is_a_number_everywhere(kind: str, strong: bool, how: str) -> None:
    light, seen = made(kind, strong), view(how)
    far = level(seen, np.linspace(-3e4, 3e4, 31), np.linspace(-3e4, 3e4, 21))
    paper, ground = light.on_paper(seen), light.on_ground(seen, far)
    assert paper.shape == seen.surface.xyz.shape
    assert ground.shape == far.shape
    for values in (paper, ground):
        assert np.isfinite(values).all()
        assert values.min() >= 0
    assert np.array_equal(paper, made(kind, strong).on_paper(seen))
    veil = light.veil(seen)
    if veil is not None:
        assert veil.shape == seen.surface.height.shape
        assert 0 <= veil.min() < veil.max() <= 1
    assert paper.std() > 1e-4 or veil is not None
    if "seed" in type(light).model_fields:
        assert not np.allclose(paper, light.model_copy(update={"seed": 77}).on_paper(seen))


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_sheet_is_lit_as_the_desk_beneath(kind: str, strong: bool) -> None:
    light, seen = made(kind, strong), view("tilted")
    sheen = {"sheen": 0.0} if kind == "lamp" else {}  # which the desk has none of
    light = light.model_copy(update=sheen)
    paper, desk = light.on_paper(seen), light.on_ground(seen, seen.surface.xyz * (1, 1, 0))
    assert paper == pytest.approx(desk, rel=1e-6)


ACROSS: list[tuple[str, Light]] = [
    ("small", HandShadow(x=0.9, y=0.5, angle=-10)),
    ("small", PhoneShadow(x=0.9, y=0.5, turn=20)),
    ("small", Window(bars="blind")),  # so low a sun parts its stripes at an edge that lifts
    ("lifted", HandShadow(x=0.9, y=0.5, angle=-10)),
    ("lifted", PhoneShadow(x=0.9, y=0.5, turn=20)),
]


@pytest.mark.parametrize(("how", "light"), ACROSS)
def test_light_goes_on_across_the_papers_edge(how: str, light: Light) -> None:
    """What is just inside the edge and just outside it, on a sheet that lies flat or lifts, white on white."""
    seen = view(how)
    warp = seen.composed.warp
    places = np.dstack([warp.nodes - seen.paper.centre, np.zeros(warp.nodes.shape[:2])])
    ground = Ground(
        np.full((4, 4, 3), 255, np.uint8), np.ones_like(warp.nodes), light.on_ground(seen, places) ** (1 / 2.4)
    )
    page = np.full((850, 1100, 3), 255, np.uint8)
    image = resample(page, 100 / 25.4, warp, Dressing(gain_on_paper(seen, (light,)), ground=ground)).astype(float)
    t = np.linspace(0.1, 0.9, 60) * seen.paper.height
    inside, outside = (
        warp.forward(np.column_stack([np.full(len(t), seen.paper.width + off), t])) for off in (-0.8, 0.8)
    )
    a, b = (image[tuple(np.floor(p).astype(int).T[::-1])].mean(axis=-1) for p in (inside, outside))
    height = seen.surface.xyz[:, -1, 2].max()
    assert np.abs(a - b).mean() < (0.012 if height < 1 else 0.12) * a.mean()
    assert np.ptp(a) > 15  # and there is something to see there


MONOTONE: list[tuple[str, str, list[float], dict[str, Any]]] = [
    ("hand-shadow", "strength", [0, 0.2, 0.5, 0.95], {}),
    ("phone-shadow", "strength", [0, 0.2, 0.5, 0.95], {}),
    ("window", "sun", [0, 0.3, 0.6, 0.95], {"bars": "panes"}),
    ("lamp", "exposure", [1.2, 0.8, 0.4], {}),
    ("flash", "exposure", [1.2, 0.8, 0.4], {}),
]


@pytest.mark.parametrize(("kind", "field", "values", "more"), MONOTONE)
def test_more_of_it_is_darker(kind: str, field: str, values: list[float], more: dict[str, Any]) -> None:
    means = [EFFECTS.get(kind)(**{field: v}, **more).on_paper(view("bent")).mean() for v in values]  # type: ignore
    assert all(a > b + 0.01 for a, b in pairwise(means)), means


def test_strength_of_glare_and_flash() -> None:
    seen = view("flat")
    for kind, field in (("glare", "strength"), ("flash", "gloss")):
        for value in (0.0, 0.3, 0.6, 1.0):
            veil = EFFECTS.get(kind)(**{field: value}).veil(seen)  # type: ignore[call-arg, attr-defined]
            assert veil.max() == pytest.approx(value, abs=0.02)
    ends = [Flash(strength=s).on_paper(seen)[0, 0].mean() / Flash().exposure for s in (0, 0.3, 0.6, 1)]
    assert ends[0] == pytest.approx(1)
    assert all(a > b + 0.1 for a, b in pairwise(ends))


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_moves(kind: str, strong: bool) -> None:
    page = dots()
    side = page.shape[0] / SCALE
    seen = EffectContext(compose(Paper(side, side), Canvas(page.shape[1], page.shape[0], SCALE), [Phone(distance=300)]))
    light, warp = made(kind, strong), seen.composed.warp
    lit = Dressing(gain_on_paper(seen, (light,)), veil_on_paper(seen, (light,)))
    before, after = resample(page, SCALE, warp), resample(page, SCALE, warp, lit)
    assert np.abs(after.astype(int) - before).max() > 10
    paper, ink = (resample(np.full_like(page, v), SCALE, warp, lit).astype(float) for v in (200, 40))
    cover = np.clip((paper - after) / np.maximum(1, paper - ink), -0.1, 1.1)  # the light's own slopes taken off
    moved = centroids(200 - 160 * cover) - centroids(before)
    columns, rows = centres().astype(int).T
    told = (paper - ink)[rows, columns].mean(axis=-1) > 40  # what drowns in glare has no centre
    assert told.mean() > 0.6
    assert np.hypot(*moved[told].mean(axis=0)) <= 0.02
    assert np.hypot(*moved[told].T).mean() <= 0.06


def lost_in(image_of: Any, seen: EffectContext) -> tuple[Float64Array, Float64Array]:
    """Image px (n, 2) of pixel centres on the paper, and the contrast (n,) that is left between ink and paper."""
    white, black = (image_of(np.full((850, 1100, 3), v, np.uint8)).astype(float).mean(axis=-1) for v in (255, 0))
    rows, columns = np.mgrid[: white.shape[0], : white.shape[1]]
    px = np.column_stack([columns.ravel() + 0.5, rows.ravel() + 0.5])
    keep = on_paper(seen.composed.warp.inverse(px), 0.5)
    return px[keep], ((white - black) / 255).ravel()[keep]


@pytest.mark.parametrize(
    "light", [Glare(strength=1, width=90, height=60), Flash(gloss=1, size=90), Glare(strength=0.9)]
)
@pytest.mark.parametrize("how", ["flat", "tilted", "bent"])
def test_what_is_hidden_is_what_cannot_be_read(how: str, light: Glare | Flash) -> None:
    seen = view(how)
    veil = veil_on_paper(seen, (light,))

    def image_of(page: Image) -> Image:
        return resample(page, 100 / 25.4, seen.composed.warp, Dressing(veil=veil))

    px, contrast = lost_in(image_of, seen)
    hidden = shapely.contains_xy(saturated_region(seen, [light]), *seen.composed.warp.inverse(px).T)
    assert hidden.sum() > 200
    wrong = np.where(hidden, contrast - 0.15, 0.15 - contrast)
    assert np.count_nonzero(wrong > 0.01) < 0.02 * hidden.sum()
    steep = 0.05 if how == "bent" else 0.01  # within a px of the line, where creases change the veil the most
    assert contrast[hidden].max() < 0.15 + steep
    assert contrast[~hidden].min() > 0.15 - steep


def test_highlights_drown_together_what_neither_drowns_alone() -> None:
    seen = view("flat")
    lights = [Glare(x=0.5, y=0.5, strength=0.7), Flash(gloss=0.7, size=120)]
    assert all(saturated_region(seen, [light]).is_empty for light in lights)
    veil = veil_on_paper(seen, lights)
    px, contrast = lost_in(lambda page: resample(page, 100 / 25.4, seen.composed.warp, Dressing(veil=veil)), seen)
    hidden = shapely.contains_xy(saturated_region(seen, lights), *seen.composed.warp.inverse(px).T)
    assert hidden.sum() > 200
    assert contrast[hidden].max() < 0.16 and contrast[~hidden].min() > 0.14


def test_the_labels_are_told_of_highlights_together(demo_record: Record) -> None:
    glare = {"kind": "glare", "strength": 0.8, "width": 120, "height": 80}
    twice = {f"effects.{name}.{key}": value for name in ("one", "two") for key, value in glare.items()}
    sheet = ecgvec.render(demo_record, load_recipe("clean", {"warp.phone.tilt": 8, "page.dpi": 100, **twice}))
    assert sum(trace.occluded.sum() for trace in sheet.labels.traces) > 50


DARKEST: list[Light] = [
    HandShadow(strength=0.95, tint=0),
    PhoneShadow(strength=0.95, tint=0),
    Window(sun=0.95, ambient=0.05, bars="blind", penumbra=1),
]


@pytest.mark.parametrize("light", DARKEST, ids=lambda light: light.kind)
def test_print_in_the_darkest_shade_can_be_told(light: Light) -> None:
    seen = view("flat")
    gain = gain_on_paper(seen, (light,))
    assert gain is not None
    page = np.full((850, 1100, 3), 255, np.uint8)
    _, contrast = lost_in(lambda p: resample(p, 100 / 25.4, seen.composed.warp, Dressing(gain)), seen)
    assert resample(page, 100 / 25.4, seen.composed.warp, Dressing(gain)).min() > 0
    assert contrast.min() > 0.15


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [(HandShadow, "strength", 1), (PhoneShadow, "strength", 1), (Window, "sun", 1), (Window, "ambient", 0)],
)
def test_black_shade_is_refused(part: type[Light], field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        part.model_validate({field: value})


@pytest.mark.parametrize(
    "light",
    [
        *(Flash(kelvin=k, balanced=b, strength=1) for k, b in ((1900, 40_000), (40_000, 1900), (1900, 1900))),
        *(Window(kelvin=k, room_kelvin=r) for k, r in ((1900, 1900), (1900, 40_000), (40_000, 1900))),
    ],
)
def test_light_as_red_as_a_candle_is_a_number_and_not_black(light: Light) -> None:
    seen = view("tilted")
    with np.errstate(all="raise", under="ignore"):
        lit = light.on_paper(seen)
    assert np.isfinite(lit).all()
    assert lit.max(axis=-1).min() > 0.05
    middle = lit[lit.shape[0] // 2, lit.shape[1] // 2]
    assert middle.min() > 0.01


def test_a_faint_highlight_hides_nothing() -> None:
    for light in (Glare(strength=0.84), Flash(gloss=0.84)):
        assert saturated_region(view("flat"), [light]).is_empty


def test_glare_tells_the_labels(demo_record: Record) -> None:
    overrides = {"warp.phone.tilt": 8, "effects.glare.strength": 1.0, "effects.glare.width": 120, "page.dpi": 100}
    sheet = ecgvec.render(demo_record, load_recipe("clean", overrides))
    composed = sheet.view.composed
    assert composed is not None
    gone = saturated_region(EffectContext(composed), [Glare(strength=1.0, width=120)])
    hidden = 0
    for trace in sheet.labels.traces:
        inside = shapely.contains_xy(gone, *sheet.warp.inverse(trace.points).T)
        assert (trace.occluded == inside).mean() > 0.995
        hidden += inside.sum()
    assert hidden > 50


def test_a_highlight_lies_where_it_is_told() -> None:
    seen = view("tilted")
    veil = Glare(x=0.6, y=0.4, width=60, height=30, angle=0, roughness=0.005, strength=1).veil(seen)
    x, y = seen.surface.x / seen.paper.width, seen.surface.y / seen.paper.height
    row, column = np.unravel_index(veil.argmax(), veil.shape)
    at = np.average(np.dstack(np.meshgrid(x, y))[veil > 0.5], axis=0)
    assert at == pytest.approx([0.6, 0.4], abs=0.02)
    assert veil[row, column] > 0.98
    half = veil > 0.5
    assert half.any(axis=0).sum() * seen.surface.step[0] == pytest.approx(60, rel=0.12)
    assert half.any(axis=1).sum() * seen.surface.step[1] == pytest.approx(30, rel=0.12)


def test_a_bend_moves_the_highlight_and_roughness_softens_it() -> None:
    light = Glare(strength=1, roughness=0.01)
    flat, bent = light.veil(view("tilted")), light.veil(view("bent"))
    assert np.abs(flat - bent).max() > 0.8
    steep = [np.abs(np.diff(Glare(strength=1, roughness=r).veil(view("flat")))).max() for r in (0.005, 0.03, 0.1)]
    assert steep[0] > 1.5 * steep[1] > 2 * steep[2]


def test_the_flash_is_brightest_where_it_faces_the_paper() -> None:
    seen = view("tilted")
    eye = seen.composed.camera.viewpoint()
    light = Flash(strength=1, gloss=0.5)
    row, column = np.unravel_index(light.veil(seen).argmax(), seen.surface.height.shape)
    assert seen.surface.xyz[row, column, :2] == pytest.approx(eye[:2], abs=12)
    lit = Flash(strength=1, beam=80).on_paper(view("flat"))[..., 1]
    middle, corner = lit[lit.shape[0] // 2, lit.shape[1] // 2], lit[0, 0]
    away = (PAPER.width**2 + PAPER.height**2) / 4
    power = np.log(0.5) / np.log(np.cos(np.radians(80)))
    expected = (400**2 / (400**2 + away)) ** (1.5 + power / 2)  # square of the way, slant, beam
    assert corner / middle == pytest.approx(expected, rel=0.05)
    warm = Flash(kelvin=3000, strength=1).on_paper(seen)[..., :]
    assert (warm[..., 0] > warm[..., 2]).all()


def test_daylight_falls_off_and_is_cool_on_its_side() -> None:
    seen = view("flat")
    light = Window(azimuth=180)
    lit = light.on_paper(seen)
    row = lit.shape[0] // 2
    assert (np.diff(lit[row, :, 1]) < 0).all()
    assert lit[row, 0, 1] > 1.5 * lit[row, -1, 1]
    cool = lit[..., 2] / lit[..., 0]
    assert (np.diff(cool[row]) < 0).all()
    middle = lit[row, lit.shape[1] // 2]
    assert middle == pytest.approx(np.full(3, light.exposure), rel=0.02)
    even = [Window(ambient=a).on_paper(seen).std() for a in (0.05, 0.4, 0.8)]
    assert even[0] > 1.3 * even[1] > 1.3 * 1.3 * even[2]
    assert planckian(7500)[2] > planckian(4300)[2]


@pytest.mark.parametrize("pitch", [20.0, 35.0])
def test_the_slats_of_a_blind_are_pitch_mm_apart(pitch: float) -> None:
    seen, y = view("flat"), np.arange(0, 200, 0.25)
    light = Window(bars="blind", pitch=pitch, angle=0, sun=0.95, penumbra=3)
    plain = Window(bars="none")
    lines, x = level(seen, np.array([140.0]), y), np.arange(0, 280, 0.5)
    share = light.on_ground(seen, lines)[:, 0, 1] / plain.on_ground(seen, lines)[:, 0, 1]
    falls = y[1:][(share[1:] < 0.5) & (share[:-1] >= 0.5)]
    assert np.diff(falls) == pytest.approx(np.full(len(falls) - 1, pitch), abs=0.3)
    assert share.min() < 0.08
    assert share.max() > 0.95
    soft = [
        np.abs(np.diff(Window(bars="panes", penumbra=p).on_ground(seen, level(seen, x, y)), axis=1)).max()
        for p in (3, 12)
    ]
    assert soft[0] > 2 * soft[1]


@pytest.mark.parametrize("shadow", [HandShadow(angle=-90), PhoneShadow(angle=-90, penumbra=10)])
def test_a_shadow_lies_where_it_is_told_and_its_arm_comes_from_its_angle(shadow: Shadow) -> None:
    seen = view("flat")
    strong = shadow.model_copy(update={"strength": 0.95, "tint": 0.0, "x": 0.5, "y": 0.4})
    around = np.arange(-400, 401, 4.0)
    places = level(seen, around, around) - level(seen, np.zeros(1), np.zeros(1)) + anchor(seen.paper, 0.5, 0.4)
    for angle, way in ((-90, (0, 1)), (0, (1, 0)), (90, (0, -1)), (180, (-1, 0))):
        dark = 1 - strong.model_copy(update={"angle": float(angle)}).on_ground(seen, places)[..., 1]
        off = (places - anchor(seen.paper, 0.5, 0.4)) @ np.array([*way, 0])
        assert dark[(off > 330) & (off < 380)].sum() > 40  # its arm
        assert dark[off < -130].max() < 0.01
        near = np.hypot(*np.moveaxis(places - anchor(seen.paper, 0.5, 0.4), -1, 0)[:2]) < 30
        assert dark[near].max() > 0.7


def test_a_shadow_is_soft_and_several_lamps_part_it() -> None:
    seen = view("flat")
    x = level(seen, np.arange(0, 280, 0.5), np.array([200.0]))
    steep = [np.abs(np.diff(PhoneShadow(penumbra=p, y=0.9).on_ground(seen, x)[0, :, 1])).max() for p in (5, 20, 60)]
    assert steep[0] > 2 * steep[1] > 4 * steep[2]
    whole, three = (HandShadow(lamps=n, strength=0.95, apart=80).on_paper(seen)[..., 1] for n in (1, 3))
    assert whole.min() < 0.07
    assert (three < 0.95).mean() > 1.3 * (whole < 0.95).mean()


def test_lifted_paper_meets_a_shadow_nearer_to_its_lamp() -> None:
    seen, x, y = view("flat"), np.arange(60, 240, 3.0), np.arange(40, 200, 3.0)
    light = HandShadow(azimuth=0, elevation=45, penumbra=6)
    lifted, on_desk = light.on_ground(seen, level(seen, x, y, 12.0)), light.on_ground(seen, level(seen, x - 12, y))
    assert lifted == pytest.approx(on_desk, abs=1e-9)
    assert np.abs(lifted - light.on_ground(seen, level(seen, x, y))).max() > 0.1


def test_hands_have_fingers_and_turn_over() -> None:
    right, left = (HandShadow(left=side).outline() for side in (False, True))
    assert shapely.transform(right, lambda p: p * (1, -1)).equals_exact(left, 1e-6)
    for pose, wanted in (("open", 4), ("pointing", 1)):
        hand = HandShadow(pose=pose, length=200, spread=0.6).outline()  # type: ignore[arg-type]
        across = shapely.intersection(hand, shapely.LineString([(45, -200), (45, 200)]))
        assert len(shapely.get_parts(across)) == wanted
    one, two = (PhoneShadow(hands=n).outline() for n in (1, 2))
    assert two.area > 1.4 * one.area
