"""Folds: groups stay whole, every fold can be scored, and all follows from fingerprint and seed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foils import DataError
from foils.folds import fold_numbers, slide_folds
from tests.support.grouped import RANDOM_GROUPS, countable, grouped_pits, single_pits


@settings(deadline=None, max_examples=100, derandomize=True)
@given(groups=RANDOM_GROUPS, folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_folds_keep_groups_whole_and_each_holds_signal_and_background(groups: list[list[str]], folds: int, seed: int) -> None:
    data = grouped_pits(groups)
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


def test_folds_carry_their_share_of_every_label() -> None:
    data = grouped_pits(single_pits(candidate=52, top=40, bottom=160, misc=16, maybe=9))
    number = fold_numbers(data, 5, 3)
    for label, count in data.counts().items():
        held = np.bincount(number[data.labels == label], minlength=5)
        assert np.abs(held - count / 5).max() <= 1, label


def test_labels_rarer_than_folds_do_no_harm() -> None:
    data = grouped_pits(single_pits(candidate=10, top=20, misc=1, bottom=2, maybe=1))
    number = fold_numbers(data, 5, 0)
    assert np.bincount(number[data.is_signal]).tolist() == [2] * 5
    assert np.bincount(number[data.labels == "top"]).tolist() == [4] * 5


def test_labels_rarer_than_folds_are_spread_together() -> None:
    rare = {f"r{number}": 1 for number in range(10)}
    data = grouped_pits(single_pits(candidate=10, top=10, **rare))
    for seed in range(3):
        number = fold_numbers(data, 5, seed)
        assert np.bincount(number[np.isin(data.labels, list(rare))]).tolist() == [2] * 5


def test_groups_of_several_labels_leave_signal_for_every_fold() -> None:
    mixed = [["candidate", "top", "candidate", "candidate"], ["candidate", "top"], ["candidate", "top"], ["top"] * 3]
    data = grouped_pits([["top"], ["top"], ["top"], *mixed[:2], mixed[3], ["candidate"], mixed[2]])
    # Left alone, StratifiedGroupKFold gives one of these folds no signal.
    assert np.bincount(fold_numbers(data, 4, 0)[data.is_signal], minlength=4).min() == 1


def test_few_background_pits_reach_every_fold() -> None:
    data = grouped_pits(single_pits(candidate=5, top=3, bottom=2, maybe=1))
    assert np.bincount(fold_numbers(data, 5, 0)[data.is_background]).tolist() == [1] * 5


def test_one_large_group_leaves_signal_for_the_other_folds() -> None:
    data = grouped_pits([["candidate"] * 30 + ["top"] * 30, *single_pits(candidate=4, top=40)])
    number = fold_numbers(data, 5, 0)
    assert sorted(np.bincount(number[data.is_signal]).tolist()) == [1, 1, 1, 1, 30]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            [["candidate"] * 9, *single_pits(candidate=3, top=20)],
            "mine: there must be at least as many signal pits (groups of overlapping or identical ones count once) as folds "
            "(5), but got 4; label more, or hold out fewer.",
        ),
        (
            [["top"] * 9, ["candidate", "top"], *single_pits(candidate=9, top=2, maybe=9)],
            "mine: there must be at least as many background pits (groups of overlapping or identical ones count once) as "
            "folds (5), but got 3; label more, or hold out fewer.",
        ),
    ],
    ids=["signal", "background"],
)
def test_fewer_groups_than_folds_are_refused(groups: list[list[str]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        fold_numbers(grouped_pits(groups), 5, 0)
    assert caught.value.faults == (message,)


def folds_of(seed: int = 0, fingerprint: str = "0" * 64) -> npt.NDArray[np.int64]:
    return fold_numbers(grouped_pits(single_pits(candidate=30, top=60), fingerprint=fingerprint), 5, seed)


def test_folds_follow_from_fingerprint_and_seed() -> None:
    assert (folds_of() == folds_of()).all()
    assert (folds_of(seed=1) != folds_of()).any()
    assert (folds_of(fingerprint="1" * 64) != folds_of()).any()


def test_pits_that_are_never_scored_are_folded_too() -> None:
    data = grouped_pits(single_pits(candidate=10, top=10, maybe=10))
    assert np.bincount(fold_numbers(data, 5, 0)[data.labels == "maybe"]).tolist() == [2] * 5


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    groups=RANDOM_GROUPS, slides=st.sampled_from([["1"], ["1", "2"], ["1", "2", "3"], list("abcdefg")]), seed=st.integers(0, 9)
)
def test_no_slide_straddles_folds_of_slides(groups: list[list[str]], slides: list[str], seed: int) -> None:
    data = grouped_pits(groups, slides=slides)
    try:
        number = slide_folds(data, 5, seed)
    except DataError as error:
        assert "need signal and background on two slides or more" in str(error)
        return
    assert 2 <= number.max() + 1 <= 5
    for names in ([pit.slide for pit in data.pits], data.groups.tolist()):
        for name in set(names):
            assert len(set(number[[one == name for one in names]].tolist())) == 1
    for fold in range(number.max() + 1):
        assert data.is_signal[number == fold].any()
        assert data.is_background[number == fold].any()


def test_as_many_folds_of_slides_as_there_are_slides() -> None:
    data = grouped_pits(single_pits(candidate=60, top=60), slides=["1", "2", "3"])
    assert set(slide_folds(data, 5, 0).tolist()) == {0, 1, 2}
    with pytest.raises(DataError, match="but got 1 such slides; label pits of further slides"):
        slide_folds(grouped_pits(single_pits(candidate=60, top=60)), 5, 0)
