"""`Config`: every name of every table makes one, it survives plain values, and no other name is let in."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from spaces.axes import AXES
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.choices.channels import Channels
from spaces.choices.labelling import Labelling
from spaces.choices.losses import Loss
from spaces.choices.networks import NETWORKS, Network
from spaces.choices.optimisers import Optimiser
from spaces.config import BEYOND, TABLES, Config
from spaces.errors import SpaceError

CHOICES = [(key, name) for key, table in TABLES.items() for name in table]


# Choices that need others beside them.
BESIDE: dict[str, Config] = {
    "labelling.detector": Config(Labelling("anomaly")),
    "network.lights": Config(network=Network("setnet", depth=3, width=16)),
    "network.weights": Config(network=Network("timm:resnet10t")),
    "network.name=ringnet": Config(channels=Channels("volume")),
}


def plain(key: str, value: object) -> dict[str, Any]:
    """The default configuration, or one where the choice is allowed, as plain values, with one field changed."""
    values = BESIDE.get(f"{key}={value}", BESIDE.get(key, Config())).to_dict()
    table, _, name = key.rpartition(".")
    (values[table] if table else values)[name] = value
    return values


@pytest.mark.parametrize(("key", "name"), CHOICES)
def test_every_choice_of_every_table_makes_a_config(key: str, name: str) -> None:
    config = Config.from_dict(plain(key, name))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    entry = TABLES[key][name]
    assert entry if isinstance(entry, str) else entry.meaning


@pytest.mark.parametrize("key", TABLES)
def test_two_choices_are_never_described_alike(key: str) -> None:
    described = [Config.from_dict(plain(key, name)).describe() for name in TABLES[key]]
    assert len(set(described)) == len(described)
    assert not any("\n" in line for line in described)


def test_a_config_survives_plain_values_in_full() -> None:
    config = Config(
        Labelling("four-way"),
        Channels("single", "10"),
        Network("minihip"),
        Optimiser("sgd", 0.03, 0.0, 17, "constant", 0.8, 0.1, 2.0, 0.99),
        Loss(smoothing=0.1),
        Balance("dropped", 3.0),
        "raw",
        Augmentation("turned eighths", 2, 0.1, 0.02, 0.0, 0.3),
    )
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config != Config()


def test_a_config_is_described_on_one_line() -> None:
    assert Config().describe() == "binary, stacked, pitnet d3 w16, adamw 1.0e-03/64 cosine, per dataset"
    config = replace(
        Config(), channels=Channels("single", "9"), network=Network("minihip"), augmentation=Augmentation("turned")
    )
    assert config.describe() == "binary, single 9, minihip, adamw 1.0e-03/64 cosine, per dataset, turned"
    config = replace(Config(), augmentation=Augmentation("eighths", 2, 0.1, 0.02, 0.15, 0.3))
    assert config.describe().endswith(", per dataset, eighths, shift 2, gain 0.1, noise 0.02, drop 0.15, mixup 0.3")
    config = replace(Config(), channels=Channels(lights="every second", features="fourier"), normalisation="average")
    assert config.describe() == (
        "binary, stacked (every second, fourier), pitnet d3 w16, adamw 1.0e-03/64 cosine, minus average"
    )


@pytest.mark.parametrize("key", TABLES)
@pytest.mark.parametrize("value", ["xyz", "", None, 3])
def test_a_name_in_no_table_is_refused(key: str, value: object) -> None:
    with pytest.raises(SpaceError) as caught:
        Config.from_dict(plain(key, value))
    offered = ", ".join([*TABLES[key], *(told for _, told in [BEYOND[key]] if told)] if key in BEYOND else TABLES[key])
    assert str(caught.value) == f"`{key}` must be one of {offered}, but got {value!r}; correct it."


def without(key: str) -> dict[str, Any]:
    values = Config().to_dict()
    del values[key]
    return values


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            without("balance"),
            "a configuration must have the fields augmentation, balance, channels, labelling, loss, network, "
            "normalisation, optimiser, but 'balance' differs.",
        ),
        (
            Config().to_dict() | {"lost": "focal"},
            "a configuration must have the fields augmentation, balance, channels, labelling, loss, network, "
            "normalisation, optimiser, but 'lost' differs.",
        ),
    ],
)
def test_fields_missing_or_unknown_are_refused(values: dict[str, Any], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        Config.from_dict(values)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "values", [plain("network.heads", 4), plain("optimiser.beta", 0.9), Config().to_dict() | {"channels": 3}]
)
def test_parts_of_another_version_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(SpaceError, match=r"^a configuration must have the fields of this version, but: "):
        Config.from_dict(values)


def test_networks_say_which_of_their_measures_vary() -> None:
    measures = {f.name for f in fields(Network)} - {"name"}
    assert all(set(kind.varies) <= measures for kind in NETWORKS.values())
    assert set(NETWORKS["pitnet"].varies) == measures - {"lights", "weights"}
    assert NETWORKS["minihip"].varies == ()
    assert all(f"network.{measure}" in AXES for measure in measures)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("kernel", 4, "`network.kernel` must be one of 3, 5, 7, but got 4; correct it."),
        ("dropout", 0.8, "`0 <= network.dropout <= 0.7` must hold, but got 0.8; correct it."),
        ("lights", "average", "`network.lights` must not be set for pitnet, which has none, but got 'average'; leave it out."),
        ("weights", "timm", "`network.weights` must not be set for pitnet, which has none, but got 'timm'; leave it out."),
        ("depth", None, "`network.depth` must be given for pitnet, but is not; give it."),
    ],
)
def test_a_measure_that_a_network_cannot_have_is_refused(key: str, value: object, line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        Config.from_dict(plain(f"network.{key}", value) | {"network": Config().to_dict()["network"] | {key: value}})
    assert str(caught.value) == line


def test_any_network_and_any_file_may_be_named() -> None:
    config = Config(network=Network("timm:resnet34", weights="/data/of mine.safetensors"))
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.describe().split(", ")[2] == "timm:resnet34 from of mine.safetensors"


def test_a_config_written_before_networks_varied_is_read() -> None:
    values = Config().to_dict()
    assert Config.from_dict(values | {"network": {"name": "pitnet", "depth": 3, "width": 16}}) == Config()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {"loss": Loss("focal")},
            "`loss` must not be set where `labelling.scheme = anomaly`, which trains on background",
        ),
        ({"balance": Balance("weighted")}, "`balance.name` must not be set where `labelling.scheme = anomaly`"),
        ({"augmentation": Augmentation(mixup=0.2)}, "`augmentation.mixup` must not be set where"),
        ({"labelling": Labelling("anomaly", "soft")}, "`labelling.maybe` must not be set where"),
        ({"labelling": Labelling("anomaly", detector="svm")}, "`labelling.detector` must be one of mahalanobis, neighbours, "),
        ({"labelling": Labelling(detector="forest")}, "`labelling.detector` must not be set where `labelling.scheme = binary`"),
    ],
)
def test_a_model_of_background_takes_no_choice_about_signal(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        replace(Config(labelling=Labelling("anomaly")), **changed)
    assert str(caught.value).startswith(line)
    assert str(caught.value).endswith(("leave it out.", "correct it."))
