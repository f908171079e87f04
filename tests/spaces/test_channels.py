"""Channel modes: which lights each takes, and what a data set without them is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foils.description import Channel
from spaces.channels import MODES, Channels, used_lights
from spaces.errors import SpaceError

# QMUL's scans: eight rotating lights, then backlit and halo.
QMUL_AZIMUTHS = (67.5, 112.5, 157.5, 202.5, 247.5, 292.5, 337.5, 22.5)
QMUL = (
    *(Channel(str(number), "rotating", azimuth) for number, azimuth in enumerate(QMUL_AZIMUTHS, start=1)),
    Channel("9", "backlit"),
    Channel("10", "halo"),
)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_says_what_it_is_and_takes_lights_it_can_use(mode: str) -> None:
    kind = MODES[mode]
    assert kind.meaning
    assert kind.dims in (2, 3)
    used = used_lights(Channels(mode, "9" if mode == "single" else None), QMUL)
    assert len(used) >= kind.least
    assert list(used) == sorted(set(used))
    assert {QMUL[number].kind for number in used} <= set(kind.kinds)


def test_modes_take_the_lights_they_name() -> None:
    assert used_lights(Channels("single", "10"), QMUL) == (9,)
    assert used_lights(Channels("examples"), QMUL) == tuple(range(10))
    assert used_lights(Channels("stacked"), QMUL) == tuple(range(10))
    assert used_lights(Channels("volume"), QMUL[::-1]) == tuple(range(2, 10))


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
    ],
)
def test_lights_that_are_not_there_are_refused(channels: Channels, lights: Sequence[Channel], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        used_lights(channels, lights)
    assert str(caught.value) == line
