"""A space fitted to a data set: defaults that it cannot carry are dropped, choices that it cannot carry are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import optuna
import pytest

from foils.description import Channel
from spaces.axes import AXES, Domain, Range, check_domain
from spaces.choices.detectors import DETECTORS
from spaces.config import TABLES
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import suggest
from tests.support.channels import LABELS, QMUL


def test_a_data_set_that_carries_everything_keeps_every_default() -> None:
    fitted = Space().fit(LABELS, QMUL)
    assert set(fitted.chosen) == set(AXES) - {"labelling.detector"}  # of a scheme that is not searched by default
    assert fitted.domain("channels.light") == tuple(light.name for light in QMUL)
    for key in set(AXES) - {"channels.light"}:
        assert fitted.domain(key) == AXES[key].domain


@pytest.mark.parametrize(
    ("labels", "lights", "expected"),
    [
        (("candidate", "top"), QMUL, {"labelling.scheme": ("binary",)}),
        (("candidate", "top", "bottom"), QMUL, {"labelling.scheme": ("binary", "three-way")}),
        (LABELS, QMUL[7:], {"channels.mode": ("single", "examples", "stacked")}),
        (
            LABELS,
            QMUL[8:9],
            {"channels.mode": ("single",), "channels.light": ("9",), "augmentation.single": ("none", "turned")},
        ),
        (
            LABELS,
            tuple(Channel(str(azimuth), "rotating", azimuth) for azimuth in (0.0, 50.0, 110.0, 200.0)),
            {"augmentation.lights": ("none",), "channels.mode": ("single", "examples", "stacked", "volume")},
        ),
    ],
    ids=["no bottom", "no misc", "few lights", "one light", "irregular lights"],
)
def test_defaults_that_the_data_cannot_carry_are_dropped(
    labels: Sequence[str], lights: Sequence[Channel], expected: Mapping[str, Domain]
) -> None:
    fitted = Space().fit(labels, lights)
    assert {key: fitted.domain(key) for key in expected} == expected
    for key, domain in fitted.chosen.items():
        check_domain(key, domain)
    assert fitted.fit(labels, lights) == fitted


def test_the_scheme_anomaly_brings_its_detectors_and_nothing_about_signal() -> None:
    space = Space({"labelling.scheme": ("anomaly",), "loss.name": ("focal",), "augmentation.mixup": Range(0.1, 0.4)})
    fitted = space.fit(LABELS, QMUL)
    assert fitted.domain("labelling.detector") == tuple(DETECTORS)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = [suggest(study.ask(), fitted) for _ in range(40)]
    assert {config.labelling.detector for config in found} == set(DETECTORS)
    assert {(config.loss.name, config.balance.name, config.augmentation.mixup) for config in found} == {
        ("cross-entropy", "none", 0.0)
    }


@pytest.mark.parametrize(
    ("chosen", "labels", "lights", "line"),
    [
        (
            {"labelling.detector": ("forest",)},
            LABELS,
            QMUL,
            "`labelling.detector` must not be set where no `labelling.scheme` uses it, but the schemes are binary, three-way, "
            "four-way; remove it, or add a scheme that does.",
        ),
        (
            {"labelling.scheme": ("binary", "four-way")},
            ("candidate", "top", "bottom"),
            QMUL,
            "`labelling.scheme = four-way` needs the labels bottom, misc, top, but the data set has no misc; leave it out.",
        ),
        (
            {"channels.mode": ("volume",)},
            LABELS,
            QMUL[8:],
            "`channels.mode = volume` needs at least 3 channels of kind rotating, but the data set has 0; leave it out.",
        ),
        (
            {"channels.light": ("9", "11")},
            LABELS,
            QMUL[8:],
            "`channels.light` must be a channel of the data set (9, 10), but got '11'; correct it.",
        ),
        (
            {"augmentation.lights": ("none", "symmetries")},
            LABELS,
            tuple(Channel(str(azimuth), "rotating", azimuth) for azimuth in (0.0, 50.0, 110.0)),
            "`augmentation = symmetries` needs azimuths that a flip or quarter turn maps onto each other, but got 0, 50, 110; "
            "use none, or turned with single lights.",
        ),
        (
            {"augmentation.lights": ("turned",)},
            LABELS,
            QMUL,
            "`augmentation = turned` must not be used with `channels.mode = stacked`: it turns the images but not their "
            "lights; use symmetries.",
        ),
    ],
)
def test_choices_that_the_data_cannot_carry_are_refused(
    chosen: Mapping[str, Domain], labels: Sequence[str], lights: Sequence[Channel], line: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        Space(chosen).fit(labels, lights)
    assert str(caught.value) == line


PAIR = {"channels.mode": ("stacked",), "channels.lights": ("opposite pair",)}
UNLIT = QMUL[8:]


@pytest.mark.parametrize(
    ("chosen", "lights", "line"),
    [
        (
            {"channels.lights": ("all", "rotating and backlit")},
            (*QMUL[:8], QMUL[9]),
            "`channels.lights = rotating and backlit` needs channels of kind rotating and backlit, but the data set has no "
            "backlit; leave it out.",
        ),
        (
            {"channels.lights": ("all", "rotating and backlit")},
            QMUL[:9],
            "`channels.lights` must offer each choice once, but 'all' and 'rotating and backlit' are the same lights of this "
            "data set; leave one out.",
        ),
        (
            {"channels.volume_lights": ("all", "rotating")},
            QMUL,
            "`channels.mode = volume` takes rotating lights alone and needs `channels.lights` of all, every second, but got "
            "'rotating'; leave it out.",
        ),
        (
            {"channels.volume_features": ("fourier",)},
            QMUL,
            "`channels.features = fourier` needs `channels.mode` of stacked, but got 'volume'; use none.",
        ),
        (
            {"channels.features": ("none", "opposite")},
            QMUL[:3],
            "`channels.features = opposite` needs rotating lights in pairs 180 degrees apart, but got azimuths 67.5, 112.5, "
            "157.5; use none.",
        ),
        (
            {**PAIR, "channels.features": ("minus mean",)},
            QMUL,
            "`channels.features` must not be set where every choice of `channels.lights` is opposite pair, of which it says "
            "nothing more; remove it.",
        ),
    ],
    ids=["no backlit", "the same lights", "no choice of volume", "no feature of volume", "no pairs", "a pair alone"],
)
def test_lights_and_features_that_the_data_cannot_carry_are_refused(
    chosen: Mapping[str, Domain], lights: Sequence[Channel], line: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        Space(chosen).fit(LABELS, lights)
    assert str(caught.value) == line


def test_lights_and_features_are_searched_together() -> None:
    chosen: dict[str, Domain] = {
        "channels.lights": ("all", "rotating", "rotating and backlit", "rotating and halo", "every second", "opposite pair"),
        "channels.volume_lights": ("all", "every second"),
        "channels.scores": ("mean", "max", "trimmed mean"),
        "channels.features": ("none", "minus mean", "opposite", "fourier"),
        "channels.volume_features": ("none", "minus mean"),
    }
    fitted = Space(chosen).fit(LABELS, QMUL)
    assert {key: fitted.domain(key) for key in chosen} == chosen
    assert fitted.fit(LABELS, QMUL) == fitted
    # A pair of lights, every second and a whole ring turn by different angles, and each by some.
    assert fitted.domain("augmentation.lights") == ("none", "symmetries")


def test_axes_without_a_use_are_left_out() -> None:
    assert "augmentation.lights" not in Space({"channels.mode": ("single",)}).fit(LABELS, QMUL).chosen
    together = Space({"channels.mode": ("stacked",)}).fit(LABELS, QMUL).chosen
    assert not {"channels.light", "augmentation.single"} & set(together)


@pytest.mark.parametrize(
    ("mode", "key"),
    [
        ("stacked", "channels.light"),
        ("stacked", "augmentation.single"),
        ("single", "augmentation.lights"),
        ("examples", "augmentation.drop"),
        ("volume", "channels.lights"),
        ("stacked", "channels.volume_lights"),
        ("stacked", "channels.scores"),
        ("examples", "channels.features"),
        ("stacked", "channels.volume_features"),
    ],
)
def test_an_axis_that_no_mode_uses_is_refused_where_it_was_chosen(mode: str, key: str) -> None:
    choices: dict[str, str | float] = {"channels.light": "1", "augmentation.drop": 0.1}
    choice = choices[key] if key in choices else next(iter(TABLES[AXES[key].target or key]))
    space = Space({"channels.mode": (mode,), key: (choice,)})
    with pytest.raises(SpaceError, match=f"`{key}` must not be set where no `channels.mode` uses it"):
        space.fit(["candidate", "top", "bottom", "misc"], QMUL)


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        (
            {"network.name": ("pitnet", "ringnet"), "channels.mode": ("stacked",)},
            "`network.name = ringnet` is 3-D and needs a mode of volume, but got 'stacked'; leave one out.",
        ),
        (
            {"network.name": ("setnet",), "channels.mode": ("stacked", "volume")},
            "`network.name = setnet` is 2-D and needs a mode of single, examples, stacked, but got 'volume'; leave one out.",
        ),
    ],
)
def test_networks_and_modes_that_do_not_go_together_are_refused(chosen: Mapping[str, Domain], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        Space(chosen).fit(LABELS, QMUL)
    assert str(caught.value) == line


def test_a_ring_of_lights_must_be_one() -> None:
    ring = Space({"channels.mode": ("volume",), "network.name": ("ringnet",)})
    assert ring.fit(LABELS, QMUL)
    assert ring.fit(LABELS, (*QMUL[7::-1], *QMUL[8:]))  # listed clockwise
    assert ring.fit(LABELS, (QMUL[1], QMUL[0], *QMUL[2:]))  # a volume goes round whatever the order in the data set
    with pytest.raises(SpaceError) as caught:
        ring.fit(LABELS, QMUL[:4])
    assert str(caught.value) == (
        "`network.name = ringnet` needs rotating lights 90 degrees apart, but got 67.5, 112.5, 157.5, 202.5; leave it out, or "
        "use setnet."
    )
    half = {**ring.chosen, "channels.volume_lights": ("all", "every second")}
    assert Space(half).fit(LABELS, QMUL).domain("channels.volume_lights") == ("all", "every second")
