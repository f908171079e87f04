"""A search starts from the network in use, whole, and from a portfolio or a sound recipe as far as a space holds it."""

from __future__ import annotations

import pytest

from spaces.axes import AXES, Domain, Range, check_domain
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE, SOUND, STARTS, baseline, holds_whole, portfolio, sound
from spaces.known_configs import KnownConfig
from spaces.named_spaces import ready
from spaces.space import Space
from spaces.suggest import configuration
from tests.support.toys import LIGHTS

LABELS = ["candidate", "bottom"]


@pytest.mark.parametrize("name", STARTS)
def test_every_start_is_made_of_choices_that_exist(name: str) -> None:
    for key, value in STARTS[name].items():
        check_domain(key, (value,))


def test_the_default_space_holds_every_start() -> None:
    space = Space().fit(LABELS, LIGHTS)
    assert sound(space) == STARTS[SOUND]
    assert holds_whole(space, baseline(space, "candidate", LIGHTS))


def test_the_network_in_use_is_whole_and_adds_only_what_has_one_default() -> None:
    choices = baseline(Space().fit(LABELS, LIGHTS), "candidate", LIGHTS)
    assert dict(STARTS[BASELINE]).items() <= choices.items()
    for key in set(choices) - set(STARTS[BASELINE]):
        assert AXES[key].domain == (choices[key],)
    assert configuration(choices).network == Network("minihip")


def test_the_network_in_use_sees_the_only_light_there_is() -> None:
    space = Space().fit(LABELS, LIGHTS[:1])
    choices = baseline(space, "candidate", LIGHTS[:1])
    assert configuration(choices).channels == Channels("single", LIGHTS[0].name)
    assert holds_whole(space, choices)


def test_the_network_in_use_is_trained_for_the_question_of_the_space() -> None:
    space = Space({"labelling.scheme": ("top-bottom",)}).fit(["top", "bottom"], LIGHTS)
    assert baseline(space, "candidate", LIGHTS)["labelling.scheme"] == "top-bottom"


@pytest.mark.parametrize(
    "key", ["channels.mode", "network.name", "optimiser.learning_rate", "normalisation", "augmentation.lights"]
)
def test_a_space_that_lacks_one_choice_does_not_hold_the_whole(key: str) -> None:
    other: dict[str, Domain] = {
        "channels.mode": ("single", "examples"),
        "network.name": ("pitnet",),
        "optimiser.learning_rate": Range(1e-2, 1e-1, log=True),
        "normalisation": ("image",),
        "augmentation.lights": ("symmetries",),
    }
    space = Space({key: other[key]}).fit(LABELS, LIGHTS)
    assert not holds_whole(space, baseline(space, "candidate", LIGHTS))


def test_a_narrow_space_keeps_what_it_holds_of_the_sound_recipe() -> None:
    space = Space({"network.name": ("minihip",), "optimiser.learning_rate": Range(1e-2, 1e-1, log=True)})
    start = sound(space.fit(LABELS, LIGHTS))
    assert not {"network.name", "optimiser.learning_rate"} & set(start)
    assert start["augmentation.lights"] == "symmetries"


@pytest.mark.parametrize("name", ["standard", "everything"])
def test_the_portfolio_is_whole_where_the_space_and_the_lights_are(name: str) -> None:
    space = ready(name).fit(("candidate", "top", "bottom", "misc"), LIGHTS)
    known = portfolio(space)
    assert len({tuple(choices.items()) for choices in known}) == len(known) >= 8
    for choices in known:
        KnownConfig(choices).check(space)
        assert holds_whole(space, choices)
        assert choices.keys() == {key for key, axis in AXES.items() if axis.applies(choices)}


def test_labels_and_lights_that_a_data_set_lacks_are_left_to_the_sampler() -> None:
    whole = portfolio(ready("standard").fit(("candidate", "top", "bottom", "misc"), LIGHTS))
    left = portfolio(ready("standard").fit(LABELS, LIGHTS[:1]))
    assert [{key: choices[key] for key in choices if key.startswith("network.")} for choices in left] == [
        {key: choices[key] for key in choices if key.startswith("network.")} for choices in whole
    ]
    stacked = next(choices for choices in whole if choices["channels.mode"] == "stacked")
    assert not {"labelling.scheme", "channels.mode"} & left[whole.index(stacked)].keys()


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("network.name", ("ringnet",)),
        ("optimiser.learning_rate", Range(1e-6, 1e-5, log=True)),
        ("optimiser.clip", (5.0,)),
        ("normalisation", ("raw",)),
    ],
)
def test_a_space_that_holds_no_recipe_of_the_portfolio_whole_gets_none(key: str, domain: Domain) -> None:
    assert portfolio(Space({key: domain}).fit(LABELS, LIGHTS)) == ()


def test_only_what_a_space_holds_of_the_portfolio_is_given() -> None:
    space = Space({"network.name": ("minihip",)}).fit(LABELS, LIGHTS)
    assert {choices["network.name"] for choices in portfolio(space)} == {"minihip"}
    assert len(portfolio(space)) < len(portfolio(Space().fit(LABELS, LIGHTS)))
