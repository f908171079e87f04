"""Folds: groups stay whole, every fold can be scored, and all follows from fingerprint and seed."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from foils import DataError, Dataset
from foils.folds import _random_state, _spread, _strata, _units, fold_numbers, slide_folds
from foils.pit import Pit
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
    assert set(slide_folds(data, 2, 0).tolist()) == {0, 1}
    with pytest.raises(DataError) as caught:
        slide_folds(grouped_pits(single_pits(candidate=60, top=60)), 5, 0)
    assert caught.value.faults == (
        "mine: folds of whole slides need signal and background on two slides or more that share no plastic, but got 1 such "
        "slides; label pits of further slides.",
    )


def on_slides(*pits: tuple[str, str, int], foil: str = "f") -> Dataset:
    """Give pits of a label each, on a slide each, in a group each."""
    made = tuple(Pit(f"p{number}", label, foil, slide) for number, (label, slide, _) in enumerate(pits))
    groups = np.array([group for _, _, group in pits])
    return replace(grouped_pits([["top"] * len(pits)]), pits=made, groups=groups)


def test_fewer_folds_are_made_where_a_slide_has_no_signal() -> None:
    kinds = [("candidate", "1"), ("top", "1"), ("candidate", "2"), ("top", "2"), ("top", "3"), ("top", "3")]
    data = on_slides(*((label, slide, number) for number, (label, slide) in enumerate(kinds)))
    number = slide_folds(data, 3, 0)
    assert set(number.tolist()) == {0, 1}
    assert number[0] == number[1] != number[2] == number[3]
    assert number[4] == number[5]


def test_slides_are_one_where_a_group_lies_on_both_and_foils_are_two() -> None:
    data = on_slides(("top", "1", 0), ("top", "2", 0), ("top", "2", 7), ("top", "3", 9))
    assert _units(data).tolist() == [0, 0, 0, 1]
    assert _units(data).dtype.name == "int64"
    two = replace(data, pits=(*data.pits[:3], replace(data.pits[0], foil="g")))
    assert _units(two).tolist() == [0, 0, 0, 1]
    # Groups' numbers are names: they may be any, and the same as a slide's place.
    assert _units(replace(data, groups=np.array([5, 6, 7, 8]))).tolist() == [0, 1, 1, 2]


def test_a_fold_without_any_gets_the_smallest_group_of_the_fold_that_has_most() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 4])
    number = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    members = np.array([True] * 9 + [False])
    _spread(number, 3, groups, members)
    # Folds 0 and 1 have two groups each: the first of them gives, and of its groups that of two pits.
    assert number.tolist() == [0, 0, 0, 2, 2, 1, 1, 1, 1, 1]
    _spread(number, 3, groups, members)  # nothing more to do
    assert number.tolist() == [0, 0, 0, 2, 2, 1, 1, 1, 1, 1]
    # A pit that is no member goes with its group, and counts for its size.
    number, members = np.array([1, 1, 1, 0, 0, 1]), np.array([True, False, True, False, False, True])
    _spread(number, 2, np.array([0, 0, 1, 2, 2, 3]), members)
    assert number.tolist() == [1, 1, 0, 0, 0, 1]


def test_labels_are_rare_that_have_fewer_pits_than_there_are_folds_but_never_the_signal() -> None:
    data = grouped_pits(single_pits(candidate=2, top=3, misc=2, bottom=1))
    expected = {"candidate": "candidate", "top": "top", "misc": "(rare)", "bottom": "(rare)"}
    assert _strata(data, 3).tolist() == [expected[label] for label in data.labels]


def test_the_random_state_is_of_sixteen_digits_of_the_fingerprint_and_of_the_seed() -> None:
    # What 0.1.0 computed: the folds of a data set must not change with the version.
    assert _random_state("0" * 64, 0) == 2968811710
    assert _random_state("0" * 15 + "f" + "0" * 48, 0) == 3285388380
    assert _random_state("0" * 14 + "10" + "0" * 48, 0) == 3788087768
    assert _random_state("0" * 16 + "f" * 48, 0) == 2968811710
    assert _random_state("0" * 64, 1) == 3964924996


def test_no_other_warning_of_the_splitter_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    split = StratifiedGroupKFold.split

    def warn(self: StratifiedGroupKFold, *arguments: Any) -> Any:
        warnings.warn("something else", UserWarning, stacklevel=1)
        return split(self, *arguments)

    monkeypatch.setattr(StratifiedGroupKFold, "split", warn)
    with pytest.warns(UserWarning, match="something else"):
        folds_of()


def test_folds_do_not_change_with_the_version() -> None:
    data = grouped_pits(single_pits(candidate=4, top=6, misc=1), slides=["1", "2", "3", "4"])
    assert fold_numbers(data, 3, 0).tolist() == [1, 1, 2, 1, 0, 1, 2, 0, 0, 0, 2]
    assert slide_folds(data, 2, 0).tolist() == [1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0]
