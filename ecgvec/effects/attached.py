"""What is stuck or stapled to the sheet: adhesive tape and staples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float32Array, Float64Array, Points
from ecgvec.components import Degrees, Seed, key, register
from ecgvec.effects.base import EFFECTS, EffectContext
from ecgvec.effects.color import Dye
from ecgvec.effects.layers import Covering, Layers, distance_to_mask, rasterize_coverage
from ecgvec.effects.missing import patch_around, rough
from ecgvec.effects.paper import Place, Share
from ecgvec.effects.texture import Clouds, Patch, cut_tile, fine_noise
from ecgvec.warp.parts import Paper, generator

Finish = Literal["clear", "matt", "masking"]

STEP_MM = 0.1  # between points of a tape's end
TEETH_MM = (1.5, 0.7)  # of a dispenser's blade: their distance and depth
BACKING: dict[Finish, Dye] = {"clear": (0.055, 0.06, 0.08), "matt": (0.04, 0.045, 0.06), "masking": (0.1, 0.2, 0.5)}
CLEAR_AGED: Dye = (0.06, 0.17, 0.5)  # what years make of the glue
MATT_AGES = 0.3  # acrylic glue yellows less than rubber
FILM: dict[Finish, Float64Array] = {  # sRGB of what lies on the print, and how much of it
    "clear": np.array([255.0, 255.0, 255.0]),
    "matt": np.array([232.0, 233.0, 230.0]),
    "masking": np.array([230.0, 200.0, 158.0]),
}
DIRT: Float64Array = np.array([84.0, 74.0, 62.0])
MOST_FILM, MOST_GRIME = 0.5, 0.6  # of the print, that gloss or milk of a film and dirt at its edges hide
EDGE_MM = 0.16  # of the line that the cut edge of a tape is seen as
SEAM_MM = 0.7  # over which dirt keeps to its glue

WIRE: Float64Array = np.array([176.0, 178.0, 182.0])
GLINT: Float64Array = np.array([244.0, 246.0, 250.0])
RUST: Float64Array = np.array([116.0, 58.0, 28.0])
RUSTY: Dye = (0.25, 0.85, 1.5)  # what rust leaves in the paper
WIRE_MM = 0.6
HOLE: Float64Array = np.array([38.0, 34.0, 32.0])  # sRGB of what is seen through a pin's hole: hardly lit
MOST_SHADE = 0.6  # of the light, that a staple or a pin's dent takes from the paper beside it
PIN_MM = 0.34  # radius of a staple's hole
FALLEN_MM = (0.28, 0.34)  # right and down: a wire's shadow


@dataclass(frozen=True, eq=False)
class Frame:
    """Places along and across something that lies turned on the page: its middle in mm, ``along`` (2,) a unit
    vector."""

    middle: Float64Array
    along: Float64Array

    @classmethod
    def place_randomly(cls, x: float, y: float, degrees: float, paper: Paper) -> Frame:
        """Around a place given as shares of the page, turned by ``degrees`` (> 0: its right end up)."""
        turn = np.radians(degrees)
        return cls(np.array([x * paper.width, y * paper.height]), np.array([np.cos(turn), -np.sin(turn)]))

    def page(self, along: Float64Array, across: Float64Array) -> Points:
        """Page mm (n, 2) of places (n,) mm along and across."""
        return self.middle + np.outer(along, self.along) + np.outer(across, [-self.along[1], self.along[0]])

    def of(self, patch: Patch) -> tuple[Float32Array, Float32Array]:
        """How far along and across (h, w) in mm the pixels of a patch lie."""
        right, down = patch.offsets(float(self.middle[0]), float(self.middle[1]))
        c, s = np.float32(self.along[0]), np.float32(self.along[1])
        return np.asarray(c * right + s * down), np.asarray(c * down - s * right)

    def shift(self, right: float, down: float) -> Frame:
        """The same, so many mm further right and down."""
        return Frame(self.middle + np.array([right, down]), self.along)

    def to_wire(self, patch: Patch, length: float) -> Float32Array:
        """How far (h, w) in mm the pixels of a patch are from a line ``length`` mm long that lies along it."""
        along, across = self.of(patch)
        return np.asarray(np.hypot(np.maximum(np.abs(along) - np.float32(length / 2), 0), across))

    def to_ends(self, patch: Patch, length: float) -> Float32Array:
        """How far (h, w) in mm they are from the nearer of that line's ends."""
        along, across = self.of(patch)
        return np.asarray(np.hypot(np.abs(along) - np.float32(length / 2), across))


@register(EFFECTS)
class Tape(Covering):
    """A strip of adhesive tape: ``clear``, ``matt``, or ``masking``, which hides print."""

    kind: Literal["tape"] = "tape"
    x: Place = key(0.5, "Place, as a share of the page's width.")
    y: Place = key(0.02, "Place, as a share of the page's height.")
    length: float = key(60.0, "Length.", "mm", ge=5, le=500)
    width: float = key(19.0, "Width.", "mm", ge=3, le=80)
    angle: Degrees = key(3.0, "Angle to the page.")
    finish: Finish = key("clear", "Kind of tape; masking tape is of beige crepe.")
    opacity: Share = key(1.0, "How much of it is seen.")
    age: Share = key(0.12, "How yellow its glue is.")
    dirt: Share = key(0.5, "How much sticks to its edges.")
    seed: Seed = 0

    def min_contrast(self) -> float:
        """What is seen through the film and the dirt at its edges."""
        film = self.opacity * (1.0 if self.finish == "masking" else MOST_FILM)
        dyed = self.opacity * (min(BACKING[self.finish]) + self.age * min(CLEAR_AGED))
        return float((1 - film) * (1 - self.opacity * MOST_GRIME) * np.exp(-dyed))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """The strip and its edges."""
        strip = self._outline(paper)
        patch = patch_around(layers, scale, strip, 1.5)
        if not (self.opacity and patch):
            return
        rng = generator(self.seed).spawn(1)[0]
        share = rasterize_coverage(strip, patch, scale) * np.float32(self.opacity)
        along, across = Frame.place_randomly(self.x, self.y, self.angle, paper).of(patch)
        layers.dye(patch, share, BACKING[self.finish])
        if self.finish == "masking":
            self._crepe(layers, patch, scale, share)
        else:
            layers.dye(patch, share * np.float32(self.age * (1 if self.finish == "clear" else MATT_AGES)), CLEAR_AGED)
            self._film(layers, patch, scale, share, (along, across), rng)
        self._edged(layers, patch, scale, rasterize_coverage(strip, patch, scale), rng)

    def _outline(self, paper: Paper) -> Polygon:
        """The strip, page mm: cut at its ends by a dispenser's teeth, or torn."""
        rng = generator(self.seed)
        frame = Frame.place_randomly(self.x, self.y, self.angle, paper)
        across = np.arange(-self.width / 2, self.width / 2 + STEP_MM / 2, STEP_MM)
        if self.finish == "masking":
            ends = [
                1.1 * rough(rng, across, self.width, 0.5, 0.8) + rng.uniform(-2, 2) * across / self.width
                for _ in range(2)
            ]
        else:
            pitch, deep = TEETH_MM
            teeth = [deep * np.abs((across / pitch + rng.random()) % 1 - 0.5) for _ in range(2)]
            ends = [tooth + rng.uniform(-0.6, 0.6) * across / self.width for tooth in teeth]
        right = frame.page(self.length / 2 + ends[0], across)
        return Polygon(np.vstack([right, frame.page(-self.length / 2 + ends[1], across)[::-1]]))

    def _film(
        self,
        layers: Layers,
        patch: Patch,
        scale: float,
        share: Float32Array,
        at: tuple[Float32Array, Float32Array],
        rng: np.random.Generator,
    ) -> None:
        """Gloss, or the milk of a matt film, and where the tape does not touch the paper."""
        along, across = at
        broad = Clouds.draw(rng, 6, 50, 0.8).at(patch.x, patch.y, scale)
        loose = Clouds.draw(rng, 0.9, 9, 0.8).at(patch.x, patch.y, scale)
        bubbles = np.clip((loose - np.float32(1.25)) * np.float32(2.2), 0, 1)
        if self.finish == "matt":
            veil = 0.13 + 0.015 * broad + 0.12 * bubbles
        else:
            lit = rng.uniform(-0.35, 0.35) * self.length
            streak = np.exp(-(((along - np.float32(lit) + 0.6 * across + 3 * broad) / (0.13 * self.length)) ** 2))
            veil = 0.02 + 0.3 * streak * (1 + 0.15 * loose) + 0.12 * bubbles * (0.4 + streak)
        layers.paint(patch, share * np.clip(veil, 0, MOST_FILM), FILM[self.finish])

    def _crepe(self, layers: Layers, patch: Patch, scale: float, share: Float32Array) -> None:
        """The wrinkled paper of masking tape."""
        rng = generator(self.seed).spawn(2)[1]
        wrinkles = cut_tile(fine_noise(rng, scale, 0.6, 0.14, np.radians(90 - self.angle)), patch)
        light = 1 + 0.019 * wrinkles + 0.015 * Clouds.draw(rng, 3, 30, 0.7).at(patch.x, patch.y, scale)
        yellow = np.array([1, 1 - 0.07 * self.age, 1 - 0.2 * self.age]) * FILM["masking"]
        layers.paint(patch, share, light[..., None] * yellow)

    def _edged(self, layers: Layers, patch: Patch, scale: float, strip: Float32Array, rng: np.random.Generator) -> None:
        """The tape's cut edges: a thin dark line, lighter on the inside, and dirt in the glue along it."""
        inside, outside = distance_to_mask(1 - strip, scale), distance_to_mask(strip, scale)
        uneven = np.clip(0.5 + 0.5 * Clouds.draw(rng, 1.2, 25, 0.6).at(patch.x, patch.y, scale), 0, 1.6)
        specks = np.clip(cut_tile(fine_noise(rng, scale, 0.12, 0.12), patch), 0, 3)
        way = inside + outside
        line = np.exp(-((way / np.float32(EDGE_MM)) ** 2))
        grime = uneven * (0.42 * line + 0.17 * np.exp(-way / np.float32(SEAM_MM)) * specks)
        darker = self.opacity * np.clip(0.1 * line + np.float32(self.dirt) * grime, 0, MOST_GRIME)
        layers.paint(patch, darker, DIRT)
        glint = np.exp(-(((inside - np.float32(2.2 * EDGE_MM)) / np.float32(EDGE_MM)) ** 2)) * strip
        layers.paint(patch, 0.25 * self.opacity * glint, FILM["clear"])


@register(EFFECTS)
class Staples(Covering):
    """Staples, which hide print, or the pin holes that they left."""

    kind: Literal["staples"] = "staples"
    x: Place = key(0.035, "Place, as a share of the page's width.")
    y: Place = key(0.05, "Place, as a share of the page's height.")
    count: int = key(1, "How many staples.", ge=0, le=2)
    length: float = key(12.0, "Length of a staple.", "mm", ge=4, le=30)
    angle: Degrees = key(40.0, "Angle to the page.")
    removed: bool = key(False, "Only their holes are left.")
    rust: Share = key(0.0, "How rusty they are, or were.")
    seed: Seed = 0

    def occluded_region(self, view: EffectContext) -> BaseGeometry:
        """The wires, or the holes."""
        radius = PIN_MM if self.removed else WIRE_MM / 2
        shapes = [MultiPoint(ends) if self.removed else LineString(ends) for ends in self._ends(view.paper)]
        return shapely.union_all([shape.buffer(radius, quad_segs=6) for shape in shapes])

    def min_contrast(self) -> float:
        """What is seen in their shadows and through their rust."""
        return float(((1 - MOST_SHADE) * np.exp(-self.rust * min(RUSTY))) ** min(self.count, 1))

    def lay(self, layers: Layers, scale: float, paper: Paper) -> None:
        """Each staple, or its pin holes."""
        for ends, rng in zip(self._ends(paper), generator(self.seed).spawn(self.count), strict=True):
            wire = LineString(ends)
            patch = patch_around(layers, scale, wire, 5.0)
            if not patch:
                continue
            frame = Frame(ends.mean(axis=0), (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0]))
            if self.rust:
                self._stained(layers, patch, scale, frame, rng)
            if self.removed:
                self._pinned(layers, patch, scale, ends, frame, rng)
            else:
                self._stapled(layers, patch, scale, wire, frame, rng)

    def _ends(self, paper: Paper) -> list[Points]:
        """Both ends (2, 2) of each staple, page mm; the second was put in beside the first, a little askew."""
        rng = generator(self.seed)
        found = []
        for number in range(self.count):
            turn = self.angle + rng.normal(0, 4 + 5 * number)
            frame = Frame.place_randomly(self.x, self.y, turn, paper)
            beside = number * rng.uniform(2.5, 5) * rng.choice([-1, 1])
            half = np.array([-1, 1]) * self.length / 2
            found.append(frame.page(half + number * rng.normal(0, 2), np.full(2, beside)))
        return found

    def _stapled(
        self, layers: Layers, patch: Patch, scale: float, wire: LineString, frame: Frame, rng: np.random.Generator
    ) -> None:
        """A wire, its shadow, and the paper that its ends draw in."""
        along, across = frame.of(patch)
        half = np.float32(self.length / 2)
        shadow = _faded(frame.shift(*FALLEN_MM).to_wire(patch, self.length), WIRE_MM / 2, 0.28)
        ends = np.exp(-(((np.abs(along) - half) / 0.7) ** 2) - (across / 0.7) ** 2)
        layers.shade(patch, 1 - np.clip(0.5 * shadow + 0.25 * ends, 0, MOST_SHADE))
        v = np.clip(across / np.float32(WIRE_MM / 2), -1, 1)
        worn = Clouds.draw(rng, 0.7, 9, 0.5).at(patch.x, patch.y, scale)
        light = 0.38 + 0.62 * np.sqrt(1 - 0.98 * v * v) - 0.22 * v
        light *= 1 - 0.45 * np.exp(-(half + 0.3 - np.abs(along)) / 0.55)
        glint = np.exp(-(((v + 0.32) / 0.24) ** 2)) * np.clip(0.62 + 0.25 * worn, 0, 1) * (np.abs(along) < half - 0.5)
        rust = self.rust * np.clip(0.45 + 0.5 * self.rust + 0.4 * worn, 0, 1)
        metal: Any = light[..., None] * (WIRE + rust[..., None] * (RUST - WIRE))
        metal += ((1 - rust) * glint)[..., None] * (GLINT - metal) * 0.85
        share = rasterize_coverage(wire.buffer(WIRE_MM / 2, quad_segs=6), patch, scale)
        layers.paint(patch, share, metal)

    def _stained(self, layers: Layers, patch: Patch, scale: float, frame: Frame, rng: np.random.Generator) -> None:
        """What rust has run into the paper."""
        along, _ = frame.of(patch)
        beyond = frame.to_wire(patch, self.length)
        uneven = Clouds.draw(rng, 0.8, 8, 0.7).at(patch.x, patch.y, scale)
        ends = 0.5 + 0.5 * np.exp(-(((np.abs(along) - self.length / 2) / 1.5) ** 2))
        run = np.exp(-beyond / (0.45 + 0.5 * self.rust)) * np.clip(0.75 + 0.4 * uneven, 0, 1.5) * ends
        layers.dye(patch, np.asarray(self.rust * run, dtype=np.float32), RUSTY)

    def _pinned(
        self, layers: Layers, patch: Patch, scale: float, ends: Points, frame: Frame, rng: np.random.Generator
    ) -> None:
        """Two holes with frayed rims, and the dent of the wire between them."""
        along, across = frame.of(patch)
        between = np.clip((self.length / 2 - np.abs(along)) / 0.4, 0, 1)
        dent = 0.07 * between * np.exp(-((across / 0.3) ** 2)) * (1 + 0.3 * rng.standard_normal())
        lit = _faded(frame.shift(0.22, 0.22).to_ends(patch, self.length), PIN_MM, 0.2)
        raised = _faded(frame.to_ends(patch, self.length), PIN_MM + 0.15, 0.3)
        gain = 1 - np.clip(dent + 0.22 * raised, 0, MOST_SHADE)
        layers.shade(patch, gain)
        layers.paint(patch, 0.5 * lit, FILM["clear"])
        layers.paint(patch, rasterize_coverage(MultiPoint(ends).buffer(PIN_MM, quad_segs=6), patch, scale), HOLE)


def _faded(away: Float32Array, radius: float, soft: float) -> Float32Array:
    """1 up to ``radius`` mm ``away`` (h, w), falling to 0 over about ``soft`` mm."""
    return np.asarray(np.exp(-((np.maximum(away - radius, 0) / soft) ** 2)), dtype=np.float32)
