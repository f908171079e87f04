"""Flips and turns: the lights follow the image, as a group; azimuths that allow none are refused."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foils.description import Channel
from spaces.axes import AXES
from spaces.choices.augmentation import (
    EIGHTHS,
    PERTURBATIONS,
    TURNINGS,
    TURNS,
    Augmentation,
    Turn,
    allowed_turns,
    check_drop,
    light_permutation,
)
from spaces.choices.channels import MODES, Channels, used_lights
from spaces.errors import SpaceError
from tests.support.channels import QMUL

IDENTITY = Turn(mirrored=False, quarters=0)
MIRROR = Turn(mirrored=True, quarters=0)
QUARTER = Turn(mirrored=False, quarters=1)
EIGHTH = Turn(mirrored=False, quarters=0, diagonal=True)


def rotating(*azimuths: float) -> tuple[Channel, ...]:
    return tuple(Channel(str(number), "rotating", azimuth) for number, azimuth in enumerate(azimuths))


def after(first: Turn, second: Turn) -> Turn:
    """The turn that does `first`, then `second`: a mirror image reverses the sense of the turn before it."""
    before, then = (2 * turn.quarters + turn.diagonal for turn in (first, second))
    quarters, diagonal = divmod(then + (-before if second.mirrored else before), 2)
    return Turn(first.mirrored != second.mirrored, quarters % 4, bool(diagonal))


def names(order: tuple[int, ...] | None) -> str:
    assert order is not None
    return " ".join(QMUL[number].name for number in order)


def test_qmul_lights_in_the_mirror() -> None:
    assert names(light_permutation(QMUL, MIRROR)) == "2 1 8 7 6 5 4 3 9 10"


def test_a_quarter_turn_rolls_qmul_lights_by_two() -> None:
    assert names(light_permutation(QMUL, QUARTER)) == "7 8 1 2 3 4 5 6 9 10"
    assert names(light_permutation(QMUL, Turn(False, 3))) == "3 4 5 6 7 8 1 2 9 10"


def test_an_eighth_of_a_turn_rolls_qmul_lights_by_one() -> None:
    assert names(light_permutation(QMUL, EIGHTH)) == "8 1 2 3 4 5 6 7 9 10"
    assert names(light_permutation(QMUL, Turn(False, 3, diagonal=True))) == "2 3 4 5 6 7 8 1 9 10"
    assert names(light_permutation(QMUL, Turn(True, 0, diagonal=True))) == "3 2 1 8 7 6 5 4 9 10"


def lit_from(azimuth: float) -> npt.NDArray[np.float64]:
    """A slope that is bright towards its light; azimuths count counter-clockwise from the right-hand edge as displayed."""
    y, x = np.mgrid[:8, :8] - 3.5
    slope: npt.NDArray[np.float64] = x * np.cos(np.deg2rad(azimuth)) - y * np.sin(np.deg2rad(azimuth))
    return slope


@pytest.mark.parametrize("turn", TURNS)
def test_turned_images_in_the_new_order_are_lit_as_their_places_say(turn: Turn) -> None:
    lights = QMUL[:8]
    images = [lit_from(light.azimuth_deg or 0.0) for light in lights]
    turned = [np.rot90(np.fliplr(image) if turn.mirrored else image, turn.quarters) for image in images]
    order = light_permutation(lights, turn)
    assert order is not None
    for place, source in enumerate(order):
        np.testing.assert_allclose(turned[source], images[place], atol=1e-9)


@st.composite
def symmetric_lights(draw: st.DrawFn) -> tuple[Channel, ...]:
    """Lights that every turn maps onto each other: eight around the axes, or four upon them, in any order, and unlit ones."""
    offset = draw(st.sampled_from([0.0, 45.0]) | st.floats(2, 43))
    azimuths = {round((sign * offset + 90 * quarters) % 360, 6) for sign in (1, -1) for quarters in range(4)}
    lights = [*rotating(*sorted(azimuths)), Channel("b", "backlit"), Channel("h", "halo")]
    return tuple(draw(st.permutations(lights)))


@st.composite
def octagons(draw: st.DrawFn) -> tuple[Channel, ...]:
    """Eight lights 45 degrees apart, a mirror image of themselves, in any order."""
    offset = draw(st.sampled_from([0.0, 22.5]))
    return tuple(draw(st.permutations(rotating(*(offset + 45.0 * place for place in range(8))))))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(lights=octagons(), first=st.sampled_from(EIGHTHS), second=st.sampled_from(EIGHTHS))
def test_orders_compose_like_the_eighths(lights: tuple[Channel, ...], first: Turn, second: Turn) -> None:
    before, then = light_permutation(lights, first), light_permutation(lights, second)
    assert before is not None
    assert then is not None
    assert light_permutation(lights, after(first, second)) == tuple(before[source] for source in then)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(lights=symmetric_lights(), first=st.sampled_from(TURNS), second=st.sampled_from(TURNS))
def test_orders_compose_like_the_turns(lights: tuple[Channel, ...], first: Turn, second: Turn) -> None:
    before, then = light_permutation(lights, first), light_permutation(lights, second)
    assert before is not None
    assert then is not None
    assert sorted(before) == list(range(len(lights)))
    assert light_permutation(lights, after(first, second)) == tuple(before[source] for source in then)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(lights=symmetric_lights(), turn=st.sampled_from(TURNS))
def test_four_quarters_and_two_mirrors_are_the_identity(lights: tuple[Channel, ...], turn: Turn) -> None:
    same = tuple(range(len(lights)))
    assert light_permutation(lights, IDENTITY) == same
    for one, times in ((MIRROR, 2), (QUARTER, 4), (turn, 4)):
        order = light_permutation(lights, one)
        assert order is not None
        found = same
        for _ in range(times):
            found = tuple(found[source] for source in order)
        assert found == same


@settings(deadline=None, max_examples=50, derandomize=True)
@given(degrees=st.floats(-720, 720), first=st.sampled_from(EIGHTHS), second=st.sampled_from(EIGHTHS))
def test_azimuths_turn_like_the_turns(degrees: float, first: Turn, second: Turn) -> None:
    found = second.azimuth(first.azimuth(degrees))
    assert 0 <= found < 360
    difference = (found - after(first, second).azimuth(degrees) + 180) % 360 - 180
    assert abs(difference) < 1e-6


def test_azimuths_a_little_off_still_find_their_places() -> None:
    lights = rotating(0.4, 90.0, 180.0, 269.8)
    assert light_permutation(lights, QUARTER) == (3, 0, 1, 2)
    assert light_permutation(rotating(359.7, 90.0, 180.0, 270.0), MIRROR) == (2, 1, 0, 3)


@pytest.mark.parametrize("azimuths", [(0, 90, 180), (0, 50, 110, 200), (10, 10, 190, 190)])
def test_irregular_azimuths_have_no_order(azimuths: tuple[float, ...]) -> None:
    assert light_permutation(rotating(*azimuths), QUARTER) is None


def test_irregular_azimuths_are_refused() -> None:
    with pytest.raises(SpaceError) as caught:
        allowed_turns("symmetries", Channels("stacked"), (*rotating(0, 50, 110, 200), Channel("b", "backlit")))
    assert str(caught.value) == (
        "`augmentation = symmetries` needs azimuths that a flip or quarter turn maps onto each other, but got 0, 50, 110, 200; "
        "use none, or turned with single lights."
    )


def test_lights_at_right_angles_have_no_eighths() -> None:
    with pytest.raises(SpaceError) as caught:
        allowed_turns("eighths", Channels("stacked"), rotating(0, 90, 180, 270))
    assert str(caught.value) == (
        "`augmentation = eighths` needs azimuths that a turn by 45 degrees maps onto each other, but got 0, 90, 180, 270; "
        "use symmetries or none, or turned eighths with single lights."
    )


def test_lights_with_one_symmetry_keep_that_one() -> None:
    lights = rotating(30, 150, 270)
    found = allowed_turns("symmetries", Channels("volume"), lights)
    assert found == ((IDENTITY, (0, 1, 2)), (MIRROR, (1, 0, 2)))


@pytest.mark.parametrize("name", TURNINGS)
@pytest.mark.parametrize("mode", MODES)
def test_every_augmentation_begins_with_the_image_as_it_is(name: str, mode: str) -> None:
    channels = Channels(mode, "9" if mode == "single" else None)
    assert TURNINGS[name].meaning
    if name.startswith("turned") and not MODES[mode].apart and MODES[mode].least > 1:
        with pytest.raises(SpaceError, match=rf"^`augmentation = {name}` must not be used with `channels.mode = {mode}`: "):
            allowed_turns(name, channels, QMUL)
        return
    found = allowed_turns(name, channels, QMUL)
    same = tuple(range(len(used_lights(channels, QMUL))))
    assert found[0] == (IDENTITY, same)
    assert len({turn for turn, _ in found}) == len(found) == len(TURNINGS[name].turns)
    assert all(sorted(order) == list(same) for _, order in found)


def test_lights_move_only_where_a_network_sees_them_together() -> None:
    together = dict(allowed_turns("symmetries", Channels("stacked"), QMUL))
    assert together[MIRROR] == (1, 0, 7, 6, 5, 4, 3, 2, 8, 9)
    apart = dict(allowed_turns("symmetries", Channels("examples"), QMUL))
    assert set(apart.values()) == {tuple(range(10))}


def test_a_single_light_turns_where_it_looks_the_same() -> None:
    backlit = allowed_turns("symmetries", Channels("single", "9"), QMUL)
    assert len(backlit) == 8
    slanted = allowed_turns("symmetries", Channels("single", "0"), rotating(45, 135))
    assert {turn for turn, _ in slanted} == {IDENTITY, Turn(True, 3)}


@pytest.mark.parametrize("name", TURNINGS)
def test_every_way_says_what_it_does_to_the_azimuths(name: str) -> None:
    assert "azimuths" in TURNINGS[name].meaning


def test_every_perturbation_says_what_it_does_and_is_off_by_default() -> None:
    assert ["turns", *PERTURBATIONS] == [field.name for field in fields(Augmentation)]
    assert not Augmentation("eighths").perturbs
    for name, meaning in PERTURBATIONS.items():
        assert "azimuths stay" in meaning
        assert AXES[f"augmentation.{name}"].meaning == meaning
        assert AXES[f"augmentation.{name}"].domain == (0,)
        amount: dict[str, Any] = {name: 1}
        assert Augmentation(**amount).perturbs
        assert Augmentation(**amount).describe() == [f"{name} 1"]


def test_lights_are_dropped_only_where_a_network_sees_several() -> None:
    for mode in MODES:
        check_drop(0.0, mode)
        applies = AXES["augmentation.drop"].applies({"channels.mode": mode})
        if applies:
            check_drop(0.2, mode)
            continue
        with pytest.raises(SpaceError) as caught:
            check_drop(0.2, mode)
        several = ", ".join(name for name in MODES if AXES["augmentation.drop"].applies({"channels.mode": name}))
        assert str(caught.value) == (
            f"`augmentation.drop` needs a network that sees several lights ({several}), but got 0.2 with "
            f"`channels.mode = {mode}`; set it to 0."
        )
