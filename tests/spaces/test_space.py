"""`Space`: what is written is read again, a broken file says where, and a data set drops what it cannot carry."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foils.description import Channel
from spaces.axes import AXES, Domain, Range, check_domain
from spaces.choices.detectors import DETECTORS
from spaces.config import TABLES, Config
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import suggest
from tests.spaces.choices.test_channels import QMUL

LABELS = ("candidate", "top", "bottom", "misc", "maybe")


def domains(key: str) -> st.SearchStrategy[Domain]:
    """Any domain that an axis allows."""
    axis = AXES[key]
    if axis.least is None or axis.most is None:
        table = TABLES.get(axis.target or key)
        name = st.sampled_from(sorted(table)) if table else st.text("ab10._-\"' ä", min_size=1, max_size=5)
        return st.lists(name, min_size=1, max_size=4, unique=True).map(tuple)
    if axis.among:
        return st.lists(st.sampled_from(axis.among), min_size=1, unique=True).map(tuple)
    least, most = axis.least, axis.most
    whole = st.integers(max(1, math.ceil(least)), max(1, int(most)))
    number: st.SearchStrategy[float] = (
        whole if axis.whole else (whole if most >= 1 else st.nothing()) | st.floats(max(least, 1e-8), most)
    )
    ranges = st.builds(lambda ends, log: Range(min(ends), max(ends), log), st.tuples(number, number), st.booleans())
    return ranges | st.lists(number, min_size=1, max_size=4, unique=True).map(tuple)


spaces = st.fixed_dictionaries({}, optional={key: domains(key) for key in AXES}).map(Space)


@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(space=spaces)
def test_a_space_that_is_written_is_read_again(space: Space, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(space.write(), encoding="utf-8")
    for again in (Space.read(tmp_path / "space.toml"), Space.from_dict(json.loads(json.dumps(space.to_dict())))):
        assert again == space
        for key, domain in space.chosen.items():
            found = again.chosen[key]
            assert not isinstance(found, Range) or found.whole == (isinstance(domain, Range) and domain.whole)


def test_a_file_may_be_written_in_every_way_of_toml(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(
        """\
# what we want to know
labelling = "binary"
balance = ["none", "weighted"]
optimiser.name = ["sgd"]
network = { depth = 3, width = [8, 16] }

[optimiser.learning_rate]
low = 1e-3
high = 1
log = true

[channels]
mode = ["stacked", "examples"]
"""
    )
    assert Space.read(tmp_path / "space.toml") == Space(
        {
            "labelling.scheme": ("binary",),
            "balance.name": ("none", "weighted"),
            "optimiser.name": ("sgd",),
            "network.depth": (3,),
            "network.width": (8, 16),
            "optimiser.learning_rate": Range(1e-3, 1, log=True),
            "channels.mode": ("stacked", "examples"),
        }
    )


NUMBERS = "`network.depth` must have numbers as low and high, true or false as log, but got "
SHAPE = "`network.depth` must be written {low = ..., high = ..., log = true}, but got "
BROKEN = {
    "unknown key": (
        'labelling = ["binary"]\nlost = "focal"\n',
        2,
        f"`lost` must be an axis of the space ({', '.join(AXES)}); ",
    ),
    "unknown key of a table": ("\n[network]\ndepth = 2\nheads = 2\n", 4, "`network.heads` must be an axis of the space ("),
    "unknown table": ('[optimizer]\nname = "sgd"\n', 2, "`optimizer.name` must be an axis of the space ("),
    "unknown choice": (
        '[network]\nname = "x"\n[optimiser]\n\nname = "lyon"\n',
        2,
        "`network.name` must be one of pitnet, minihip, ",
    ),
    "second section": (
        '[network]\nname = "pitnet"\n[optimiser]\nname = "lyon"\n',
        4,
        "`optimiser.name` must be one of sgd, nesterov, adam",
    ),
    "dotted key": ('balance = "none"\noptimiser.name = "lyon"\n', 2, "`optimiser.name` must be one of sgd, nesterov, adam"),
    "inline table": ('balance = "none"\nnetwork = { depth = 9 }\n', 2, "`1 <= network.depth <= 6` must hold, but got 9; "),
    "empty list": ("\n\nbalance = []\n", 3, "`balance.name` must offer at least one choice, but got an empty list; "),
    "twice the same": (
        "[network]\nwidth = [8, 16, 8]\n",
        2,
        "`network.width` must offer each choice once, but got [8, 16, 8]; ",
    ),
    "range for names": (
        "[optimiser]\nname = { low = 1, high = 2 }\n",
        2,
        "`optimiser.name` must be a list of names, but got a range",
    ),
    "low above high": ("[network]\ndepth = { low = 4, high = 2 }\n", 2, "`low <= high` must hold, but got (low=4, high=2); "),
    "low above high in a section": (
        "\n\n[network.depth]\nlow = 4\nhigh = 2\n",
        3,
        "`low <= high` must hold, but got (low=4, high=2); ",
    ),
    "log from nothing": (
        "\n[optimiser]\nweight_decay = { low = 0.0, high = 1.0, log = true }\n",
        3,
        "`low > 0` must hold on a logarithmic range, but got low=0; ",
    ),
    "log in words": ('[network]\ndepth = { low = 1, high = 2, log = "yes" }\n', 2, NUMBERS),
    "ends in words": ('[network]\ndepth = { low = "a", high = 2 }\n', 2, NUMBERS),
    "half a range": ("[network]\ndepth = { low = 1 }\n", 2, SHAPE),
    "more than a range": ("[network]\ndepth = { low = 1, high = 2, step = 1 }\n", 2, SHAPE),
    "true for a number": (
        "[network]\ndepth = true\n",
        2,
        "`network.depth` must be a name, a number, a list of them, or a range, ",
    ),
    "a date": (
        "balance = 2024-01-01\n",
        1,
        "`balance.name` must be a name, a number, a list of them, or a range, but got datetime",
    ),
    "a list of lists": (
        "[network]\ndepth = [[2]]\n",
        2,
        "`network.depth` must be a name, a number, a list of them, or a range, ",
    ),
    "text for a number": ('[network]\ndepth = "deep"\n', 2, "`network.depth` must be a whole number, but got 'deep'; "),
    "a part of a number": ("[network]\ndepth = 2.5\n", 2, "`network.depth` must be a whole number, but got 2.5; "),
    "beyond the bounds": ("[optimiser]\nbatch_size = 1\n", 2, "`2 <= optimiser.batch_size <= 65536` must hold, but got 1; "),
}


@pytest.mark.parametrize(("text", "number", "start"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_line_with_its_place(tmp_path: Path, text: str, number: int, start: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        Space.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{number}: {start}")
    assert message.endswith(("correct it.", "correct or remove it.", "write the names.", "remove the key.", "repeated one."))
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"balance = [\n", "Invalid value (at end of document)"),
        (b'balance = "none"\nbalance = "none"\n', "Cannot overwrite a value (at line 2, column 17)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (None, "[Errno 2] No such file or directory: 'PATH'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "space.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpaceError) as caught:
        Space.read(path)
    assert str(caught.value) == f"{path}: a space file must be readable TOML, but: {reason}; correct it.".replace(
        "PATH", str(path)
    )


def test_a_space_made_by_hand_is_checked_too() -> None:
    with pytest.raises(SpaceError, match="must be an axis of the space"):
        Space({"depth": (3,)})
    with pytest.raises(SpaceError, match="must hold, but got 9"):
        Space.from_dict({"network.depth": [9]})


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


OWN = """\
labelling = ["binary", "cones"]

[schemes.cones]
candidate = "signal"
top = "cone"
bottom = "cone"
misc = "dirt"
"""


def test_a_space_file_may_bring_a_labelling_scheme_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(OWN)
    space = Space.read(tmp_path / "space.toml")
    assert space.schemes == {"cones": {"candidate": "signal", "top": "cone", "bottom": "cone", "misc": "dirt"}}
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space
    (tmp_path / "again.toml").write_text(space.write())
    assert Space.read(tmp_path / "again.toml") == space
    fitted = space.fit(LABELS, QMUL)
    assert fitted.positive("candidate") == "candidate"
    config = suggest(optuna.create_study().ask(), Space({**fitted.chosen, "labelling.scheme": ("cones",)}, fitted.schemes))
    assert config.labelling.classes == ("candidate", "cone", "dirt")
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(SpaceError, match=r"`labelling\.scheme = cones` needs the labels bottom, candidate, misc, top, but"):
        space.fit(("candidate", "top", "bottom"), QMUL)


@pytest.mark.parametrize(
    ("text", "number", "start"),
    [
        ('labelling = "x"\n[schemes.x]\ntop = "surface"\n', 2, "scheme 'x' must give one label the class 'signal' and another"),
        ('[schemes.binary]\ntop = "signal"\n', 1, "`schemes.binary` must have a name of its own, but 'binary' is taken;"),
        ('[schemes]\nx = "signal"\n', 2, "`schemes.x` must be a table label -> class, but got 'signal';"),
        ("schemes = 3\n", 1, "`schemes.schemes` must be a table label -> class, but got 3;"),
        ('labelling = "y"\n[schemes.x]\na = "signal"\nb = "c"\n', 1, "`labelling.scheme` must be one of binary, "),
    ],
)
def test_a_broken_scheme_gets_one_line_with_its_place(tmp_path: Path, text: str, number: int, start: str) -> None:
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(SpaceError, match=re.escape(f"space.toml:{number}: {start}")):
        Space.read(tmp_path / "space.toml")


def test_a_space_asks_one_question() -> None:
    assert Space({"labelling.scheme": ("top-bottom",)}).positive("candidate") == "top"
    assert Space({"labelling.scheme": ("top-bottom",)}).named == {"top", "bottom"}
    with pytest.raises(SpaceError, match="must ask one question of all trials, but binary, top-bottom score different labels;"):
        Space({"labelling.scheme": ("binary", "top-bottom")}).positive("candidate")
