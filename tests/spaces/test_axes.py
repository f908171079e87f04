"""The table of axes and its checks: defaults are valid, values outside are refused by rule and value."""

from __future__ import annotations

import pytest

from spaces.axes import AXES, Domain, Range, check_domain
from spaces.choices.labelling import SCHEMES
from spaces.choices.networks import NETWORKS
from spaces.config import TABLES
from spaces.errors import SpaceError


@pytest.mark.parametrize("key", AXES)
def test_every_axis_has_a_meaning_and_a_valid_default(key: str) -> None:
    axis = AXES[key]
    assert axis.meaning
    assert (axis.least is None) == (axis.most is None)
    if key != "channels.light":  # the data set gives it
        check_domain(key, axis.domain)


def test_every_table_of_names_is_on_an_axis() -> None:
    assert set(TABLES) == {axis.target or key for key, axis in AXES.items()} & set(TABLES)


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("labelling.scheme", ("binary",)),
        ("normalisation", ("raw",)),
        ("channels.light", ("anything", "10")),
        ("network.depth", (1, 6)),
        ("network.width", Range(1, 512, log=True)),
        ("network.kernel", (7, 3)),
        ("network.dropout", Range(0.0, 0.7)),
        ("network.name", ("timm:resnet34", "setnet")),
        ("network.weights", ("none", "timm", "models/mine.safetensors", "old.pth")),
        ("optimiser.learning_rate", (0.1, 1)),
        ("optimiser.learning_rate", Range(1e-3, 1e-3)),
        ("optimiser.weight_decay", Range(0.0, 1.0)),
        ("augmentation.lights", ("turned",)),
    ],
)
def test_values_at_the_bounds_are_taken(key: str, domain: Domain) -> None:
    check_domain(key, domain)


@pytest.mark.parametrize(
    ("key", "domain", "line"),
    [
        (
            "lost",
            ("focal",),
            f"`lost` must be an axis of the space ({', '.join(AXES)}); perhaps loss or loss.rate was meant: correct or remove "
            "it.",
        ),
        (
            "labelling.scheme",
            ("six-way",),
            f"`labelling.scheme` must be one of {', '.join(SCHEMES)}, but got 'six-way'; perhaps five-way was meant.",
        ),
        ("labelling.scheme", (4,), f"`labelling.scheme` must be one of {', '.join(SCHEMES)}, but got 4; correct it."),
        ("channels.light", (9,), "`channels.light` must be the name of a channel, but got 9; correct it."),
        (
            "augmentation.single",
            ("flips",),
            "`augmentation.single` must be one of none, symmetries, eighths, turned, turned eighths, but got 'flips'; "
            "correct it.",
        ),
        (
            "balance.name",
            (),
            "`balance.name` must offer at least one choice, but got an empty list; add one or remove the key.",
        ),
        ("network.kernel", (4,), "`network.kernel` must be one of 3, 5, 7, but got 4; list those wanted."),
        ("network.kernel", Range(3, 7), "`network.kernel` must be one of 3, 5, 7, but got a range; list those wanted."),
        ("network.dropout", (0.9,), "`0 <= network.dropout <= 0.7` must hold, but got 0.9; correct it."),
        (
            "network.name",
            ("cnn",),
            f"`network.name` must be one of {', '.join(NETWORKS)}, timm:NAME for another of timm's, but got 'cnn'; correct it.",
        ),
        (
            "network.weights",
            ("mine.pt",),
            "`network.weights` must be one of none, timm, a file *.safetensors, *.pth, but got 'mine.pt'; correct it.",
        ),
        (
            "balance.name",
            ("none", "none"),
            "`balance.name` must offer each choice once, but got ['none', 'none']; remove the repeated one.",
        ),
        ("balance.name", Range(0, 1), "`balance.name` must be a list of names, but got a range; write the names."),
        ("network.depth", (0,), "`1 <= network.depth <= 6` must hold, but got 0; correct it."),
        ("network.depth", Range(2, 7), "`1 <= network.depth <= 6` must hold, but got 7; correct it."),
        ("network.depth", Range(2, 5.0), "`network.depth` must be a whole number, but got 5.0; correct it."),
        ("network.depth", (2.5,), "`network.depth` must be a whole number, but got 2.5; correct it."),
        ("network.depth", (True,), "`network.depth` must be a whole number, but got True; correct it."),
        ("optimiser.learning_rate", ("fast",), "`optimiser.learning_rate` must be a number, but got 'fast'; correct it."),
        (
            "optimiser.learning_rate",
            (float("nan"),),
            "`1e-08 <= optimiser.learning_rate <= 100` must hold, but got nan; correct it.",
        ),
        (
            "optimiser.weight_decay",
            Range(-0.1, 0.1),
            "`0 <= optimiser.weight_decay <= 1` must hold, but got -0.1; correct it.",
        ),
        ("augmentation.shift", (1.5,), "`augmentation.shift` must be a whole number, but got 1.5; correct it."),
        ("augmentation.drop", (0.95,), "`0 <= augmentation.drop <= 0.9` must hold, but got 0.95; correct it."),
        ("optimiser.batch_size", (1,), "`2 <= optimiser.batch_size <= 65536` must hold, but got 1; correct it."),
    ],
)
def test_a_domain_outside_its_axis_is_refused(key: str, domain: Domain, line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        check_domain(key, domain)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("low", "high", "log", "line"),
    [
        (3, 1, False, "`low <= high` must hold, but got (low=3, high=1); correct it."),
        (0.0, float("inf"), False, "`low <= high` must hold, but got (low=0, high=inf); correct it."),
        (float("nan"), 1, False, "`low <= high` must hold, but got (low=nan, high=1); correct it."),
        (0.0, 1.0, True, "`low > 0` must hold on a logarithmic range, but got low=0; correct it."),
        (-1, 1, True, "`low > 0` must hold on a logarithmic range, but got low=-1; correct it."),
    ],
)
def test_an_impossible_range_is_refused(low: float, high: float, log: bool, line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        Range(low, high, log)
    assert str(caught.value) == line


def test_a_range_is_whole_when_both_ends_are() -> None:
    assert Range(1, 5).whole
    assert not Range(1, 5.0).whole
    assert not Range(1.0, 5).whole
