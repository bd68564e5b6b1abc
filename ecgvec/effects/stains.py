"""What is spilt on a page and grows on it: coffee, water, blood, mould. Thick blood and dense mould hide print."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy import fft

from ecgvec._typing import Float32Array
from ecgvec.components import Degrees, Seed, key, register
from ecgvec.effects.base import EFFECTS
from ecgvec.effects.color import Dye
from ecgvec.effects.layers import Covering, Layers
from ecgvec.effects.paper import Place, Share
from ecgvec.effects.texture import Clouds, Patch, Woven, cut_tile, fine_noise
from ecgvec.warp.parts import Paper, generator

COFFEE: Dye = (0.42, 0.85, 1.6)
TIDE: Dye = (0.36, 0.54, 0.88)  # what water has washed together: size of the paper, dust, dye
FRESH: Dye = (0.5, 2.6, 2.3)  # blood
OLD: Dye = (1.1, 2.5, 2.9)
DRIPPED = 0.7  # as much as in the ring lies in a drip
UNEVEN = 1.5  # times as much as on the average lies where a stain is densest
CRUST = 4.5  # times as much of it lies where it has dried in a crust
MOULDS: dict[str, Dye] = {"black": (1.9, 1.8, 1.75), "green": (1.5, 1.15, 1.6), "brown": (0.75, 1.2, 1.8)}
TURN = 8192  # entries of a table around a circle: at 100 mm they are 0.08 mm apart
SPRAY = 5  # fine drops that fall with a drop of blood, on the average


def puddle_density(inside: Float32Array, rim: float, wash: float, scale: float, soft: float = 0.0) -> Float32Array:
    """The density (h, w) of a dried puddle: 1 at its margin, where the solids gather because it dries from there
    (Deegan et al. 1997, the coffee-ring effect), falling over ``rim`` mm to ``wash``; nothing outside. ``inside``
    (h, w) is the way to the margin in mm, negative outside; the margin is ``soft`` mm and a pixel wide."""
    width = np.float32(max(soft, 1 / scale))
    wet = np.clip(inside / width + np.float32(0.5), 0, 1)
    gathered = np.exp(-np.maximum(inside, 0) * np.float32(1 / rim))
    return np.asarray(wet * (np.float32(wash) + np.float32(1 - wash) * gathered))


def polar(right: Float32Array, down: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Distances and angles (0 to 2 pi) of places so far right of and below a middle."""
    away, angle = cv2.cartToPolar(right, down)
    return np.asarray(away, dtype=np.float32), np.asarray(angle, dtype=np.float32)


def wobble_ring(rng: np.random.Generator, angle: Float32Array, lobes: int, falling: float = 1.2) -> Float32Array:
    """Noise (h, w) of about unit variance around a circle, ``angle`` in radians from 0 to 2 pi: up to ``lobes`` waves,
    the finer the weaker."""
    return round_about(wobbles(rng, lobes, falling), angle)


def wobbles(rng: np.random.Generator, lobes: int, falling: float = 1.2) -> Float32Array:
    """The same as a table (TURN + 2,) around the circle and a little on."""
    orders = np.arange(2, lobes + 1)
    weights = orders**-falling
    weights *= np.sqrt(2 / np.sum(weights**2))
    phases = rng.uniform(0, 2 * np.pi, len(orders))
    waves = np.zeros(TURN // 2 + 1, dtype=complex)
    waves[orders] = weights * np.exp(1j * phases) * TURN / 2
    table = fft.irfft(waves).astype(np.float32)  # looked up much faster than its waves are summed for each pixel
    return np.concatenate([table, table[:2]])


def round_about(table: Float32Array, angle: Float32Array) -> Float32Array:
    """What a table around a circle says at angles (h, w), 0 to 2 pi."""
    return np.asarray(table.take((angle * np.float32(TURN / (2 * np.pi))).astype(np.intp)))


@register(EFFECTS)
class CoffeeRing(Covering):
    """The ring of a cup.

    It is sharp outside and broken in places, with a thin wash inside.
    """

    kind: Literal["coffee-ring"] = "coffee-ring"
    x: Place = key(0.7, "Place, as a share of the page's width.")
    y: Place = key(0.4, "Place, as a share of the page's height.")
    diameter: float = key(78.0, "Diameter of the ring.", "mm", ge=10, le=200)
    strength: Share = key(0.5, "How dark it is.")
    drips: int = key(4, "Drips beside it.", ge=0, le=40)
    seed: Seed = 0

    def min_contrast(self) -> float:
        """What is seen through the ring and, should they all lie on it, its drips."""
        return float(np.exp(-UNEVEN * self.strength * (1 + DRIPPED * self.drips) * min(COFFEE)))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """The ring and its drips."""
        if not self.strength:
            return
        rng = generator(self.seed)
        own = rng.spawn(1)[0]
        x, y, radius = self.x * paper.width, self.y * paper.height, self.diameter / 2
        if patch := Patch.around(layers, scale, x, y, 1.12 * radius + 4):
            layers.dye(patch, np.float32(self.strength) * self._ring(own, patch, scale, x, y), COFFEE)
        for _ in range(self.drips):
            size, way = rng.lognormal(0.1, 0.55), rng.uniform(0, 2 * np.pi)
            far = radius + 3 + rng.exponential(9)
            place = x + far * np.cos(way), y + far * np.sin(way)
            _drop(layers, rng, scale, place, size, DRIPPED * self.strength)

    def _ring(self, rng: np.random.Generator, patch: Patch, scale: float, x: float, y: float) -> Float32Array:
        right, down = patch.offsets(x, y)
        away, angle = polar(right, down)
        radius = self.diameter / 2
        ragged = 0.11 * Clouds.draw(rng, 0.6, 7, 0.6).at(patch.x, patch.y, scale)
        edge = radius * (1 + 0.004 * wobble_ring(rng, angle, 5)) + ragged
        wide = 1.5 + 0.55 * wobble_ring(rng, angle, 9)  # of the cup's foot and what has crept under it
        inside, within = edge - away, away - (edge - np.maximum(wide, 0.4))
        much = np.clip(0.62 + 0.33 * wobble_ring(rng, angle, 6, 0.7), 0.06, 1)
        # The liquid under the foot dries from both of its margins; the outer is open to the air and gets more.
        band = np.clip(inside * scale + 0.5, 0, 1) * np.clip(within / 0.35 + 0.5, 0, 1)
        ring = band * (
            0.34 + 0.66 * np.exp(-np.maximum(inside, 0) / 0.28) + 0.22 * np.exp(-np.maximum(within, 0) / 0.3)
        )
        second = np.exp(-(((inside - 2.9 - 0.8 * wobble_ring(rng, angle, 4)) / 0.25) ** 2))
        mottled = 1 + 0.16 * Clouds.draw(rng, 0.5, 14, 0.4).at(patch.x, patch.y, scale)
        pools = Clouds.draw(rng, 0.35 * radius, 1.8 * radius, 1.0).at(patch.x, patch.y, scale)
        lobed = inside - np.float32(radius) * (
            np.float32(0.16) + np.float32(0.17) * pools
        )  # spilt within the cup's foot
        wash = 0.05 * np.clip(inside / 1.5, 0, 1) * np.clip(1 - np.maximum(lobed, 0) / 1.2, 0, 1)
        wash += 0.07 * np.exp(-((lobed / 0.35) ** 2)) * (inside > 0)
        return np.asarray((much * ring + 0.16 * (1 - much) * second * (inside > 0) + wash) * mottled, dtype=np.float32)


def _drop(
    layers: Layers,
    rng: np.random.Generator,
    scale: float,
    place: tuple[float, float],
    radius: float,
    strength: float,
    dyed: Dye = COFFEE,
    wash: float = 0.35,
) -> None:
    """A dried drop of ``radius`` mm at ``place`` mm. What it draws it draws from a generator
    of its own: whether a drop at the rim touches the page hangs on the resolution, and must change no other drop."""
    rng = rng.spawn(1)[0]
    patch = Patch.around(layers, scale, *place, 1.4 * radius + 0.5)
    if not patch:
        return
    right, down = patch.offsets(*place)
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.82, 1.0)
    right, down = np.cos(turn) * right + np.sin(turn) * down, (np.cos(turn) * down - np.sin(turn) * right) / flat
    away, angle = polar(right, down)
    inside = radius * (1 + 0.022 * wobble_ring(rng, angle, 14, 0.9)) - away
    density = puddle_density(inside, 0.1 + 0.07 * radius, wash, scale)
    mottled = 1 + 0.07 * Clouds.draw(rng, 0.5, 3 + radius, 0.5).at(patch.x, patch.y, scale)
    layers.dye(patch, np.float32(strength) * density * mottled, dyed)


@register(EFFECTS)
class WaterStain(Covering):
    """A part of the page that has been wet.

    A brown tide line where it dried, and fainter ones from earlier times inside.
    """

    kind: Literal["water-stain"] = "water-stain"
    x: Place = key(0.12, "Place, as a share of the page's width; it may lie beyond.")
    y: Place = key(1.05, "Place, as a share of the page's height; it may lie beyond.")
    reach: float = key(85.0, "How far it reaches.", "mm", ge=5, le=500)
    strength: Share = key(0.5, "How dark it is.")
    lines: int = key(2, "Tide lines.", ge=1, le=5)
    seed: Seed = 0

    def min_contrast(self) -> float:
        """What is seen through its tide line."""
        return float(np.exp(-min(TIDE) if self.strength else 0.0))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """What the water has left behind."""
        x, y = self.x * paper.width, self.y * paper.height
        patch = Patch.around(layers, scale, x, y, 1.6 * self.reach)
        if not (self.strength and patch):
            return
        rng = generator(self.seed)
        lobed = wobbles(rng, 7, 1.0)
        broad = Clouds.draw(rng, 0.14 * self.reach, 0.8 * self.reach, 1.1).weave(patch.x, patch.y, scale)
        fine = Clouds.draw(rng, 1.5, 14, 0.9).weave(patch.x, patch.y, scale)
        edges: list[tuple[float, Woven]] = []
        for line in range(self.lines):
            shrunk = 1 - line * rng.uniform(0.1, 0.24)
            clouds = Clouds.draw(rng, 0.1 * self.reach, 0.5 * self.reach) if line else None
            edges.append((shrunk, clouds.weave(patch.x, patch.y, scale) if clouds else broad))

        def soaked(rows: slice) -> Float32Array:
            away, angle = polar(*patch.part(rows).offsets(x, y))
            lobes, bays, frayed = 0.13 * self.reach * round_about(lobed, angle), broad[rows], fine[rows]
            density = np.zeros_like(away)
            for line, (shrunk, own) in enumerate(edges):
                inside = np.float32(shrunk * 0.95 * self.reach) + lobes - away
                inside += np.float32(0.055 * self.reach) * (bays if not line else (0.7 * bays + 0.6 * own[rows]))
                inside += np.float32(0.3) * frayed
                gathered = puddle_density(inside, 0.9, 0.0, scale, 0.25) + 0.45 * puddle_density(
                    inside, 6.0, 0.25, scale, 0.4
                )
                density += np.float32(0.55 if not line else 0.26 / line) * gathered
            uneven = 1 + np.float32(0.2) * bays + np.float32(0.05) * frayed
            return np.asarray(np.float32(self.strength) * density * np.clip(uneven, 0.2, 2))

        layers.dye_by(patch, soaked, TIDE)


@register(EFFECTS)
class Blood(Covering):
    """Drops of blood, one of them wiped off; thick, it hides print."""

    kind: Literal["blood"] = "blood"
    x: Place = key(0.3, "Place, as a share of the page's width.")
    y: Place = key(0.6, "Place, as a share of the page's height.")
    drops: int = key(5, "How many drops.", ge=0, le=60)
    diameter: float = key(7.0, "Diameter of the largest.", "mm", ge=0.5, le=40)
    smear: float = key(26.0, "How far one was wiped off.", "mm", ge=0, le=150)
    angle: Degrees = key(20.0, "In which direction, 0 right, 90 down.")
    age: Share = key(0.4, "From fresh and red to old and brown.")
    thick: Share = key(0.0, "From seen through to a crust.")
    strength: Share = key(0.75, "How dark it is.")
    seed: Seed = 0

    def min_contrast(self) -> float:
        """Nothing, where drop lies on drop."""
        return float(not (self.strength and (self.drops or self.smear)))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """Drops, their spray, and a smear."""
        if not (self.strength and (self.drops or self.smear)):
            return
        rng = generator(self.seed)
        coats = 1 + (CRUST - 1) * self.thick
        dyed = tuple(float(coats * (new + self.age * (old - new))) for new, old in zip(FRESH, OLD, strict=True))
        color: Dye = (dyed[0], dyed[1], dyed[2])
        x, y = self.x * paper.width, self.y * paper.height
        for number in range(self.drops):
            radius = self.diameter / 2 * (rng.uniform(0.25, 0.85) if number else 1.0)
            place = (x, y) + 2.2 * self.diameter * rng.standard_normal(2) * (number > 0)
            _drop(layers, rng, scale, (place[0], place[1]), radius, self.strength, color, 0.62)
            for _ in range(rng.poisson(SPRAY)):
                off = radius * rng.uniform(1.25, 3.2) * np.exp(1j * rng.uniform(0, 2 * np.pi))
                beside = place[0] + off.real, place[1] + off.imag
                _drop(layers, rng, scale, beside, rng.lognormal(-1.5, 0.4), self.strength, color, 0.8)
        if self.smear:
            self._wiped(layers, rng, scale, (x, y), color)

    def _wiped(
        self, layers: Layers, rng: np.random.Generator, scale: float, place: tuple[float, float], color: Dye
    ) -> None:
        """A smear: streaks of a finger that run dry."""
        rng = rng.spawn(1)[0]
        patch = Patch.around(layers, scale, *place, self.smear + self.diameter)
        if not patch:
            return
        right, down = patch.offsets(*place)
        turn = np.radians(self.angle)
        along, across = np.cos(turn) * right + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * right
        across = across + np.float32(rng.uniform(-0.12, 0.12) / self.smear) * along * along
        half = self.diameter * rng.uniform(0.55, 0.8)
        gone = np.clip(along / np.float32(self.smear), 0, 1)
        ways = np.linspace(-2, 2, 1025)  # across, in half widths
        wide, fine = (cv2.GaussianBlur(rng.standard_normal((1, len(ways))), (0, 0), s)[0] for s in (55.0, 16.0))
        table = (wide / wide.std() + 0.4 * fine / fine.std() - 1.1 * ways**2).astype(np.float32)
        at = np.clip((across / np.float32(half) + 2) * 256, 0, 1024).astype(np.intp)
        uneven = Clouds.draw(rng, 1.0, 12, 0.5).at(patch.x, patch.y, scale)
        thick = np.float32(0.95) - np.float32(0.95) * gone + np.float32(0.3) * table[at] * (0.25 + gone)
        left = thick + np.float32(0.09) * uneven
        finger = np.clip((1 - (across / np.float32(half)) ** 2) * 3, 0, 1)
        begun = np.clip((along + np.sqrt(np.maximum(half * half - across * across, 0)) * 0.5) / 0.6, 0, 1)
        ended = np.clip((self.smear - along) / 2, 0, 1)
        density = np.clip(left, 0, 1) * finger * begun * ended
        layers.dye(patch, np.float32(0.72 * self.strength) * density.astype(np.float32), color)


@register(EFFECTS)
class Mould(Covering):
    """Colonies of mould in a few patches; their densest middles hide print.

    Specks of spores, and around each the stain that its threads leave.
    """

    kind: Literal["mould"] = "mould"
    x: Place = key(0.75, "Place, as a share of the page's width.")
    y: Place = key(0.7, "Place, as a share of the page's height.")
    colonies: int = key(90, "How many colonies.", ge=0, le=400)
    size: float = key(4.0, "Mean size of a colony.", "mm", ge=0.3, le=40)
    color: Literal["black", "green", "brown"] = key("black", "Colour of the spores.")
    strength: Share = key(0.6, "How dark it is.")
    seed: Seed = 0

    def min_contrast(self) -> float:
        """Nothing, where colonies have grown into one another."""
        return float(not (self.strength and self.colonies))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """All colonies."""
        if not (self.colonies and self.strength):
            return
        rng = generator(self.seed)
        sheet = np.array([paper.width, paper.height])
        nests = np.array([self.x, self.y]) * sheet + 0.22 * sheet.min() * rng.standard_normal((4, 2))
        nests[0] = np.array([self.x, self.y]) * sheet
        noises = (fine_noise(rng, scale, 0.09, 0.09), fine_noise(rng, scale, 0.5, 0.5))
        for _ in range(self.colonies):
            nest = nests[min(3, rng.geometric(0.5) - 1)]
            place = nest + 0.09 * sheet.min() * rng.standard_normal(2) * rng.lognormal(0, 0.4)
            radius = self.size / 2 * min(3.0, rng.lognormal(-0.35, 0.6))
            self._colony(layers, rng, scale, (place[0], place[1], radius), noises)

    def _colony(
        self,
        layers: Layers,
        rng: np.random.Generator,
        scale: float,
        disc: tuple[float, float, float],
        noises: tuple[Float32Array, Float32Array],
    ) -> None:
        """A colony on a ``disc`` (x, y, radius in mm)."""
        rng = rng.spawn(1)[0]
        (x, y, radius), thick = disc, rng.uniform(0.35, 1.0)
        patch = Patch.around(layers, scale, x, y, 2.1 * radius)
        if not patch:
            return
        away, angle = polar(*patch.offsets(x, y))
        fine, coarse = (cut_tile(tile, patch) for tile in noises)
        off = away / np.float32(radius) * (1 + 0.1 * wobble_ring(rng, angle, 8, 0.9) + 0.14 * coarse)
        ring = rng.uniform(0, 0.3) * np.exp(-(((off - 0.85) / 0.2) ** 2))
        body = np.exp(-((off / rng.uniform(0.5, 0.8)) ** 4)) + ring
        specks = np.clip(body * (0.5 + 0.42 * fine + 0.16 * coarse), 0, 1)
        halo = np.exp(-((off / 0.95) ** 2)) * (off < 2)
        layers.dye(patch, np.float32(0.16 * self.strength * thick) * halo, MOULDS["brown"])
        layers.dye(patch, np.float32(self.strength * thick) * specks.astype(np.float32), MOULDS[self.color])
