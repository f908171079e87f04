"""A search starts from recipes that any space can take as far as it holds them."""

from __future__ import annotations

import pytest

from spaces.axes import AXES, Range, check_domain
from spaces.space import Space
from spaces.starts import STARTS, starts
from tests.models.toys import LIGHTS


@pytest.mark.parametrize("name", STARTS)
def test_every_start_is_made_of_choices_that_exist(name: str) -> None:
    for key, value in STARTS[name].items():
        check_domain(key, (value,))


def test_the_default_space_holds_every_start() -> None:
    space = Space().fit(["candidate", "bottom"], LIGHTS)
    assert starts(space) == [dict(start) for start in STARTS.values()]


def test_a_narrow_space_keeps_what_it_holds() -> None:
    space = Space({"network.name": ("pitnet",), "optimiser.learning_rate": Range(1e-2, 1e-1, log=True)})
    for start in starts(space.fit(["candidate", "bottom"], LIGHTS)):
        assert start.get("network.name", "pitnet") == "pitnet"
        assert "optimiser.learning_rate" not in start
        assert set(start) <= set(AXES)
