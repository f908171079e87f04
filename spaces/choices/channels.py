"""Channel modes: how a network uses a pit's images under different lights, which of them, and how their scores become one.

To add a choice, add one entry to MODES, SUBSETS or SCORES. Knows the lights' kinds and azimuths, but no pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from spaces.errors import SpaceError

TOLERANCE_DEG = 1.0


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
    """One use of the channels."""

    # Of MODES.
    mode: str = "stacked"
    # The light's name, for `single`.
    light: str | None = None
    # Of SUBSETS, for the other modes.
    lights: str = "all"
    # Of SCORES, for `examples`.
    scores: str = "mean"
    # Images of a pit that an epoch shows, for `examples`, drawn anew each epoch; 0 for all.
    shown: int = 0
    # Of `spaces.choices.features.FEATURES`, for `stacked` and, where it has lights, `volume`.
    features: str = "none"

    def describe(self) -> str:
        """Say the use in a few words, leaving out what is as by default."""
        words = [self.lights] if self.lights != "all" else []
        words += [self.features] if self.features != "none" else []
        words += [f"{self.scores} of images"] if self.scores != "mean" else []
        words += [f"{self.shown} shown"] if self.shown else []
        return f"{self.mode}{f' {self.light}' if self.light else ''}" + (f" ({', '.join(words)})" if words else "")


@dataclass(frozen=True)
class Mode:
    """How a mode sees a pit."""

    meaning: str
    # The kinds of channel it takes.
    kinds: tuple[str, ...] = ("rotating", "backlit", "halo")
    # How many it needs.
    least: int = 2
    # Each image is an example of its own.
    apart: bool = False
    # 2 where lights are the convolution's input channels, 3 where it runs over the lights as well.
    dims: int = 2


MODES: dict[str, Mode] = {
    "single": Mode("one light's image", least=1),
    "examples": Mode("every light's image is an example; a pit's score is taken over its images'", apart=True),
    "stacked": Mode("all lights as the input channels of a 2-D convolution"),
    "volume": Mode("the rotating lights as a third axis, a 3-D convolution over them", kinds=("rotating",), least=3, dims=3),
}


@dataclass(frozen=True)
class Subset:
    """Which of a data set's lights are used."""

    meaning: str
    # The kinds of channel it takes, each of which must be there; None takes what there is.
    kinds: tuple[str, ...] | None = None
    # Numbers some of the rotating lights, given their azimuths, and raises ValueError with what it needs; None takes them all.
    choose: Callable[[Sequence[float]], Sequence[int]] | None = None
    # Whether it makes a difference where the rotating lights alone are used.
    volume: bool = False
    # Whether features of it are worth a choice.
    featured: bool = True


def _every_second(azimuths: Sequence[float]) -> Sequence[int]:
    if len(azimuths) % 2:
        raise ValueError("an even number of rotating lights")
    return _around(azimuths)[::2]


def _opposite_pair(azimuths: Sequence[float]) -> Sequence[int]:
    for number, azimuth in enumerate(azimuths):
        partner = opposite(azimuths, azimuth)
        if len(partner) == 1:
            return (number, *partner)
    raise ValueError("two rotating lights 180 degrees apart")


# What fewer lights would cost, or save: each photograph takes the microscope's time.
SUBSETS: dict[str, Subset] = {
    "all": Subset("every light that the mode takes", volume=True),
    "rotating": Subset("the rotating lights", ("rotating",)),
    "rotating and backlit": Subset("the rotating lights and those from behind", ("rotating", "backlit")),
    "rotating and halo": Subset("the rotating lights and the halo", ("rotating", "halo")),
    "every second": Subset("every second rotating light, going round", ("rotating",), _every_second, volume=True),
    # Two images hold one difference, and no feature of them holds more.
    "opposite pair": Subset(
        "the first rotating light that has one opposite, and that", ("rotating",), _opposite_pair, featured=False
    ),
}

# How a pit's score follows from its images', [pits, images]; `models/scores.py` computes it. Kittler et al. 1998, "On
# combining classifiers", IEEE TPAMI 20, compares such rules.
SCORES: dict[str, str] = {
    "mean": "the mean over the images",
    "max": "the largest of the images: one light that is sure is enough",
    "trimmed mean": "the mean without the lowest and the highest quarter (as scipy.stats.trim_mean)",
}


def used_lights(channels: Channels, lights: Sequence[Light]) -> tuple[int, ...]:
    """Number the lights that a use of the channels takes: as listed; for `volume` counter-clockwise, the first listed first.

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
    used = [number for number in _chosen(channels, lights) if lights[number].kind in mode.kinds]
    if len(used) < mode.least:
        kinds = " or ".join(mode.kinds)
        source = "the data set has" if channels.lights == "all" else f"`channels.lights = {channels.lights}` leaves"
        raise SpaceError(
            f"`channels.mode = {channels.mode}` needs at least {mode.least} channels of kind {kinds}, but {source} "
            f"{len(used)}; "
            "leave it out."
        )
    if mode.dims == 3:
        return tuple(used[place] for place in _around(rotating_azimuths([lights[number] for number in used])))
    return tuple(used)


def _chosen(channels: Channels, lights: Sequence[Light]) -> list[int]:
    """Number the lights of the subset, as listed."""
    key, subset = f"`channels.lights = {channels.lights}`", SUBSETS[channels.lights]
    if not subset.volume and MODES[channels.mode].dims == 3:
        known = ", ".join(name for name, kind in SUBSETS.items() if kind.volume)
        raise SpaceError(
            f"`channels.mode = {channels.mode}` takes rotating lights alone and needs `channels.lights` of {known}, but got "
            f"{channels.lights!r}; leave it out."
        )
    if subset.kinds is None:
        return list(range(len(lights)))
    lacking = [kind for kind in subset.kinds if kind not in {light.kind for light in lights}]
    if lacking:
        raise SpaceError(
            f"{key} needs channels of kind {' and '.join(subset.kinds)}, but the data set has no {' or '.join(lacking)}; "
            "leave it out."
        )
    used = [number for number, light in enumerate(lights) if light.kind in subset.kinds]
    if subset.choose is None:
        return used
    azimuths = rotating_azimuths([lights[number] for number in used])
    try:
        return sorted(used[place] for place in subset.choose(azimuths))
    except ValueError as error:
        got = ", ".join(f"{azimuth:g}" for azimuth in azimuths)
        raise SpaceError(f"{key} needs {error}, but got azimuths {got}; leave it out.") from None


def check_subset(offered: Sequence[str], modes: Sequence[str], lights: Sequence[Light], name: object) -> None:
    """Raise SpaceError where a data set lacks the lights of a subset, or one offered before it has the same in these modes."""
    for mode in modes:
        used = set(used_lights(Channels(mode, lights=str(name)), lights))
        for other in offered[: offered.index(str(name))]:
            if _takes(Channels(mode, lights=other), lights) == used:
                raise SpaceError(
                    f"`channels.lights` must offer each choice once, but {other!r} and {name!r} are the same lights of this "
                    "data set; leave one out."
                )


def _takes(channels: Channels, lights: Sequence[Light]) -> set[int] | None:
    """Give the lights that a use takes; None where the data set lacks them."""
    try:
        return set(used_lights(channels, lights))
    except SpaceError:
        return None


def rotating_azimuths(lights: Sequence[Light]) -> list[float]:
    """List the azimuths of those lights that have one."""
    return [light.azimuth_deg for light in lights if light.azimuth_deg is not None]


def apart(first: float, second: float) -> float:
    """Give the angle between two azimuths, in degrees, 0 to 180."""
    return abs(math.remainder(first - second, 360.0))


def opposite(azimuths: Sequence[float], azimuth: float) -> list[int]:
    """Number the azimuths that lie opposite to one."""
    return [number for number, other in enumerate(azimuths) if apart(other, azimuth + 180.0) < TOLERANCE_DEG]


def _around(azimuths: Sequence[float]) -> list[int]:
    """Number azimuths in the order in which they go round counter-clockwise, beginning with the first."""
    return sorted(range(len(azimuths)), key=lambda number: (azimuths[number] - azimuths[0]) % 360.0)
