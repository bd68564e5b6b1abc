"""What lens, sensor, scanner and file do to a picture: each changes what it says, more of it with more strength, and
nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from ecgvec._typing import Float64Array, Image
from ecgvec.effects import EFFECTS, color, copier, lens, sensor, tones
from ecgvec.effects.base import Capture
from ecgvec.effects.in_light import apply_in_light, tables
from tests.effects.dots import SCALE, centroids, dots

KINDS = [kind for kind in EFFECTS.names() if issubclass(EFFECTS.get(kind), Capture)]
STRONG: dict[str, dict[str, Any]] = {
    "defocus": {"radius": 0.6},
    "motion-blur": {"length": 1.5, "angle": 35},
    "vignette": {"amount": 0.8},
    "gaussian-noise": {"sigma": 40},
    "sensor-noise": {"iso": 6400},
    "demosaic": {"method": "edge-aware"},
    "sharpen": {"amount": 4, "radius": 0.3},
    "temperature": {"kelvin": 1500},
    "exposure": {"stops": -3},
    "contrast": {"slope": 3, "gamma": 2},
    "grey": {"seen": "blue"},
    "jpeg": {"quality": 15, "times": 2, "offset": 5},
    "low-resolution": {"dpi": 50, "enlarged": "blocks"},
    "dither": {"levels": 2, "pattern": "ordered"},
    "fax": {"lines": "standard", "pattern": "blue-noise"},
    "photocopy": {"contrast": 15, "specks": 400, "streaks": 3},
    "scanner-streaks": {"count": 12, "strength": 0.8},
}


def made(kind: str, strong: bool) -> Capture:
    found = EFFECTS.get(kind)(**STRONG.get(kind, {}) if strong else {})  # type: ignore[call-arg]
    assert isinstance(found, Capture)
    return found


def page() -> Image:
    """A page 400 x 300 with a grid, a curve and a soft slope of light."""
    image = np.full((300, 400, 3), (235, 225, 220), dtype=np.uint8)
    image[::8], image[:, ::8] = (235, 170, 170), (235, 170, 170)
    x = np.arange(0, 401, 4)
    curve = np.stack([x, 150 + 60 * np.sin(x / 15)], axis=1)
    cv2.polylines(image, [np.rint(curve).astype(np.int32)], False, (20, 20, 25), 2, cv2.LINE_AA)
    return np.rint(image * np.linspace(1, 0.75, 400)[:, None]).astype(np.uint8)


def grown(name: str, kind: type[Capture], values: list[float], of: Callable[[Image], float], **more: Any) -> None:
    """Asserts that ``of`` the picture grows with every one of ``values`` of field ``name``."""
    image = page()
    found = [of(kind(**{name: value}, **more).capture(image, SCALE)) for value in values]  # type: ignore[call-arg]
    assert all(a < b for a, b in pairwise(found)), found


def roughness(image: Image) -> float:
    return float(np.abs(np.diff(image.astype(float), axis=1)).mean())


def change(image: Image) -> float:
    return float(np.abs(image.astype(float) - page()).mean())


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_moves(kind: str, strong: bool) -> None:
    before = dots()
    moved = centroids(made(kind, strong).capture(before, SCALE)) - centroids(before)
    assert np.hypot(*moved.mean(axis=0)) <= 0.06


def test_a_move_would_be_found() -> None:
    before = dots()
    after = cv2.filter2D(before, -1, np.array([[0.0, 0.9, 0.1]]))  # a tenth of a pixel
    assert np.hypot(*(centroids(np.asarray(after)) - centroids(before)).mean(axis=0)) > 0.08


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_shape_type_and_bytes(kind: str, strong: bool) -> None:
    effect, image = made(kind, strong), page()
    image.setflags(write=False)
    first, again = effect.capture(image, SCALE), effect.capture(image, SCALE)
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert np.array_equal(image, page())
    assert (first != image).any()
    odd = image[:33, :47]
    assert effect.capture(odd, 3.1).shape == odd.shape
    if "seed" in type(effect).model_fields and (strong or kind != "fax"):
        other = effect.model_copy(update={"seed": 1}).capture(image, SCALE)
        assert not np.array_equal(first, other)


def test_linear_light_and_back() -> None:
    there, back = tables()
    assert np.array_equal(back[there.astype(np.uint16)], np.arange(256))


def test_defocus_blurs_more_and_keeps_light() -> None:
    grown("radius", lens.Defocus, [0, 0.1, 0.2, 0.4, 0.8], lambda image: -roughness(image))
    assert np.array_equal(lens.Defocus(radius=0).capture(page(), SCALE), page())
    for radius in (0.8, 3.0, 8.0):
        boxes = lens.disc_boxes(radius)
        assert sum(weight for _, _, weight in boxes) == pytest.approx(1)
        variance = sum(weight * (width**2 - 1) / 12 for width, _, weight in boxes)
        assert variance == pytest.approx((lens.disc(radius) * _squares(radius)).sum(), rel=0.12, abs=0.05)


def _squares(radius: float) -> Float64Array:
    reach = lens.disc(radius).shape[0] // 2
    return np.broadcast_to(np.arange(-reach, reach + 1) ** 2, lens.disc(radius).shape).astype(float)


def test_motion_blurs_along_its_way_alone() -> None:
    grown("length", lens.MotionBlur, [0, 0.3, 0.6, 1.2, 2.4], lambda image: -roughness(image))
    stripes = np.zeros((80, 80, 3), dtype=np.uint8)
    stripes[::6] = 255
    along, across = (lens.MotionBlur(length=1, angle=a).capture(stripes, SCALE) for a in (0, 90))
    assert np.array_equal(along, stripes)
    assert np.ptp(across[20:60].astype(int)) < 0.6 * 255
    slant = lens.line(9.0, np.array([0.8, -0.6]))
    assert sum(slant.values()) == pytest.approx(1)
    assert all(slant[x, y] == slant[-x, -y] for x, y in slant)


def test_vignette_darkens_corners_by_its_share() -> None:
    grown("amount", lens.Vignette, [0.1, 0.4, 0.7], lambda image: -float(image[:20, :20].mean()))
    after = lens.Vignette(amount=0.5).capture(np.full((300, 400, 3), 220, np.uint8), SCALE)
    light = tones.to_linear(after[..., 1] / 255) / tones.to_linear(np.array(220 / 255))
    assert light[0, 0] == pytest.approx(0.5, abs=0.02)
    assert light[150, 200] == pytest.approx(1, abs=0.02)


def test_gaussian_noise_has_its_sigma() -> None:
    flat = np.full((300, 400, 3), 128, dtype=np.uint8)
    for sigma in (2.0, 10.0, 25.0):
        noise = sensor.GaussianNoise(sigma=sigma).capture(flat, SCALE).astype(float) - 128
        assert noise.std() == pytest.approx(sigma, rel=0.03)
        assert abs(noise.mean()) < 0.2
        assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.02


def test_sensor_noise_grows_with_iso_and_is_correlated() -> None:
    flat = np.full((300, 400, 3), 170, dtype=np.uint8)
    spread = []
    for iso in (100, 400, 1600):
        noise = sensor.SensorNoise(iso=iso).capture(flat, SCALE).astype(float) - 170
        spread.append(noise.std(axis=(0, 1)))
        assert abs(noise.mean()) < 0.3
    assert spread[1] == pytest.approx(2 * spread[0], rel=0.15)  # shot noise: the square root of the light
    assert spread[2] == pytest.approx(2 * spread[1], rel=0.15)
    assert np.corrcoef(noise[:, 1:, 0].ravel(), noise[:, :-1, 0].ravel())[0, 1] > 0.2
    in_light = []
    for level in (40, 110, 220):
        image = sensor.SensorNoise(iso=800).capture(np.full((300, 400, 3), level, dtype=np.uint8), SCALE)
        in_light.append(tones.to_linear(image / 255).std())
    assert 0 < 1.5 * in_light[0] < in_light[1] < in_light[2] / 1.5


def test_strong_noise_is_not_cut_off() -> None:
    flat = np.full((300, 400, 3), 200, dtype=np.uint8)
    noise, mosaic = sensor.SensorNoise(iso=25_600), sensor.Demosaic()
    apart = noise.capture(mosaic.capture(flat, SCALE), SCALE)
    together = apply_in_light(flat, [mosaic, noise], SCALE)
    assert apart.std() == pytest.approx(together.std(), rel=0.02)
    assert apart.mean() == pytest.approx(together.mean(), abs=0.5)


def test_what_works_on_light_does_so_in_a_row_as_one_by_one() -> None:
    image = page()
    blurred = [lens.Defocus(radius=0.15), lens.MotionBlur(length=0.5, angle=30), lens.Defocus(radius=0.9)]
    for mosaic in ({}, {"amount": 0.4}, {"method": "edge-aware"}):
        effects = [*blurred, sensor.Demosaic(**mosaic), sensor.SensorNoise(iso=900)]  # type: ignore[arg-type]
        alone = image
        for effect in effects:
            alone = effect.capture(alone, SCALE)
        apart = np.abs(apply_in_light(image, effects, SCALE).astype(int) - alone)
        assert apart.max() <= 3 and apart.mean() < 0.4
        assert np.abs(apply_in_light(image, effects[:-1], SCALE).astype(int) - alone).mean() > 2


def test_demosaic_colors_edges_alone() -> None:
    flat = np.full((40, 50, 3), (200, 120, 40), dtype=np.uint8)
    for method in ("bilinear", "edge-aware"):
        assert np.array_equal(sensor.Demosaic(method=method).capture(flat, SCALE), flat)
    grown("amount", sensor.Demosaic, [0, 0.3, 0.6, 1], change)


def test_sharpening_leaves_a_halo() -> None:
    grown("amount", sensor.Sharpen, [0, 0.5, 1, 2], roughness)
    edge = np.full((40, 40, 3), 180, dtype=np.uint8)
    edge[:, 20:] = 60
    after = sensor.Sharpen(amount=1).capture(edge, SCALE)
    assert after.max() > 190
    assert after.min() < 50
    assert after[20, 2, 0] == 180


def test_fewer_kelvin_are_warmer() -> None:
    grown(
        "kelvin",
        color.Temperature,
        [1500, 2500, 4000, 6500, 12_000, 30_000],
        lambda image: float(image[..., 2].mean() / image[..., 0].mean()),
    )
    assert np.array_equal(color.Temperature(kelvin=6500).capture(page(), SCALE), page())
    red, green, blue = color.planckian(2856)  # CIE illuminant A: xy 0.4476, 0.4074
    x, y, z = np.linalg.inv(color.TO_SRGB) @ (red, green, blue)
    assert (x / (x + y + z), y / (x + y + z)) == pytest.approx((0.4476, 0.4074), abs=0.006)
    grown("tint", color.Temperature, [-0.5, 0, 0.5], lambda i: float(i[..., 1].mean() / i[..., 0].mean()))


def test_exposure_doubles_light() -> None:
    grown("stops", color.Exposure, [-3, -1, 0, 1, 3], lambda image: float(image.mean()))
    flat = np.full((4, 4, 3), 100, dtype=np.uint8)
    light = tones.to_linear(color.Exposure(stops=1).capture(flat, SCALE) / 255) / tones.to_linear(flat / 255)
    assert light == pytest.approx(2, rel=0.02)


def test_contrast_and_gamma() -> None:
    grown("slope", color.Contrast, [0.3, 0.6, 1, 1.6], lambda image: float(image.std()))
    grown("gamma", color.Contrast, [0.5, 1, 2], lambda image: -float(image.mean()), slope=1)
    assert np.array_equal(color.Contrast(slope=1).capture(page(), SCALE), page())


def test_grey_takes_color_away() -> None:
    grown("amount", color.Grey, [0, 0.5, 1], lambda image: -float(np.ptp(image.astype(int), axis=-1).mean()))
    for seen in ("luma", "red", "green", "blue"):
        assert not np.ptp(color.Grey(seen=seen).capture(page(), SCALE), axis=-1).any()
    red, blue = (color.Grey(seen=s).capture(page(), SCALE)[8, 4:12].mean() for s in ("red", "blue"))
    assert red > blue + 40


def test_jpeg_loses_more_at_a_lower_quality_and_twice() -> None:
    grown("quality", sensor.Jpeg, [95, 70, 40, 10], change)
    assert change(sensor.Jpeg(quality=20, times=2).capture(page(), SCALE)) > change(
        sensor.Jpeg(quality=20).capture(page(), SCALE)
    )


def test_low_resolution_loses_detail() -> None:
    for enlarged in ("smooth", "blocks"):
        grown("dpi", sensor.LowResolution, [200, 100, 50, 25], change, enlarged=enlarged)
    blocks = sensor.LowResolution(dpi=50, enlarged="blocks").capture(page(), SCALE)
    assert np.array_equal(blocks[::4, ::4], blocks[3::4, 3::4])


@pytest.mark.parametrize("pattern", ["ordered", "blue-noise", "halftone"])
def test_dithering_keeps_the_mean_in_few_levels(pattern: copier.Pattern) -> None:
    tile = copier.thresholds(pattern)
    assert np.allclose(np.sort(tile.ravel()), (np.arange(tile.size) + 0.5) / tile.size)
    grown("levels", copier.Dither, [16, 8, 4, 2], change, pattern=pattern)
    for level in (60, 128, 200):
        after = copier.Dither(levels=2, pattern=pattern).capture(np.full((256, 256, 3), level, np.uint8), SCALE)
        assert set(np.unique(after)) == {0, 255}
        assert after.mean() == pytest.approx(level, abs=3)


def test_a_fax_has_two_levels_and_gets_darker_with_its_threshold() -> None:
    grown("threshold", copier.Fax, [0.3, 0.6, 0.9], lambda image: -float(image.mean()))
    after = copier.Fax(lines="standard").capture(page(), SCALE)
    assert set(np.unique(after)) == {0, 255}
    assert np.array_equal(after[::2], after[1::2])
    shaded = (page() * np.linspace(0.6, 1, 300)[:, None, None]).astype(np.uint8)
    black = [(copier.Fax(levelling=share).capture(shaded, SCALE) == 0).mean() for share in (0, 1)]
    assert black[1] < 0.15 < black[0]


def test_a_photocopy_is_hard_and_soiled() -> None:
    clean = {"grain": 0.0, "specks": 0.0, "streaks": 0}
    grown("contrast", copier.Photocopy, [1, 3, 8], lambda image: float(image.std()), **clean)
    grown("specks", copier.Photocopy, [0, 300, 1500], lambda image: -float(image.mean()), grain=0.0, streaks=0)
    grown("darkness", copier.Photocopy, [0.4, 0.6, 0.8], lambda image: -float(image.mean()))
    assert not np.ptp(copier.Photocopy(streaks=9).capture(page(), SCALE), axis=-1).any()


def test_streaks_run_along_the_feed() -> None:
    for along, axis in (("columns", 1), ("rows", 0)):
        grown("strength", copier.ScannerStreaks, [0, 0.2, 0.5, 1], change, along=along)
        changed = (copier.ScannerStreaks(strength=0.9, light=0, along=along).capture(page(), SCALE) != page()).any(-1)
        lines = changed.mean(axis=1 - axis)
        assert (lines > 0.9).sum() >= 3
        assert (lines == 0).mean() > 0.9


def test_small_discs_are_summed_directly_as_their_boxes_would_be() -> None:
    page = np.random.default_rng(7).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    for radius in (0.08, 0.12, 0.16):
        there, back = tables()
        summed = lens.sum_boxes(there[page], lens.disc_boxes(round(radius * SCALE, 2)))
        direct = lens.Defocus(radius=radius).capture(page, SCALE)
        assert np.abs(direct.astype(int) - back[summed.astype(np.uint16)]).max() <= 1


def test_a_camera_that_moves_less_than_a_pixel_changes_nothing() -> None:
    page = np.random.default_rng(7).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    assert np.array_equal(lens.MotionBlur(length=0.9 / SCALE, angle=40).capture(page, SCALE), page)
    assert not np.array_equal(lens.MotionBlur(length=2.5 / SCALE, angle=40).capture(page, SCALE), page)


def test_light_near_white_is_colored_as_by_tables() -> None:
    levels = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    for kelvin, balanced in ((5000, 6500), (6900, 5200), (5600, 5500)):
        effect = color.Temperature(kelvin=kelvin, balanced=balanced)
        gains = effect.gains()
        assert gains.min() >= color.NEAR_WHITE
        light = tones.to_linear(levels / 255.0) * gains
        off = np.abs(effect.capture(levels, SCALE) - np.rint(255 * tones.to_srgb(light)))
        assert off[:, 9:].max() <= 1
        assert off.max() <= 2
