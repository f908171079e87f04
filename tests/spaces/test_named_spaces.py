"""Ready-made spaces are whole, fit any data, and are strict only where an axis is pinned."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from foils.description import Channel
from spaces.axes import Range
from spaces.errors import SpaceError
from spaces.named_spaces import READY, copy_space, find_space, pin, purpose, ready, ready_text
from spaces.space import Space
from tests.support.channels import LABELS, QMUL
from tests.support.suggestions import suggestions

ROOT = Path(__file__).parents[2]


def test_the_ready_made_spaces_are_the_files_and_are_installed() -> None:
    assert {path.name for path in (files("spaces") / "ready").iterdir()} == {f"{name}.toml" for name in READY}
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert "ready/*.toml" in tools["package-data"]["spaces"]


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize(
    ("labels", "lights"), [(LABELS, QMUL), (("candidate", "dirt"), QMUL[:1]), (("candidate", "top"), QMUL[8:])]
)
def test_every_ready_made_space_fits_any_data(name: str, labels: Sequence[str], lights: Sequence[Channel]) -> None:
    space = ready(name)
    assert purpose(name)
    assert len(ready_text(name).splitlines()[2]) > 20
    fitted = space.fit(labels, lights)
    assert fitted.fit(labels, lights) == fitted
    assert suggestions(fitted, 20)


def test_standard_is_the_default_search() -> None:
    assert ready("standard").fit(LABELS, QMUL) == Space().fit(LABELS, QMUL)


def test_what_the_data_does_not_carry_of_a_ready_made_space_is_told() -> None:
    space = ready("standard")
    assert space.left_out(space.fit(LABELS, QMUL)) is None
    assert space.left_out(space.fit(("candidate", "top", "bottom"), QMUL[:1])) == (
        "left out of the space, for the data set does not carry it: labelling.scheme four-way; "
        "channels.mode examples, stacked, volume"
    )
    with pytest.raises(SpaceError, match="needs at least"):
        Space(space.chosen).fit(LABELS, QMUL[:1])


def test_a_file_of_ones_own_is_strict_and_a_copy_reads_the_same(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    copy_space("quick", copy)
    assert copy.read_text() == ready_text("quick")
    assert find_space(str(copy)) == find_space("quick")
    with pytest.raises(SpaceError, match=r"`channels.mode = stacked` needs at least 2"):
        find_space(str(copy)).fit(LABELS, QMUL[:1])
    with pytest.raises(SpaceError, match="must be written to a new file"):
        copy_space("quick", copy)
    with pytest.raises(SpaceError, match="No such file or directory; check folder and rights"):
        copy_space("quick", tmp_path / "nowhere" / "mine.toml")


def test_an_unknown_space_names_what_may_have_been_meant() -> None:
    with pytest.raises(SpaceError, match=r"a space must be one of quick, .* but got 'standart'; perhaps standard was meant\."):
        find_space("standart")


def test_pinned_axes_have_one_value_each_whatever_the_space_offered() -> None:
    space = pin(ready("quick"), ["network=pitnet", "labelling = four-way", "optimiser.learning_rate=1e-3", "network.depth=6"])
    assert [space.domain(key) for key in ("network.name", "labelling.scheme", "network.depth")] == [
        ("pitnet",),
        ("four-way",),
        (6,),
    ]
    assert space.domain("optimiser.learning_rate") == (0.001,)
    assert space.domain("network.width") == (8, 16)
    assert not isinstance(space.domain("optimiser.learning_rate"), Range)


def test_a_measure_that_the_pinned_network_has_not_is_refused() -> None:
    for pins in (["network=minihip", "network.depth=3"], ["network.width=8", "network=minihip"]):
        with pytest.raises(SpaceError, match=r"must not be set where no `network\.name` has one, but the names are minihip; "):
            pin(ready("quick"), pins)
    assert pin(ready("quick"), ["network.depth=3"]).domain("network.depth") == (3,)


def test_an_axis_is_pinned_once() -> None:
    with pytest.raises(SpaceError, match=r"`labelling\.scheme` must be pinned once, but got labelling=binary and labelling\.s"):
        pin(ready("quick"), ["labelling=binary", "labelling.scheme=binary"])


def test_a_pinned_axis_is_strict_and_the_others_give_way() -> None:
    with pytest.raises(SpaceError, match="needs the labels"):
        pin(ready("standard"), ["labelling=four-way"]).fit(("candidate", "top"), QMUL)
    flat = pin(ready("standard"), ["network=timm:resnet10t"])
    fitted = flat.fit(LABELS, QMUL)
    assert fitted.domain("channels.mode") == ("single", "examples", "stacked")
    assert flat.left_out(fitted) == "left out of the space, for the data set does not carry it: channels.mode volume"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("network.depht=3", "`network.depht` must be an axis of the space, but is not; perhaps network.depth "),
        ("zzz=3", "`zzz` must be an axis of the space, but is not; correct it, see `pitsearch spaces`."),
        ("network", "an axis must be pinned as KEY=VALUE, but got 'network'; write e.g. network=minihip."),
        ("network=", "an axis must be pinned as KEY=VALUE, but got 'network='; "),
        ("network=mini", "`network.name` must be one of pitnet, minihip, "),
        ("network.depth=deep", "`network.depth` must be a whole number, but got 'deep'; correct it."),
        ("network.depth=99", "`1 <= network.depth <= 6` must hold, but got 99; correct it."),
    ],
)
def test_a_pin_that_makes_no_sense_is_refused(text: str, line: str) -> None:
    with pytest.raises(SpaceError) as caught:
        pin(Space(), [text])
    assert str(caught.value).startswith(line)
