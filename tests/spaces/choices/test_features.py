"""Features: which modes and lights carry each, and what the others are told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foils.description import Channel
from spaces.choices.channels import MODES, SUBSETS, Channels
from spaces.choices.features import FEATURES, check_features
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.channels import QMUL


def lights(*azimuths: float) -> tuple[Channel, ...]:
    return (*(Channel(str(azimuth), "rotating", azimuth) for azimuth in azimuths), Channel("b", "backlit"))


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_says_what_it_is_and_is_carried_by_every_subset_that_it_is_for(name: str) -> None:
    assert FEATURES[name].meaning
    assert set(FEATURES[name].modes) <= set(MODES)
    for mode in FEATURES[name].modes:
        for subset, kind in SUBSETS.items():
            if mode in ("examples", "stacked") and kind.featured:
                check_features(Channels(mode, lights=subset, features=name), QMUL)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "stacked"])
def test_a_feature_without_a_meaning_for_a_mode_is_refused(mode: str) -> None:
    line = f"`channels.features = fourier` needs `channels.mode` of stacked, but got '{mode}'; use none."
    with pytest.raises(SpaceError) as caught:
        Config(channels=Channels(mode, "1" if mode == "single" else None, features="fourier"))
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        (
            "opposite",
            lights(0, 90, 180),
            "needs rotating lights in pairs 180 degrees apart, but got azimuths 0, 90, 180; use none.",
        ),
        ("opposite", QMUL[8:], "needs rotating lights in pairs 180 degrees apart, but got azimuths none; use none."),
        ("fourier", lights(0, 180), "needs rotating lights from three directions, but got azimuths 0, 180; use none."),
        (
            "fourier",
            lights(0, 0.5, 180),
            "needs rotating lights from three directions, but got azimuths 0, 0.5, 180; use none.",
        ),
        ("minus mean", lights(30), "needs two rotating lights, but got azimuths 30; use none."),
    ],
)
def test_lights_that_do_not_carry_a_feature_are_refused(name: str, data: Sequence[Channel], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        check_features(Channels(features=name), data)
    assert str(caught.value) == f"`channels.features = {name}` {line}"


def test_azimuths_a_little_off_still_pair_up() -> None:
    check_features(Channels(features="opposite"), lights(0.4, 90, 180, 269.8))
