"""The held-out set: drawn from pixels alone, groups whole, and no pit ever changes side."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foils import DataError, Dataset
from foils.held_out_log import HeldOutLog, Rule, Sides, append_to_log
from foils.hold_out import Split, check_halves, hold_out, split_by_name
from tests.support.grouped import RANDOM_GROUPS, grouped_pits, names_of, single_pits

SINGLE = single_pits(candidate=100, top=100, bottom=300, misc=50, maybe=20)


def logged(data: Dataset, split: Split, folder: Path) -> HeldOutLog:
    """Record a split, each pit by its name and pixels."""
    pixels = {pit.pit: pixels for pit, pixels in zip(data.pits, data.pixel_hashes, strict=True)}
    sides = [{name: pixels[name] for name in names_of(half)} for half in (split.held_out, split.search)]
    return append_to_log(folder, lambda _: [Sides(split.rule, *sides)])


def changed(data: Dataset, **fields: Any) -> Dataset:
    """Give the same pits with other fields."""
    other = replace(data, **fields)
    vars(other)["pixels"] = data.pixels
    return other


def chosen(data: Dataset, wanted: Collection[bool]) -> Dataset:
    """Give some of the pits."""
    part = data.take(np.flatnonzero([*wanted]))
    vars(part)["pixels"] = data.pixels
    return part


def relabelled(data: Dataset, shift: int) -> Dataset:
    """Give every pit the label of another one, in a data set of another name and content."""
    labels = np.roll([pit.label for pit in data.pits], shift)
    pits = tuple(replace(pit, label=str(label)) for pit, label in zip(data.pits, labels, strict=True))
    return changed(data, pits=pits, fingerprint="f" * 64, description=replace(data.description, name="other"))


@settings(deadline=None, max_examples=50, derandomize=True)
@given(groups=RANDOM_GROUPS, share=st.sampled_from([0.1, 0.2, 0.25, 0.4]))
def test_no_group_is_both_searched_and_held_out(groups: list[list[str]], share: float) -> None:
    data = grouped_pits(groups)
    split = hold_out(data, share=share)
    assert not set(split.search.groups) & set(split.held_out.groups)
    assert names_of(split.search) | names_of(split.held_out) == names_of(data)
    assert len(split.search) + len(split.held_out) == len(data)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(groups=RANDOM_GROUPS, shift=st.integers(0, 99), kept=st.floats(0.3, 1))
def test_a_pit_keeps_its_side_whatever_its_label_and_whichever_pits_are_beside_it(
    groups: list[list[str]], shift: int, kept: float
) -> None:
    data = grouped_pits(single_pits(**{label: 3 * len(groups) for label in {one for group in groups for one in group}}))
    locked = names_of(hold_out(data).held_out)
    assert names_of(hold_out(relabelled(data, shift)).held_out) == locked
    part = chosen(data, np.random.default_rng(shift).random(len(data)) < kept)
    assert names_of(hold_out(part).held_out) == locked & names_of(part)


@pytest.mark.parametrize("share", [0.5, 0.4, 0.3, 0.25, 0.2, 0.1, 0.05])
def test_the_held_out_share_is_the_one_asked_for(share: float) -> None:
    data = grouped_pits(SINGLE)
    split = hold_out(data, share=share)
    for pits, locked in ((len(data), len(split.held_out)), (int(data.is_signal.sum()), int(split.held_out.is_signal.sum()))):
        assert abs(locked - share * pits) <= 4 * np.sqrt(share * (1 - share) * pits)
    assert split.notes == ()
    assert names_of(split.held_out) <= names_of(hold_out(data, share=0.5).held_out)


def test_a_large_group_stays_in_the_search_and_is_noted() -> None:
    data = grouped_pits([["candidate", "top"] * 150, *SINGLE])
    split = hold_out(data, share=0.2)
    assert 0.05 < len(split.held_out) / len(data) < 0.2
    assert split.notes[0].startswith(
        "300 pits stay in the search: they share plastic in groups so large (1) that one would decide"
    )


def test_known_pits_keep_their_side_and_new_ones_join_by_the_rule(tmp_path: Path) -> None:
    data = grouped_pits(SINGLE)
    first = chosen(data, [number % 2 == 0 for number in range(len(data))])
    # Other sides than the rule would give: what the log says counts.
    turned = split_by_name(first, Rule(0.2), names_of(hold_out(first).search), ())
    log = logged(data, turned, tmp_path)
    split = hold_out(relabelled(data, 1), log=log)
    known, drawn = names_of(first), names_of(hold_out(data).held_out)
    assert names_of(split.held_out) & known == names_of(turned.held_out)
    assert names_of(split.held_out) - known == drawn - known


def test_a_pit_is_known_by_its_pixels_and_else_by_its_name(tmp_path: Path) -> None:
    data = grouped_pits(SINGLE)
    split = hold_out(data)
    log = logged(data, split, tmp_path)
    renamed = changed(data, pits=tuple(replace(pit, pit=f"x{pit.pit}") for pit in data.pits))
    assert {name[1:] for name in names_of(hold_out(renamed, log=log).held_out)} == names_of(split.held_out)
    again = changed(data)
    vars(again)["pixels"] = data.pixels + 10_000
    assert names_of(hold_out(again).held_out) != names_of(split.held_out)
    assert names_of(hold_out(again, log=log).held_out) == names_of(split.held_out)


def test_a_new_pit_on_the_plastic_of_both_sides_is_in_neither(tmp_path: Path) -> None:
    apart = grouped_pits([["candidate"], ["top"], ["candidate"], ["top"], ["bottom"]])
    order = [pit.pit for pit in apart.pits]
    known = chosen(apart, [name != "p4" for name in order])
    log = logged(apart, split_by_name(known, Rule(0.2), {"p0", "p1"}, ()), tmp_path)
    # p4 is new: it overlaps with p0, which is locked, and p2, which was searched.
    joined = changed(apart, groups=np.array([{"p0": 0, "p2": 0, "p4": 0, "p1": 1, "p3": 2}[name] for name in order]))
    split = hold_out(joined, log=log)
    assert names_of(split.held_out) == {"p0", "p1"}
    assert names_of(split.search) == {"p2", "p3"}
    assert split.notes[-1] == "1 pits left out of the search: identical to, or overlapping with, held-out pits"


def test_another_share_than_that_of_the_lock_is_refused(tmp_path: Path) -> None:
    data = grouped_pits(SINGLE)
    log = logged(data, hold_out(data, share=0.25), tmp_path)
    assert names_of(hold_out(data, log=log).held_out) == names_of(hold_out(data, share=0.25).held_out)
    with pytest.raises(DataError) as caught:
        hold_out(data, share=0.2, log=log)
    assert caught.value.faults == (
        "a data set must keep its held-out set, drawn by a share of 0.25, but got a share of 0.2; leave the share out, or hold "
        "out slides.",
    )


def test_slides_are_the_lock_of_later_studies_too(tmp_path: Path) -> None:
    data = grouped_pits(SINGLE, slides=["1", "2", "3"])
    log = logged(data, hold_out(data, slides=["2"]), tmp_path)
    later = hold_out(data, log=log)
    assert {pit.slide for pit in later.held_out.pits} == {"2"}
    assert later.rule == Rule(None, ("2",))
    assert {pit.slide for pit in hold_out(data, slides=["3"], log=log).held_out.pits} == {"3"}


@settings(deadline=None, max_examples=50, derandomize=True)
@given(groups=RANDOM_GROUPS, slides=st.sampled_from([["1", "2"], ["1", "2", "3"], ["1", "1", "1", "2"]]))
def test_no_group_of_a_held_out_slide_is_searched(groups: list[list[str]], slides: list[str]) -> None:
    data = grouped_pits(groups, slides=slides)
    try:
        split = hold_out(data, slides=["2"])
    except DataError as error:
        assert "must hold signal and background" in str(error) or "must be in labels.csv" in str(error)
        return
    assert names_of(split.held_out) == {pit.pit for pit in data.pits if pit.slide == "2"}
    assert not set(split.search.groups) & set(split.held_out.groups)
    missing = len(data) - len(split.search) - len(split.held_out)
    expected = (f"{missing} pits left out of the search: identical to, or overlapping with, held-out pits",) if missing else ()
    assert split.notes == expected


@pytest.mark.parametrize("share", [0.0, 0.04, 0.51, 1.0, -1.0, float("nan")])
def test_an_odd_share_is_refused(share: float) -> None:
    with pytest.raises(DataError) as caught:
        hold_out(grouped_pits(single_pits(candidate=30, top=60)), share=share)
    assert str(caught.value) == f"`0.05 <= share <= 0.5` must hold for the held-out set, but got {share}; choose e.g. 0.2."


def test_slides_are_held_out_by_name_and_groups_across_them_are_left_out() -> None:
    # Slides go round: the pits of a group of three lie on slides 1, 2 and 3.
    data = grouped_pits([["top"] * 3, *single_pits(candidate=30, top=30)], slides=["1", "2", "3"])
    split = hold_out(data, slides=["1", "f:3"])
    assert {pit.slide for pit in split.held_out.pits} == {"1", "3"}
    assert {pit.slide for pit in split.search.pits} == {"2"}
    assert len(split.held_out) == 42
    assert len(split.search) == 20
    assert split.notes == ("1 pits left out of the search: identical to, or overlapping with, held-out pits",)


@pytest.mark.parametrize("slide", ["7", "g:1", "f", ""])
def test_a_slide_that_is_not_there_is_refused_and_those_there_are_named(slide: str) -> None:
    with pytest.raises(DataError) as caught:
        hold_out(grouped_pits(single_pits(candidate=30, top=30), slides=["1", "24"]), slides=["1", slide])
    assert str(caught.value) == f"mine: a slide must be in labels.csv, but got {slide!r}; choose from 1, 24."


@pytest.mark.parametrize(
    ("held", "line"),
    [
        (["1", "2"], "mine: the search set must hold signal and background pits, but got 0 and 0 (held out by slides 1, 2); "),
        (["2"], "mine: the held-out set must hold signal and background pits, but got 0 and 30 (held out by slides 2); "),
    ],
)
def test_halves_without_signal_or_background_are_refused(held: list[str], line: str) -> None:
    groups = [[label] for _ in range(30) for label in ("candidate", "top", "top")]
    split = hold_out(grouped_pits(groups, slides=["1", "1", "2"]), slides=held)
    with pytest.raises(DataError) as caught:
        check_halves(split.rule, split.search, split.held_out)
    assert caught.value.faults == (f"{line}hold out other slides or another share, or label more pits.",)
