"""Per-pixel features: what a network sees in place of the grey values under each light. `models/networks` computes them.

To add a feature, add one entry to FEATURES and its computation of the same name in models. Features are of the rotating
lights that are used, and come before the backlit and halo images, which stay as they are. Values c times as large have features
c times as large: the bit depth's full scale may be divided out, once, after them. A turned pit's lights are reordered before
its features are taken, so that these are what a pit lying so would have.

"fourier" fits I = m + A cos(azimuth - phase) by least squares at the true azimuths: all that a matt surface shows under distant
light without shadows. It gives m, A, A cos(phase) and A sin(phase). A is the same however the pit is turned; the last two turn
with it. The phase comes weighted by A because it is noise where A is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spaces.choices.channels import TOLERANCE_DEG, Channels, Light, apart, opposite, rotating_azimuths, used_lights
from spaces.errors import SpaceError


@dataclass(frozen=True)
class Feature:
    """One entry of FEATURES."""

    meaning: str
    # The modes that it has a meaning for.
    modes: tuple[str, ...] = ("stacked",)


FEATURES: dict[str, Feature] = {
    "none": Feature("the grey values", ("single", "examples", "stacked", "volume")),
    "minus mean": Feature("minus the mean over the rotating lights, as MoEDAL prepares its images", ("stacked", "volume")),
    "opposite": Feature(
        "light minus opposite light, half as many images: the slope alone, where it is small (Horn 1975, shape from shading)"
    ),
    "fourier": Feature(
        "mean, amplitude and both components of the shading's first wave over the azimuth (Woodham 1980, Opt. Eng. 19, 139)"
    ),
}


def check_mode(channels: Channels) -> None:
    """Raise SpaceError where a feature has no meaning for the mode."""
    modes = FEATURES[channels.features].modes
    if channels.mode not in modes:
        raise SpaceError(
            f"`channels.features = {channels.features}` needs `channels.mode` of {', '.join(modes)}, but got "
            f"{channels.mode!r}; use none."
        )


def check_features(channels: Channels, lights: Sequence[Light]) -> None:
    """Raise SpaceError where a data set's lights do not carry the features of a use of the channels."""
    check_mode(channels)
    azimuths = rotating_azimuths([lights[number] for number in used_lights(channels, lights)])
    needs = {
        "minus mean": (len(azimuths) > 1, "two rotating lights"),
        "opposite": (bool(azimuths) and paired(azimuths), "rotating lights in pairs 180 degrees apart"),
        "fourier": (_directions(azimuths) > 2, "rotating lights from three directions"),
    }
    met, rule = needs.get(channels.features, (True, ""))
    if not met:
        got = ", ".join(f"{azimuth:g}" for azimuth in azimuths) or "none"
        raise SpaceError(f"`channels.features = {channels.features}` needs {rule}, but got azimuths {got}; use none.")


def paired(azimuths: Sequence[float]) -> bool:
    """Tell whether each azimuth has exactly one opposite."""
    return all(len(opposite(azimuths, azimuth)) == 1 for azimuth in azimuths)


def _directions(azimuths: Sequence[float]) -> int:
    seen: list[float] = []
    for azimuth in azimuths:
        if all(apart(azimuth, other) > TOLERANCE_DEG for other in seen):
            seen.append(azimuth)
    return len(seen)
