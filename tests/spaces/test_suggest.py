"""Suggestions: every one is a configuration that the data can carry, and a trial is asked only what matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.trial import FixedTrial

from foils.description import Channel
from spaces.axes import AXES, Range
from spaces.choices.augmentation import Augmentation, allowed_turns
from spaces.choices.balance import Balance
from spaces.choices.channels import Channels, used_lights
from spaces.choices.features import check_features
from spaces.choices.labelling import DETECTOR, Labelling
from spaces.choices.networks import NETWORKS, Network
from spaces.choices.optimisers import Optimiser
from spaces.config import TABLES, Config
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import axis_of, parameters, suggest
from tests.support.channels import LABELS, QMUL
from tests.support.suggestions import Suggestion, suggestions

IRREGULAR = tuple(Channel(str(azimuth), "rotating", azimuth) for azimuth in (0.0, 50.0, 110.0))


@pytest.fixture(scope="module")
def many() -> list[Suggestion]:
    """Suggestions of the default space on data that carry everything."""
    return suggestions(Space().fit(LABELS, QMUL), 300)


@pytest.mark.parametrize(
    ("labels", "lights"),
    [(LABELS, QMUL), (("candidate", "top"), QMUL), (LABELS, QMUL[8:]), (("candidate", "dirt"), QMUL[:1]), (LABELS, IRREGULAR)],
    ids=["everything", "no bottom", "unlit", "one light", "irregular lights"],
)
def test_every_suggestion_can_be_carried_by_the_data(labels: Sequence[str], lights: Sequence[Channel]) -> None:
    for config, _ in suggestions(Space().fit(labels, lights), 60):
        assert config.labelling.rule.needs <= set(labels)
        assert used_lights(config.channels, lights)
        assert allowed_turns(config.augmentation.turns, config.channels, lights)
        assert Config.from_dict(config.to_dict()) == config


def test_a_trial_is_asked_only_what_applies(many: list[Suggestion]) -> None:
    for config, asked in many:
        single = config.channels.mode == "single"
        assert ("channels.light" in asked) is single is (config.channels.light is not None)
        assert ("augmentation.single" in asked) is single
        assert ("augmentation.lights" in asked) is not single
        for field in ("depth", "width"):
            varies = field in NETWORKS[config.network.name].varies
            assert (f"network.{field}" in asked) is varies
            assert (getattr(config.network, field) is not None) is varies


def test_what_was_asked_is_what_the_config_says(many: list[Suggestion]) -> None:
    for config, asked in many:
        values = config.to_dict()
        for name_asked, value in asked.items():
            target = AXES[axis_of(name_asked)].target or axis_of(name_asked)
            table, _, name = target.rpartition(".")
            assert (values[table] if table else values)[name] == value


def test_numbers_stay_in_their_ranges(many: list[Suggestion]) -> None:
    # Half of a logarithmic range lies below its middle, 0.0014 of 0.0001 to 0.02.
    rates = [config.optimiser.learning_rate for config, _ in many if config.optimiser.name in ("adam", "adamw")]
    assert 0.4 < sum(rate < 0.0014 for rate in rates) / len(rates) < 0.6
    for _, asked in many:
        for name, value in asked.items():
            key = axis_of(name)
            domain = AXES[key].domain
            if isinstance(domain, Range):
                assert domain.low <= value <= domain.high
                assert isinstance(value, int) is AXES[key].whole


def test_the_default_space_reaches_every_choice_of_every_table(many: list[Suggestion]) -> None:
    reached: dict[str, set[Any]] = defaultdict(set)
    for config, _ in many:
        values = config.to_dict()
        for key in TABLES:
            table, _, name = key.rpartition(".")
            reached[key].add((values[table] if table else values)[name])
        reached["channels.light"].add(config.channels.light)
        reached["network.depth"].add(config.network.depth)
    assert reached.pop("channels.light") == {*(light.name for light in QMUL), None}
    assert reached.pop("network.depth") == {2, 3, 4, 5, None}
    # Raw grey values often fail to learn: they are there to be chosen, not searched.
    for key in TABLES:
        reached[key].discard(None)
    offered = {AXES[key].target or key: set[Any]() for key in AXES if (AXES[key].target or key) in TABLES}
    for key, axis in AXES.items():
        if (axis.target or key) in TABLES and isinstance(axis.domain, tuple):
            offered[axis.target or key] |= set(axis.domain)
    offered["labelling.detector"] = {DETECTOR}  # no scheme of the default space asks for another
    assert set(offered) == set(TABLES)
    assert {key: reached[key] for key in TABLES} == offered


def test_an_axis_with_one_choice_is_set_and_not_asked() -> None:
    space = Space(
        {
            "labelling.scheme": ("four-way",),
            "channels.mode": ("single",),
            "channels.light": ("9",),
            "network.name": ("minihip",),
            "optimiser.name": ("sgd",),
            "optimiser.learning_rate": (0.25,),
            "optimiser.batch_size": (48,),
            "normalisation": ("raw",),
            "augmentation.single": ("turned",),
        }
    ).fit(LABELS, QMUL)
    for config, asked in suggestions(space, 20):
        assert set(asked) == {"optimiser.weight_decay", "optimiser.schedule", "balance.name"}
        assert replace(
            config, optimiser=replace(config.optimiser, weight_decay=0.0, schedule="cosine"), balance=Balance("none")
        ) == Config(
            labelling=Labelling("four-way"),
            channels=Channels("single", "9"),
            network=Network("minihip"),
            optimiser=Optimiser("sgd", 0.25, 0.0, 48, "cosine"),
            normalisation="raw",
            augmentation=Augmentation("turned"),
        )


def test_lights_scores_and_features_are_asked_where_they_apply() -> None:
    space = Space(
        {
            "channels.lights": ("all", "every second", "opposite pair"),
            "channels.volume_lights": ("all", "every second"),
            "channels.scores": ("mean", "max", "trimmed mean"),
            "channels.features": ("none", "minus mean", "opposite", "fourier"),
            "channels.volume_features": ("none", "minus mean"),
        }
    ).fit(LABELS, QMUL)
    seen = set()
    for config, asked in suggestions(space, 200):
        use = config.channels
        assert ("channels.lights" in asked) is (use.mode in ("examples", "stacked"))
        assert ("channels.volume_lights" in asked) is ("channels.volume_features" in asked) is (use.mode == "volume")
        assert ("channels.scores" in asked) is (use.mode == "examples")
        assert ("channels.features" in asked) is (use.mode == "stacked" and use.lights != "opposite pair")
        check_features(use, QMUL)
        assert allowed_turns(config.augmentation.turns, use, QMUL)
        seen.add((use.mode, use.lights, use.scores, use.features))
    # Single; 3 x 3; 2 x 4 and the pair; 2 x 2.
    assert len(seen) == 1 + 9 + 9 + 4


def test_a_fixed_trial_gives_the_config_it_names() -> None:
    values = {
        "labelling.scheme": "three-way",
        "channels.mode": "volume",
        "network.name": "pitnet",
        "network.depth": 4,
        "network.width": 32,
        "optimiser.name": "adam",
        "optimiser.learning_rate (adam, adamw)": 0.002,
        "optimiser.weight_decay": 1e-5,
        "optimiser.batch_size": 128,
        "optimiser.schedule": "constant",
        "balance.name": "weighted",
        "normalisation": "image",
        "augmentation.lights": "symmetries",
    }
    assert suggest(FixedTrial(values), Space().fit(LABELS, QMUL)) == Config(
        labelling=Labelling("three-way"),
        channels=Channels("volume"),
        network=Network("pitnet", depth=4, width=32),
        optimiser=Optimiser("adam", 0.002, 1e-5, 128, "constant"),
        balance=Balance("weighted"),
        normalisation="image",
        augmentation=Augmentation("symmetries"),
    )


def test_chosen_ranges_are_asked_as_written() -> None:
    space = Space(
        {
            "network.name": ("pitnet",),
            "network.width": Range(4, 64, log=True),
            "optimiser.learning_rate": Range(1, 2),
            "optimiser.batch_size": Range(10, 12),
        }
    ).fit(LABELS, QMUL)
    found = [config for config, _ in suggestions(space, 60)]
    assert {config.optimiser.batch_size for config in found} == {10, 11, 12}
    widths = [config.network.width for config in found if config.network.width is not None]
    assert all(isinstance(width, int) and 4 <= width <= 64 for width in widths)
    assert sum(width <= 16 for width in widths) > 20  # half of a logarithmic range lies below its middle
    rates = {config.optimiser.learning_rate for config in found}
    assert len(rates) == 60
    assert all(1 <= rate <= 2 for rate in rates)


def test_networks_are_tried_with_the_modes_that_they_take_and_each_name_has_one_domain() -> None:
    space = Space({"network.name": ("pitnet", "minihip", "timm:resnet10t")}).fit(LABELS, QMUL)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    domains = defaultdict(set)
    for _ in range(200):
        trial = study.ask()
        config = suggest(trial, space)
        assert Config.from_dict(config.to_dict()) == config  # refuses what does not go together
        for name, distribution in trial.distributions.items():
            domains[name].add(repr(distribution))
        volume = config.channels.mode == "volume"
        assert (
            trial.params["network.name (volume)" if volume else "network.name (single, examples, stacked)"]
            == config.network.name
        )
    assert all(len(found) == 1 for found in domains.values())
    assert {axis_of(name) for name in domains} <= set(AXES)
    flat, deep = parameters(space, {"network.name": "timm:resnet10t"}), parameters(space, {"network.name": "pitnet"})
    assert flat == {"network.name (single, examples, stacked)": "timm:resnet10t"}
    assert set(deep.values()) == {"pitnet"}
    assert len(deep) == 2


def test_modes_that_no_network_takes_are_dropped_or_refused() -> None:
    assert Space({"network.name": ("timm:resnet10t",)}).fit(LABELS, QMUL).domain("channels.mode") == (
        "single",
        "examples",
        "stacked",
    )
    assert Space({"channels.mode": ("volume",)}).fit(LABELS, QMUL).domain("network.name") == ("pitnet", "minihip")
    for chosen in (
        {"network.name": ("timm:resnet10t",), "channels.mode": ("stacked", "volume")},
        {"network.name": ("pitnet", "timm:resnet10t"), "channels.mode": ("volume",)},
    ):
        with pytest.raises(SpaceError, match=r"`network.name = timm:resnet10t` is 2-D and needs a mode of"):
            Space(chosen).fit(LABELS, QMUL)
