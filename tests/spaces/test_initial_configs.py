"""A search starts from the network in use, whole, and from a sound recipe as far as a space holds it."""

from __future__ import annotations

import pytest

from spaces.axes import AXES, Domain, Range, check_domain
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE, SOUND, STARTS, baseline, holds_whole, sound
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
