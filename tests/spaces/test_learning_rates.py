"""Learning rates: each optimiser takes its own part of the range where a space says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.axes import AXES, Range
from spaces.choices.optimisers import OPTIMISERS
from spaces.errors import SpaceError
from spaces.known_configs import KnownConfig
from spaces.named_spaces import ready
from spaces.space import Space
from spaces.suggest import parameter, parameters
from tests.support.channels import LABELS, QMUL
from tests.support.suggestions import suggestions

KEY = "optimiser.learning_rate"


@pytest.mark.parametrize("name", ["standard", "everything"])
def test_every_rate_lies_in_its_optimisers_range(name: str) -> None:
    rates: dict[str, list[float]] = {}
    for config, _ in suggestions(ready(name).fit(LABELS, QMUL), 300):
        rates.setdefault(config.optimiser.name, []).append(config.optimiser.learning_rate)
    for optimiser, drawn in rates.items():
        low, high = OPTIMISERS[optimiser].rates
        assert low <= min(drawn) and max(drawn) <= high
    assert max(rates["nesterov"]) > 0.05 > 0.02 >= max(rates["adam"])


def test_optimisers_of_one_range_share_a_name_and_a_single_one_needs_none() -> None:
    space = Space().fit(LABELS, QMUL)
    assert parameter(space, KEY, {"optimiser.name": "adam"}) == (f"{KEY} (adam, adamw)", Range(1e-4, 2e-2, log=True))
    assert parameter(space, KEY, {"optimiser.name": "nesterov"}) == (f"{KEY} (nesterov)", Range(1e-3, 0.3, log=True))
    alone = Space({"optimiser.name": ("nesterov",)}).fit(LABELS, QMUL)
    assert parameter(alone, KEY, {"optimiser.name": "nesterov"}) == (KEY, Range(1e-3, 0.3, log=True))
    assert parameters(space, {KEY: 0.1}) == {f"{KEY} (nesterov)": 0.1}
    assert set(parameters(space, {KEY: 0.01})) == {f"{KEY} (nesterov)", f"{KEY} (adam, adamw)"}


def test_a_range_that_was_written_down_holds_for_all_alike() -> None:
    space = Space({KEY: Range(1e-4, 0.5, log=True)}).fit(LABELS, QMUL)
    assert parameter(space, KEY, {"optimiser.name": "adam"}) == (KEY, Range(1e-4, 0.5, log=True))


def test_an_optimiser_whose_rates_lie_outside_takes_the_range_as_it_is() -> None:
    space = Space({"optimiser.name": ("lion",), KEY: Range(0.01, 0.1, True, per_optimiser=True)}).fit(LABELS, QMUL)
    assert parameter(space, KEY, {"optimiser.name": "lion"})[1] == Range(0.01, 0.1, log=True)


def test_it_is_written_and_read_and_a_range_without_it_is_stored_as_before(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(Space({KEY: AXES[KEY].domain}).write())
    assert Space.read(tmp_path / "space.toml").chosen == {KEY: AXES[KEY].domain}
    assert Space.from_dict(Space({KEY: AXES[KEY].domain}).to_dict()).chosen == {KEY: AXES[KEY].domain}
    assert Space({KEY: Range(1e-4, 5e-2, log=True)}).to_dict() == {KEY: {"low": 1e-4, "high": 5e-2, "log": True}}


def test_it_stands_with_learning_rates_alone_and_known_choices_are_checked_against_it() -> None:
    with pytest.raises(SpaceError, match=r"`per_optimiser` must stand at optimiser.learning_rate alone"):
        Space({"network.depth": Range(2, 3, per_optimiser=True)})
    space = Space().fit(LABELS, QMUL)
    KnownConfig({"optimiser.name": "nesterov", KEY: 0.2}).check(space)
    with pytest.raises(SpaceError, match=r"must be in the space \(0.0001 to 0.02\), but got 0.2"):
        KnownConfig({"optimiser.name": "adamw", KEY: 0.2}).check(space)
