"""Known configurations: what is written is read again, and what a space does not hold is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.config import Config
from spaces.errors import SpaceError
from spaces.known_configs import KnownConfig, choices_of, read_known, write_known
from spaces.named_spaces import READY, ready
from spaces.space import Space
from spaces.suggest import configuration
from tests.support.channels import LABELS, QMUL
from tests.support.suggestions import suggestions


@pytest.mark.parametrize("name", READY)
def test_a_configuration_that_is_written_is_read_again_and_in_its_space(name: str, tmp_path: Path) -> None:
    space, path = ready(name).fit(LABELS, QMUL), tmp_path / "known.toml"
    for config, _ in suggestions(space, 40):
        path.write_text(write_known(config, "a remark"), encoding="utf-8")
        (known,) = read_known(path)
        assert configuration(known.choices) == config
        known.check(space)


def test_a_file_may_hold_several_and_leave_axes_out(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('[[trial]]\nnetwork.name = "minihip"\n[[trial]]\nnetwork = "pitnet"\n[trial.optimiser]\nbatch_size = 32\n')
    assert [known.choices for known in read_known(path)] == [
        {"network.name": "minihip"},
        {"network.name": "pitnet", "optimiser.batch_size": 32},
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[trial]\n", ": a file of known configurations must be readable TOML, but:"),
        (
            'network = "pitnet"\n',
            ": a file of known configurations must hold [[trial]] tables and nothing else, but has network;",
        ),
        ("[trial]\n", ": a file of known configurations must hold [[trial]] tables and nothing else, but has trial;"),
        ("[[trial]]\n[[trial]]\nnetwork.depht = 2\n", ": trial 2: `network.depht` must be an axis of the space ("),
        ("[[trial]]\nnetwork.depth = [2]\n", ": trial 1: `network.depth` must be one name or number, but got [2]; correct it."),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(SpaceError) as caught:
        read_known(path)
    assert str(caught.value).startswith(f"{path}{line}")


@pytest.mark.parametrize(
    ("choices", "line"),
    [
        (
            {"network.name": "timm:resnet10t"},
            "x: `network.name` must be in the space (pitnet, minihip), but got 'timm:resnet10t'; widen it",
        ),
        ({"optimiser.learning_rate": 1.0}, "x: `optimiser.learning_rate` must be in the space (0.0001 to 0.3), but got 1.0;"),
        (
            {"optimiser.name": "adam", "optimiser.learning_rate": 0.1},
            "x: `optimiser.learning_rate` must be in the space (0.0001 to 0.02), but got 0.1;",
        ),
        ({"optimiser.batch_size": "many"}, "x: `optimiser.batch_size` must be a whole number, but got 'many';"),
    ],
)
def test_what_a_space_does_not_hold_is_refused(choices: dict[str, str | float], line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        KnownConfig(choices, "x").check(Space().fit(LABELS, QMUL))
    assert str(caught.value).startswith(line)


def test_a_network_and_a_mode_that_do_not_go_together_are_refused() -> None:
    space = Space({"network.name": ("pitnet", "timm:resnet10t")}).fit(LABELS, QMUL)
    with pytest.raises(SpaceError, match=r"x: `network.name = timm:resnet10t` is 2-D"):
        KnownConfig({"network.name": "timm:resnet10t", "channels.mode": "volume"}, "x").check(space)


def test_the_default_configuration_has_a_choice_on_every_axis_that_applies() -> None:
    assert configuration(choices_of(Config())) == Config()
