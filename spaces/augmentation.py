"""Flips and quarter turns of a pit, and what they do to the azimuths of its lights.

To add a way of turning, add one entry to TURNINGS. Azimuths are counted counter-clockwise from the right-hand edge of
the displayed image: a mirror image (left-right) takes azimuth a to 180 - a, a quarter turn counter-clockwise to a + 90.
An image flipped without its lights reordered is lit from where no light stood, and the angle information is lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spaces.channels import MODES, Channels, Light, used_lights
from spaces.errors import SpaceError

TOLERANCE_DEG = 1.0


@dataclass(frozen=True)
class Turn:
    """Mirror left-right (or not), then turn counter-clockwise by quarters."""

    mirrored: bool
    quarters: int

    def azimuth(self, degrees: float) -> float:
        """Say where a light at this azimuth stands after the turn, in [0, 360)."""
        return ((180.0 - degrees if self.mirrored else degrees) + 90.0 * self.quarters) % 360.0


TURNS = tuple(Turn(mirrored, quarters) for mirrored in (False, True) for quarters in range(4))


@dataclass(frozen=True)
class Augmentation:
    """One choice of augmentation; `turns`: a name of TURNINGS."""

    turns: str = "none"


@dataclass(frozen=True)
class Turning:
    """`moves_lights`: the lights are reordered with the image; `turns`: which flips and turns it draws from."""

    meaning: str
    moves_lights: bool = False
    turns: tuple[Turn, ...] = TURNS


TURNINGS: dict[str, Turning] = {
    "none": Turning("images as they are; azimuths stay", turns=TURNS[:1]),
    "symmetries": Turning("flips and quarter turns with the lights reordered; azimuths turn along", moves_lights=True),
    "turned": Turning("flips and quarter turns of one image; under one light, as if lit from elsewhere"),
}


def light_permutation(lights: Sequence[Light], turn: Turn) -> tuple[int, ...] | None:
    """Say which light's turned image stands in for each light; None where the azimuths allow no such order.

    Backlit and halo images have no azimuth and stand in for themselves.
    """
    order: list[int] = []
    for target, light in enumerate(lights):
        if light.azimuth_deg is None:
            order.append(target)
            continue
        sources = [
            number
            for number, other in enumerate(lights)
            if other.azimuth_deg is not None and apart(turn.azimuth(other.azimuth_deg), light.azimuth_deg) < TOLERANCE_DEG
        ]
        if len(sources) != 1:
            return None
        order.append(sources[0])
    return tuple(order)


def allowed_turns(name: str, channels: Channels, lights: Sequence[Light]) -> tuple[tuple[Turn, tuple[int, ...]], ...]:
    """List the turns of a way of turning, each with the order of the used lights after it, identity first.

    Raises SpaceError where the azimuths allow none, or where images of several lights would turn without their lights.
    """
    turning = TURNINGS[name]
    used = [lights[number] for number in used_lights(channels, lights)]
    same = tuple(range(len(used)))
    if not turning.moves_lights:
        if len(turning.turns) > 1 and len(used) > 1 and not MODES[channels.mode].apart:
            raise SpaceError(
                f"`augmentation = {name}` must not be used with `channels.mode = {channels.mode}`: it turns the images but "
                "not their lights; use symmetries."
            )
        return tuple((turn, same) for turn in turning.turns)
    found = [(turn, light_permutation(used, turn)) for turn in turning.turns]
    turns = tuple((turn, order) for turn, order in found if order is not None)
    if len(turns) < 2:
        azimuths = ", ".join(f"{light.azimuth_deg:g}" for light in used if light.azimuth_deg is not None)
        raise SpaceError(
            f"`augmentation = {name}` needs azimuths that a flip or quarter turn maps onto each other, but got {azimuths}; "
            "use none, or turned with single lights."
        )
    # Where every image is an example, the turned image simply joins the examples of the light it now seems to have.
    return tuple((turn, same) for turn, _ in turns) if MODES[channels.mode].apart else turns


def apart(first: float, second: float) -> float:
    """Give the angle between two azimuths, in degrees, 0 to 180."""
    return abs(math.remainder(first - second, 360.0))
