"""Channel modes: which lights each takes, and what a data set without them is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foils.description import Channel
from spaces.choices.channels import MODES, SCORES, SUBSETS, Channels, used_lights
from spaces.errors import SpaceError
from tests.support.channels import QMUL


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_says_what_it_is_and_takes_lights_it_can_use(mode: str) -> None:
    kind = MODES[mode]
    assert kind.meaning
    assert kind.dims in (2, 3)
    used = used_lights(Channels(mode, "9" if mode == "single" else None), QMUL)
    assert len(used) >= kind.least
    assert len(used) == len(set(used))
    assert {QMUL[number].kind for number in used} <= set(kind.kinds)


def test_modes_take_the_lights_they_name() -> None:
    assert used_lights(Channels("single", "10"), QMUL) == (9,)
    assert used_lights(Channels("examples"), QMUL) == tuple(range(10))
    assert used_lights(Channels("stacked"), QMUL) == tuple(range(10))
    assert used_lights(Channels("volume"), QMUL) == tuple(range(8))


def test_a_volume_goes_round_whatever_the_order_in_the_data_set() -> None:
    shuffled = [QMUL[number] for number in (3, 9, 0, 7, 5, 1, 8, 6, 2, 4)]
    used = used_lights(Channels("volume"), shuffled)
    azimuths = [shuffled[number].azimuth_deg for number in used]
    assert azimuths == [202.5, 247.5, 292.5, 337.5, 22.5, 67.5, 112.5, 157.5]
    assert used_lights(Channels("stacked"), shuffled) == tuple(range(10))


@pytest.mark.parametrize(
    ("subset", "stacked", "volume"),
    [
        ("all", "1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7 8"),
        ("rotating", "1 2 3 4 5 6 7 8", None),
        ("rotating and backlit", "1 2 3 4 5 6 7 8 9", None),
        ("rotating and halo", "1 2 3 4 5 6 7 8 10", None),
        ("every second", "1 3 5 7", "1 3 5 7"),
        ("opposite pair", "1 5", None),
    ],
)
def test_subsets_take_the_lights_they_name(subset: str, stacked: str, volume: str | None) -> None:
    for mode, names in (("stacked", stacked), ("examples", stacked), ("volume", volume)):
        if names is None:
            with pytest.raises(
                SpaceError, match=r"takes rotating lights alone and needs `channels.lights` of all, every second"
            ):
                used_lights(Channels(mode, lights=subset), QMUL)
        else:
            assert [QMUL[number].name for number in used_lights(Channels(mode, lights=subset), QMUL)] == names.split()
    assert used_lights(Channels("single", "9", lights=subset), QMUL) == (8,)


def test_every_second_light_is_by_azimuth_not_by_place() -> None:
    listed = [QMUL[number] for number in (0, 4, 1, 5, 2, 6, 3, 7)]
    used = used_lights(Channels("stacked", lights="every second"), listed)
    assert sorted(listed[number].azimuth_deg or 0.0 for number in used) == [67.5, 157.5, 247.5, 337.5]
    assert list(used) == sorted(used)


def test_every_subset_and_rule_of_scores_says_what_it_is() -> None:
    assert all(subset.meaning for subset in SUBSETS.values())
    assert all(SCORES.values())
    assert Channels().lights in SUBSETS
    assert Channels().scores in SCORES


@pytest.mark.parametrize(
    ("channels", "lights", "line"),
    [
        (
            Channels("single", "11"),
            QMUL[-2:],
            "`channels.light` must be a channel of the data set (9, 10), but got '11'; correct it.",
        ),
        (
            Channels("single"),
            QMUL[-2:],
            "`channels.light` must be a channel of the data set (9, 10), but got None; correct it.",
        ),
        (
            Channels("stacked"),
            QMUL[:1],
            "`channels.mode = stacked` needs at least 2 channels of kind rotating or backlit or halo, but the data set has 1; "
            "leave it out.",
        ),
        (
            Channels("examples"),
            QMUL[:1],
            "`channels.mode = examples` needs at least 2 channels of kind rotating or backlit or halo, but the data set has 1; "
            "leave it out.",
        ),
        (
            Channels("volume"),
            (*QMUL[:2], *QMUL[-2:]),
            "`channels.mode = volume` needs at least 3 channels of kind rotating, but the data set has 2; leave it out.",
        ),
        (
            Channels("volume", lights="every second"),
            QMUL[:4],
            "`channels.mode = volume` needs at least 3 channels of kind rotating, but `channels.lights = every second` leaves "
            "2; leave it out.",
        ),
        (
            Channels("stacked", lights="rotating and backlit"),
            (*QMUL[:8], QMUL[9]),
            "`channels.lights = rotating and backlit` needs channels of kind rotating and backlit, but the data set has no "
            "backlit; leave it out.",
        ),
        (
            Channels("stacked", lights="every second"),
            QMUL[:3],
            "`channels.lights = every second` needs an even number of rotating lights, but got azimuths 67.5, 112.5, 157.5; "
            "leave it out.",
        ),
        (
            Channels("examples", lights="opposite pair"),
            QMUL[:3],
            "`channels.lights = opposite pair` needs two rotating lights 180 degrees apart, but got azimuths 67.5, 112.5, "
            "157.5; leave it out.",
        ),
    ],
)
def test_lights_that_are_not_there_are_refused(channels: Channels, lights: Sequence[Channel], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        used_lights(channels, lights)
    assert str(caught.value) == line
