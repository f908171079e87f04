"""The configurations of the recorded table: by number, the same on every data set as far as it carries them.

Numbers 0 and 1 are the network in use and the sound recipe; all others are random draws of the space `standard`. A choice on an
axis follows from the number and the axis alone, so that data sets with other lights differ in nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from foils import Dataset
from spaces import Config, Space
from spaces.initial_configs import baseline
from spaces.initial_configs import sound as sound_recipe
from spaces.named_spaces import find_space
from spaces.suggest import axis_of, configuration, suggest

SPACE = "standard"
# The numbers of those that are not drawn.
BASELINE, SOUND = 0, 1


def fitted_space(data: Dataset) -> Space:
    """Fit the space to a data set."""
    return find_space(SPACE).fit(tuple(data.counts()), data.description.channels)


def draw(number: int, data: Dataset, space: Space) -> Config:
    """Give the configuration of a number; `space`: fitted to the data set."""
    if number == BASELINE:
        return configuration(baseline(space, data.description.signal, data.description.channels))
    return suggest(_Draw(number, sound_recipe(space) if number == SOUND else {}), space)


class _Draw:
    """Suggests what is known and draws what is not."""

    def __init__(self, number: int, known: Mapping[str, Any]) -> None:
        self._number, self._known = number, known

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        return self._known.get(axis_of(name), choices[int(self._chance(name) * len(choices))])

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int:
        assert not log  # no whole range of the space is logarithmic
        return int(self._known.get(axis_of(name), low + int(self._chance(name) * (high - low + 1))))

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float:
        share = self._chance(name)
        drawn = low * (high / low) ** share if log else low + share * (high - low)
        return float(self._known.get(axis_of(name), drawn))

    def _chance(self, name: str) -> float:
        return float(np.random.default_rng([self._number, zlib.crc32(axis_of(name).encode())]).random())
