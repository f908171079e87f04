"""Suspect pits: planted wrong labels first, consistently over repeats, and near-duplicates that contradict each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset
from models.metrics import Floats
from search.analysis.suspects import (
    OVERLAPS,
    LabelScores,
    Suspect,
    contradictions,
    errors,
    find_suspects,
    merge,
    near_duplicates,
)

NAMES = ("candidate", "top", "bottom")
TRUE = np.repeat([0, 1, 2], [30, 30, 90])
WRONG = {3: "bottom", 4: "bottom", 40: "candidate", 41: "candidate", 77: "top", 78: "top", 110: "candidate", 111: "candidate"}


def judged(repeats: int = 5, noise: float = 0.3, strength: float = 3.0) -> LabelScores:
    """Make networks that know the truth, with noise, of pits of which some carry wrong labels."""
    generator = np.random.default_rng(0)
    logits = strength * np.eye(3)[TRUE] + noise * generator.normal(size=(repeats, len(TRUE), 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    labels = np.array(NAMES)[TRUE].astype("<U9")
    for index, label in WRONG.items():
        labels[index] = label
    return LabelScores(probabilities, NAMES, labels)


def test_wrong_labels_are_found_and_the_true_ones_suggested() -> None:
    found = find_suspects(judged())
    assert {one.index for one in found} == set(WRONG)
    for one in found:
        assert (one.label, one.suggested) == (WRONG[one.index], NAMES[TRUE[one.index]])
        assert (one.agreed, one.judged) == (5, 5)
        assert one.sure is not None and one.sure > 0.8
    assert [one.sure for one in found] == sorted((one.sure or 0 for one in found), reverse=True)


def test_how_sure_is_the_margin_between_the_two_labels() -> None:
    found = judged()
    for one in find_suspects(found):
        of = found.mean[one.index]
        margin = of[NAMES.index(one.suggested)] - of[NAMES.index(one.label)]
        assert one.sure == pytest.approx((1 + margin) / 2)


def test_a_pit_is_no_suspect_where_most_repeats_believe_its_label() -> None:
    found = judged(strength=1.2)
    swayed = found.probabilities.copy()
    # Two repeats are very sure of the true label, three a little of the given one: the mean is for the former.
    swayed[:2, 3], swayed[2:, 3] = [0.98, 0.01, 0.01], [0.49, 0.01, 0.50]
    found = replace(found, probabilities=swayed)
    assert found.mean[3].argmax() == 0
    assert 3 not in {one.index for one in find_suspects(found)}
    swayed[2, 3] = [0.55, 0.01, 0.44]
    found = replace(found, probabilities=swayed)
    assert {one.index: one.agreed for one in find_suspects(found)}[3] == 3


def test_networks_that_did_not_learn_are_no_witnesses() -> None:
    found = judged()
    partly = found.probabilities.copy()
    partly[:3, 3] = np.nan
    found = replace(found, probabilities=partly)
    by_index = {one.index: one for one in find_suspects(found)}
    assert (by_index[3].agreed, by_index[3].judged) == (2, 2)
    partly[:, 3] = np.nan
    found = replace(found, probabilities=partly)
    assert 3 not in {one.index for one in find_suspects(found)}
    assert len(errors(found)) == len(TRUE) - 1


def test_labels_that_networks_do_not_know_are_never_suspects() -> None:
    found = judged()
    labels = found.labels.copy()
    labels[3] = "maybe"
    found = replace(found, labels=labels)
    assert 3 not in {one.index for one in find_suspects(found)}
    assert not found.usable[3]
    assert len(errors(found)) == len(TRUE) - 1


def test_nothing_judged_gives_no_suspects() -> None:
    found = judged()
    assert find_suspects(replace(found, probabilities=np.full_like(found.probabilities, np.nan))) == ()


def test_errors_are_what_the_given_label_lacks() -> None:
    found = errors(judged())
    assert found.shape == TRUE.shape
    assert min(found[list(WRONG)]) > 0.8
    assert np.median(found) < 0.2


def test_near_duplicates_are_groups_and_crops_that_look_the_same(tiny: Dataset) -> None:
    crops = tiny.crops().copy()
    crops[5] = crops[9]  # identical, and in one group as loading would have it
    groups = tiny.groups.copy()
    groups[5] = groups[9]
    groups[1] = groups[2]
    noise = np.random.default_rng(0).normal(0, 3, crops[7].shape)
    crops[20] = np.clip(crops[7] + noise + 8, 0, 255).astype(crops.dtype)  # taken again, a little brighter
    found = near_duplicates(crops, groups)
    assert found == [(1, 2, "shares plastic with"), (5, 9, "identical to"), (7, 20, "looks the same as")]


def test_near_duplicates_with_different_labels_are_listed_each_with_the_others_label() -> None:
    pits = [f"p{number}" for number in range(len(TRUE))]
    pairs = [(3, 5, "looks the same as"), (3, 6, "identical to"), (50, 51, "identical to")]
    found = contradictions(judged(), pairs, pits)
    assert [(one.index, one.suggested, one.agreed) for one in found] == [
        (3, "candidate", 5),
        (5, "bottom", 0),
        (6, "bottom", 0),
    ]
    assert found[0].reason == "looks the same as p5, labelled candidate; identical to p6, labelled candidate"
    assert found[0].sure is not None and found[0].sure > 0.8
    assert found[1].sure is not None and found[1].sure < 0.2


def test_of_neighbours_with_a_label_each_only_those_are_listed_that_networks_contradict() -> None:
    found = contradictions(judged(), [(3, 5, OVERLAPS), (10, 50, OVERLAPS)], [f"p{number}" for number in range(150)])
    assert [(one.index, one.suggested, one.reason) for one in found] == [
        (3, "candidate", "shares plastic with p5, labelled candidate")
    ]


def test_a_contradiction_that_nothing_could_judge_is_listed_last() -> None:
    found = judged()
    labels = found.labels.copy()
    labels[5] = "rare"
    both = contradictions(replace(found, labels=labels), [(3, 5, "identical to")], [f"p{number}" for number in range(150)])
    assert [(one.index, one.suggested, one.sure, one.agreed) for one in both] == [(3, "rare", None, 0), (5, "bottom", None, 0)]
    merged = merge(find_suspects(found), both)
    assert [one.index for one in merged][-2:] == [3, 5]


def test_a_pit_that_is_both_is_listed_once_with_both_reasons() -> None:
    found = find_suspects(judged())
    again = contradictions(judged(), [(3, 5, "identical to")], [f"p{number}" for number in range(150)])
    merged = merge(found, again)
    assert len(merged) == len(found) + 1
    both = next(one for one in merged if one.index == 3)
    assert both.reason == "networks disagree with the label; identical to p5, labelled candidate"
    assert merged[-1].index == 5


def test_equally_sure_pits_keep_their_order() -> None:
    same = [Suspect(index, "top", "bottom", 0.7, 1, 1, "x") for index in (4, 2)]
    assert [one.index for one in merge(same, ())] == [2, 4]


def test_probabilities_are_a_mean_over_those_that_judged() -> None:
    values: Floats = np.array([[[0.8, 0.2]], [[np.nan, np.nan]], [[0.4, 0.6]]])
    found = LabelScores(values, ("a", "b"), np.array(["a"]))
    assert found.mean[0] == pytest.approx([0.6, 0.4])
    assert found.repeats.tolist() == [2]
