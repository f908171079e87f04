"""Rigid transforms of the plane: mirror, turn, shift; and the one that fits pairs of points best. Knows nothing of hits.

Points are complex numbers, x + iy, so that a turn is a product.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scan.place_list import Floats

Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Rigid:
    """A rigid transform: x is negated where it mirrors, then the plane is turned about its origin, then shifted."""

    # From x towards y, which points down in images: clockwise as one looks at them.
    angle_deg: float
    shift_x: float
    shift_y: float
    mirrored: bool = False

    def __call__(self, points: Floats) -> Floats:
        """Transform points, `[points, 2]`."""
        turn = cmath.exp(1j * math.radians(self.angle_deg))
        return plain(turn * as_complex(points, mirrored=self.mirrored) + complex(self.shift_x, self.shift_y))

    def __str__(self) -> str:
        mirror = "mirrored, " if self.mirrored else ""
        return f"{mirror}turned by {self.angle_deg:+.3f} degrees, shifted by {self.shift_x:+.1f}, {self.shift_y:+.1f} pixels"


def as_complex(points: Floats, *, mirrored: bool = False) -> Complex:
    """Give points `[points, 2]` as complex numbers, with x negated where they are mirrored."""
    return (-points[:, 0] if mirrored else points[:, 0]) + 1j * points[:, 1]


def plain(points: Complex) -> Floats:
    """Give complex numbers as points, `[points, 2]`."""
    return np.column_stack([points.real, points.imag])


def fit(source: Complex, target: Complex) -> tuple[complex, complex]:
    """Give the turn and the shift that take the source nearest to the target, by least squares (Kabsch 1976)."""
    middle, aim = complex(source.mean()), complex(target.mean())
    product = complex(np.vdot(source - middle, target - aim))
    turn = product / abs(product) if product else 1.0 + 0j
    return turn, aim - turn * middle


def rigid(turn: complex, shift: complex, mirrored: bool) -> Rigid:
    """Name a transform by its angle and shift."""
    return Rigid(math.degrees(cmath.phase(turn)), shift.real, shift.imag, mirrored)
