"""Folds and the held-out set: groups stay whole, every fold can be scored, and all follows from fingerprint and seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foils import DataError, Dataset
from foils.description import Channel, Description
from foils.folds import fold_numbers, hold_out
from foils.pit import Pit

LABELS = ("candidate", "top", "bottom", "misc", "maybe")


def dataset(groups: Sequence[Sequence[str]], *, slides: Sequence[str] = (), fingerprint: str = "0" * 64) -> Dataset:
    """Pits of the given labels, by group, shuffled; `slides` go round the pits in the order given. No pixels."""
    labels = [(label, number) for number, members in enumerate(groups) for label in members]
    pits = [
        Pit(f"p{index}", label, "f", slides[index % len(slides)] if slides else "1") for index, (label, _) in enumerate(labels)
    ]
    order = np.random.default_rng(0).permutation(len(pits))
    return Dataset(
        folder=Path("nowhere"),
        description=Description("mine", "candidate", "{pit}.png", 12, (Channel("1", "backlit"),)),
        pits=tuple(pits[index] for index in order),
        groups=np.array([labels[index][1] for index in order]),
        fingerprint=fingerprint,
        pixels_file=Path("nowhere.npy"),
        rows=np.arange(len(pits)),
    )


def alone(**counts: int) -> list[list[str]]:
    """Pits that each form a group, so many of each label."""
    return [[label] for label, count in counts.items() for _ in range(count)]


def names(data: Dataset) -> set[str]:
    return {pit.pit for pit in data.pits}


def countable(data: Dataset, folds: int) -> bool:
    """Tell whether signal and background each form enough groups."""
    with_signal = set(data.groups[data.is_signal].tolist())
    return min(len(with_signal), len(set(data.groups[data.is_background].tolist()) - with_signal)) >= folds


random_groups = st.lists(
    st.lists(st.sampled_from(LABELS), min_size=1, max_size=4) | st.lists(st.sampled_from(LABELS), min_size=8, max_size=12),
    min_size=8,
    max_size=40,
)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(groups=random_groups, folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_folds_keep_groups_whole_and_each_holds_signal_and_background(groups: list[list[str]], folds: int, seed: int) -> None:
    data = dataset(groups)
    if not countable(data, folds):
        with pytest.raises(DataError, match=r"there must be at least as many (signal|background) pits"):
            fold_numbers(data, folds, seed)
        return
    number = fold_numbers(data, folds, seed)
    assert number.shape == (len(data),)
    assert set(number.tolist()) == set(range(folds))
    for group in np.unique(data.groups):
        assert len(set(number[data.groups == group].tolist())) == 1
    for fold in range(folds):
        assert data.is_signal[number == fold].any()
        assert data.is_background[number == fold].any()


@settings(deadline=None, max_examples=50, derandomize=True)
@given(groups=random_groups, share=st.sampled_from([0.1, 0.2, 0.25, 0.4]), seed=st.integers(0, 99))
def test_no_group_is_both_searched_and_held_out(groups: list[list[str]], share: float, seed: int) -> None:
    data = dataset(groups)
    try:
        split = hold_out(data, share=share, seed=seed)
    except DataError:
        assert not countable(data, {0.1: 10, 0.2: 5, 0.25: 4, 0.4: 5}[share])
        return
    assert not set(split.search.groups) & set(split.held_out.groups)
    assert names(split.search) | names(split.held_out) == names(data)
    assert len(split.search) + len(split.held_out) == len(data)
    for half in (split.search, split.held_out):
        assert half.is_signal.any()
        assert half.is_background.any()


@settings(deadline=None, max_examples=50, derandomize=True)
@given(groups=random_groups, slides=st.sampled_from([["1", "2"], ["1", "2", "3"], ["1", "1", "1", "2"]]))
def test_no_group_of_a_held_out_slide_is_searched(groups: list[list[str]], slides: list[str]) -> None:
    data = dataset(groups, slides=slides)
    try:
        split = hold_out(data, slides=["2"])
    except DataError as error:
        assert "must hold signal and background" in str(error) or "must be in labels.csv" in str(error)
        return
    assert names(split.held_out) == {pit.pit for pit in data.pits if pit.slide == "2"}
    assert not set(split.search.groups) & set(split.held_out.groups)
    missing = len(data) - len(split.search) - len(split.held_out)
    expected = (f"{missing} pits left out of the search: identical to, or overlapping with, held-out pits",) if missing else ()
    assert split.notes == expected


def test_folds_carry_their_share_of_every_label() -> None:
    data = dataset(alone(candidate=52, top=40, bottom=160, misc=16, maybe=9))
    number = fold_numbers(data, 5, 3)
    for label, count in data.counts().items():
        held = np.bincount(number[data.labels == label], minlength=5)
        assert np.abs(held - count / 5).max() <= 1, label


def test_labels_rarer_than_folds_do_no_harm() -> None:
    data = dataset(alone(candidate=10, top=20, misc=1, bottom=2, maybe=1))
    number = fold_numbers(data, 5, 0)
    assert np.bincount(number[data.is_signal]).tolist() == [2] * 5
    assert np.bincount(number[data.labels == "top"]).tolist() == [4] * 5


def test_labels_rarer_than_folds_are_spread_together() -> None:
    rare = {f"r{number}": 1 for number in range(10)}
    data = dataset(alone(candidate=10, top=10, **rare))
    for seed in range(3):
        number = fold_numbers(data, 5, seed)
        assert np.bincount(number[np.isin(data.labels, list(rare))]).tolist() == [2] * 5


def test_groups_of_several_labels_leave_signal_for_every_fold() -> None:
    mixed = [["candidate", "top", "candidate", "candidate"], ["candidate", "top"], ["candidate", "top"], ["top"] * 3]
    data = dataset([["top"], ["top"], ["top"], *mixed[:2], mixed[3], ["candidate"], mixed[2]])
    # Left alone, StratifiedGroupKFold gives one of these folds no signal.
    assert np.bincount(fold_numbers(data, 4, 0)[data.is_signal], minlength=4).min() == 1


def test_few_background_pits_reach_every_fold() -> None:
    data = dataset(alone(candidate=5, top=3, bottom=2, maybe=1))
    assert np.bincount(fold_numbers(data, 5, 0)[data.is_background]).tolist() == [1] * 5


def test_one_large_group_leaves_signal_for_the_other_folds() -> None:
    data = dataset([["candidate"] * 30 + ["top"] * 30, *alone(candidate=4, top=40)])
    number = fold_numbers(data, 5, 0)
    assert sorted(np.bincount(number[data.is_signal]).tolist()) == [1, 1, 1, 1, 30]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            [["candidate"] * 9, *alone(candidate=3, top=20)],
            "mine: there must be at least as many signal pits (groups of overlapping or identical ones count once) as folds "
            "(5), but got 4; label more, or hold out fewer.",
        ),
        (
            [["top"] * 9, ["candidate", "top"], *alone(candidate=9, top=2, maybe=9)],
            "mine: there must be at least as many background pits (groups of overlapping or identical ones count once) as "
            "folds (5), but got 3; label more, or hold out fewer.",
        ),
    ],
    ids=["signal", "background"],
)
def test_fewer_groups_than_folds_are_refused(groups: list[list[str]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        fold_numbers(dataset(groups), 5, 0)
    assert caught.value.faults == (message,)


def split_of(seed: int = 0, fingerprint: str = "0" * 64) -> tuple[set[str], npt.NDArray[np.int64]]:
    data = dataset(alone(candidate=30, top=60), fingerprint=fingerprint)
    return names(hold_out(data, share=0.2, seed=seed).held_out), fold_numbers(data, 5, seed)


def test_splits_follow_from_fingerprint_and_seed() -> None:
    locked, number = split_of()
    again, same = split_of()
    assert again == locked
    assert (same == number).all()
    for other, others in (split_of(seed=1), split_of(fingerprint="1" * 64)):
        assert other != locked
        assert (others != number).any()


@pytest.mark.parametrize(("share", "pits"), [(0.5, 45), (0.4, 36), (0.3, 27), (0.25, 22.5), (0.2, 18), (0.1, 9), (0.05, 4.5)])
def test_the_held_out_share_is_the_one_asked_for(share: float, pits: float) -> None:
    split = hold_out(dataset(alone(candidate=30, top=60)), share=share)
    assert abs(len(split.held_out) - pits) <= 2
    assert abs(int(split.held_out.is_signal.sum()) - pits / 3) <= 1
    assert split.notes == ()


@pytest.mark.parametrize("share", [0.0, 0.04, 0.51, 1.0, -1.0, float("nan")])
def test_an_odd_share_is_refused(share: float) -> None:
    with pytest.raises(DataError) as caught:
        hold_out(dataset(alone(candidate=30, top=60)), share=share)
    assert str(caught.value) == f"`0.05 <= share <= 0.5` must hold for the held-out set, but got {share}; choose e.g. 0.2."


def test_slides_are_held_out_by_name_and_groups_across_them_are_left_out() -> None:
    # Slides go round: the pits of a group of three lie on slides 1, 2 and 3.
    data = dataset([["top"] * 3, *alone(candidate=30, top=30)], slides=["1", "2", "3"])
    split = hold_out(data, slides=["1", "f:3"])
    assert {pit.slide for pit in split.held_out.pits} == {"1", "3"}
    assert {pit.slide for pit in split.search.pits} == {"2"}
    assert len(split.held_out) == 42
    assert len(split.search) == 20
    assert split.notes == ("1 pits left out of the search: identical to, or overlapping with, held-out pits",)


@pytest.mark.parametrize("slide", ["7", "g:1", "f", ""])
def test_a_slide_that_is_not_there_is_refused_and_those_there_are_named(slide: str) -> None:
    with pytest.raises(DataError) as caught:
        hold_out(dataset(alone(candidate=30, top=30), slides=["1", "24"]), slides=["1", slide])
    assert str(caught.value) == f"mine: a slide must be in labels.csv, but got {slide!r}; choose from 1, 24."


@pytest.mark.parametrize(
    ("held", "line"),
    [
        (
            ["1", "2"],
            "mine: the search set must hold signal and background pits, but got 0 and 0; hold out other slides or another "
            "share.",
        ),
        (
            ["2"],
            "mine: the held-out set must hold signal and background pits, but got 0 and 30; hold out other slides or another "
            "share.",
        ),
    ],
)
def test_halves_without_signal_or_background_are_refused(held: list[str], line: str) -> None:
    groups = [[label] for _ in range(30) for label in ("candidate", "top", "top")]
    with pytest.raises(DataError) as caught:
        hold_out(dataset(groups, slides=["1", "1", "2"]), slides=held)
    assert caught.value.faults == (line,)


def test_pits_that_are_never_scored_are_folded_too() -> None:
    data = dataset(alone(candidate=10, top=10, maybe=10))
    assert np.bincount(fold_numbers(data, 5, 0)[data.labels == "maybe"]).tolist() == [2] * 5
