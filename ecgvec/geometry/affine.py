"""Affine maps of the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgvec._typing import Points


@dataclass(frozen=True)
class Affine:
    """x' = a x + c y + e, y' = b x + d y + f (the order of SVG's ``matrix(a b c d e f)``)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    @classmethod
    def scale(cls, factor: float) -> Affine:
        """Uniform scaling about the origin."""
        return cls(a=factor, d=factor)

    @classmethod
    def translate(cls, x: float, y: float) -> Affine:
        """A shift by (x, y)."""
        return cls(e=x, f=y)

    def __call__(self, points: Points) -> Points:
        """``points`` (n, 2) sent through the map."""
        matrix = np.array([[self.a, self.b], [self.c, self.d]])
        moved: Points = points @ matrix + np.array([self.e, self.f])
        return moved

    def inverse(self) -> Affine:
        """The map back; ValueError where there is none."""
        determinant = self.a * self.d - self.b * self.c
        if determinant == 0.0:
            raise ValueError("this affine map flattens the plane and has no inverse")
        a, b, c, d = (v / determinant for v in (self.d, -self.b, -self.c, self.a))
        return Affine(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))
