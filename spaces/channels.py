"""Channel modes: how a network uses a pit's images under different lights.

To add a mode, add one entry to MODES. Knows the lights' kinds and azimuths, but no pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spaces.errors import SpaceError


class Light(Protocol):
    """What a data set says of a channel: its name, its kind and, when rotating, its azimuth in degrees."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def azimuth_deg(self) -> float | None: ...


@dataclass(frozen=True)
class Channels:
    """One use of the channels: a mode of MODES and, for `single`, the light's name."""

    mode: str = "stacked"
    light: str | None = None


@dataclass(frozen=True)
class Mode:
    """How a mode sees a pit.

    `kinds`: the kinds of channel it takes; `least`: how many it needs; `apart`: each image is an example of its own;
    `dims`: 2 where lights are the convolution's input channels, 3 where it runs over the lights as well.
    """

    meaning: str
    kinds: tuple[str, ...] = ("rotating", "backlit", "halo")
    least: int = 2
    apart: bool = False
    dims: int = 2


MODES: dict[str, Mode] = {
    "single": Mode("one light's image", least=1),
    "examples": Mode("every light's image is an example; a pit's score is the mean over its images", apart=True),
    "stacked": Mode("all lights as the input channels of a 2-D convolution"),
    "volume": Mode("the rotating lights as a third axis, a 3-D convolution over them", kinds=("rotating",), least=3, dims=3),
}


def used_lights(channels: Channels, lights: Sequence[Light]) -> tuple[int, ...]:
    """Number the lights that a use of the channels takes.

    Raises SpaceError where the data set lacks them.
    """
    mode = MODES[channels.mode]
    if channels.mode == "single":
        names = [light.name for light in lights]
        if channels.light not in names:
            raise SpaceError(
                f"`channels.light` must be a channel of the data set ({', '.join(names)}), but got {channels.light!r}; "
                "correct it."
            )
        return (names.index(channels.light),)
    used = tuple(number for number, light in enumerate(lights) if light.kind in mode.kinds)
    if len(used) < mode.least:
        raise SpaceError(
            f"`channels.mode = {channels.mode}` needs at least {mode.least} channels of kind {' or '.join(mode.kinds)}, "
            f"but the data set has {len(used)}; leave it out."
        )
    return used
