"""Balance: class weights follow the documented formula, and keep the loss's scale."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.choices.balance import BALANCES, class_weights

counts = st.lists(st.integers(1, 2000), min_size=2, max_size=5)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(counts=counts, name=st.sampled_from(sorted(BALANCES)))
def test_weights_are_positive_and_rarer_classes_weigh_no_less(counts: list[int], name: str) -> None:
    weights = class_weights(name, counts)
    assert len(weights) == len(counts)
    assert all(weight > 0 and math.isfinite(weight) for weight in weights)
    by_count = [weight for _, weight in sorted(zip(counts, weights, strict=True), reverse=True)]
    assert by_count == sorted(by_count)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(counts=counts)
def test_weighted_classes_weigh_the_same_in_all(counts: list[int]) -> None:
    weights = class_weights("weighted", counts)
    for count, weight in zip(counts, weights, strict=True):
        assert count * weight == pytest.approx(sum(counts) / len(counts))


def test_no_balance_weighs_every_example_the_same() -> None:
    assert class_weights("none", [7, 1, 900]) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("name", BALANCES)
def test_a_class_without_examples_has_a_finite_weight(name: str) -> None:
    assert BALANCES[name].meaning
    assert all(math.isfinite(weight) and weight > 0 for weight in class_weights(name, [12, 0]))
