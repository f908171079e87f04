"""Commands of pages are made small, and keep what they say otherwise."""

from __future__ import annotations

import pytest

from tests.support.small import small


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ("launch mydata", "launch mydata --trials 2 --ladder 1x1,5x8"),
        ("launch mydata --trials 40 --seed 1 --ladder 1x3,5x9", "launch mydata --trials 2 --seed 1 --ladder 1x1,5x8"),
        ("launch mydata --trials=40 --fix network=pitnet", "launch mydata --trials 2 --fix network=pitnet --ladder 1x1,5x8"),
        ("launch mydata --trials 1", "launch mydata --trials 1 --ladder 1x1,5x8"),
        ("synth foil --frames --pits 40", "synth foil --frames --pits 40 --difficulty 0"),
        ("status --watch", "status --watch"),
        ("", ""),
    ],
)
def test_values_are_lowered_or_added_and_never_raised(given: str, run: str) -> None:
    assert small(given.split()) == run.split()
