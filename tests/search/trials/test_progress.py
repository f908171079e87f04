"""How far a trial has come, as text: what was written is read, what is damaged is not, and a curve stays short."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from search.trials.progress import POINTS, TrialProgress, thin_out

PROGRESS = TrialProgress("5x9", 2, 7, 25, 12.345, (0.7, 0.5, 0.25))


def test_progress_is_read_as_it_was_written_and_stays_small() -> None:
    assert TrialProgress.read(PROGRESS.text()) == PROGRESS
    long = TrialProgress("5x300", None, 300, 1500, 99999.999, thin_out([1 / (1 + epoch) for epoch in range(300)]))
    assert TrialProgress.read(long.text()) == long
    assert len(long.text()) < 500


@pytest.mark.parametrize("text", ["", "{}", "[", "null", '{"rung": 3}', "[" * 100_000, PROGRESS.text().replace("7", "-7")])
def test_damaged_progress_is_none(text: str) -> None:
    assert TrialProgress.read(text) is None


def test_a_curve_keeps_its_last_value_and_few_others_and_only_finite_ones() -> None:
    assert thin_out([0.123456, math.nan, 0.1]) == (0.123, 0.1)
    thin = thin_out([float(epoch) for epoch in range(100)])
    assert len(thin) <= POINTS
    assert thin[-1] == 99
    assert {b - a for a, b in pairwise(thin)} == {4.0}
    assert thin_out([]) == ()
