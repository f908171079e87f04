"""What a training image may go through before a network sees it, and what that does to the azimuths of its lights.

To add a way of turning, add one entry to TURNINGS; the other ways are numbers, one entry of PERTURBATIONS and one field of
Augmentation each, and `models/training/perturbation.py` does them. Azimuths are counted counter-clockwise from the right-hand
edge of the displayed image: a mirror image (left-right) takes azimuth a to 180 - a, a quarter turn counter-clockwise to a + 90.
An image flipped without its lights reordered is lit from where no light stood, and the angle information is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spaces.choices.channels import MODES, TOLERANCE_DEG, Channels, Light, apart, used_lights
from spaces.errors import SpaceError


@dataclass(frozen=True)
class Turn:
    """Mirror left-right (or not), then turn counter-clockwise by quarters."""

    mirrored: bool
    quarters: int
    # Whether it turns by 45 degrees more.
    diagonal: bool = False

    def azimuth(self, degrees: float) -> float:
        """Say where a light at this azimuth stands after the turn, in [0, 360)."""
        turned_deg = 90.0 * self.quarters + 45.0 * self.diagonal
        return ((180.0 - degrees if self.mirrored else degrees) + turned_deg) % 360.0


TURNS = tuple(Turn(mirrored, quarters) for mirrored in (False, True) for quarters in range(4))
EIGHTHS = (*TURNS, *(Turn(turn.mirrored, turn.quarters, diagonal=True) for turn in TURNS))


@dataclass(frozen=True)
class Augmentation:
    """One choice of augmentation: flips and turns, and how much of each of PERTURBATIONS, 0 for nothing."""

    # Of TURNINGS.
    turns: str = "none"
    shift: int = 0
    gain: float = 0.0
    noise: float = 0.0
    drop: float = 0.0
    mixup: float = 0.0

    @property
    def perturbs(self) -> bool:
        """Tell whether images are changed beyond flips and turns."""
        return any((self.shift, self.gain, self.noise, self.drop, self.mixup))

    def describe(self) -> list[str]:
        """Say the choice in a few words, leaving out what is as by default."""
        amounts = {name: getattr(self, name) for name in PERTURBATIONS}
        return [
            *([self.turns] if self.turns != "none" else []),
            *(f"{name} {amount:.2g}" for name, amount in amounts.items() if amount),
        ]


# All are drawn anew at every step, for training images alone. A network that is normalised per image sees no gain.
PERTURBATIONS: dict[str, str] = {
    "shift": "whole pixels that an image is shifted by at most, edges repeated; azimuths stay (Simard & al. 2003, ICDAR)",
    "gain": "log deviation of a factor for each light, as lamps drift; azimuths stay (Krizhevsky & al. 2012, NIPS 25)",
    "noise": "deviation of noise, as a share of the full scale; azimuths stay (Bishop 1995, Neural Computation 7)",
    "drop": "chance of a light to be replaced by its mean; the other azimuths stay (Tompson & al. 2015, arXiv:1411.4280)",
    "mixup": "alpha of the shares of two pits in one image, light by light; azimuths stay (Zhang & al. 2018, arXiv:1710.09412)",
}


@dataclass(frozen=True)
class Turning:
    """One way of flipping and turning images."""

    meaning: str
    # Whether the lights are reordered with the image.
    moves_lights: bool = False
    # The flips and turns that it draws from.
    turns: tuple[Turn, ...] = TURNS


TURNINGS: dict[str, Turning] = {
    "none": Turning("images as they are; azimuths stay", turns=TURNS[:1]),
    "symmetries": Turning("flips and quarter turns with the lights reordered; azimuths turn along", moves_lights=True),
    "eighths": Turning(
        "as symmetries, and turns by 45 degrees, interpolated; azimuths turn along, the lights roll by one",
        moves_lights=True,
        turns=EIGHTHS,
    ),
    "turned": Turning("flips and quarter turns of one image; under one light, as if lit from elsewhere: azimuths are lost"),
    "turned eighths": Turning("as turned, and turns by 45 degrees, interpolated; azimuths are lost", turns=EIGHTHS),
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
    orders = [(turn, light_permutation(used, turn)) for turn in turning.turns]
    turns = tuple((turn, order) for turn, order in orders if order is not None)
    azimuths = ", ".join(f"{light.azimuth_deg:g}" for light in used if light.azimuth_deg is not None)
    if turning.turns is EIGHTHS and not any(turn.diagonal for turn, _ in turns):
        raise SpaceError(
            f"`augmentation = {name}` needs azimuths that a turn by 45 degrees maps onto each other, but got {azimuths}; "
            "use symmetries or none, or turned eighths with single lights."
        )
    if len(turns) < 2:
        raise SpaceError(
            f"`augmentation = {name}` needs azimuths that a flip or quarter turn maps onto each other, but got {azimuths}; "
            "use none, or turned with single lights."
        )
    # Where every image is an example, the turned image simply joins the examples of the light it now seems to have.
    return tuple((turn, same) for turn, _ in turns) if MODES[channels.mode].apart else turns


def check_drop(drop: float, mode: str) -> None:
    """Raise SpaceError where lights may be dropped, but each image has one alone."""
    if drop and (MODES[mode].apart or MODES[mode].least < 2):
        several = ", ".join(name for name, kind in MODES.items() if not kind.apart and kind.least > 1)
        raise SpaceError(
            f"`augmentation.drop` needs a network that sees several lights ({several}), but got {drop:g} with "
            f"`channels.mode = {mode}`; set it to 0."
        )
