"""What goes with failures and low scores: planted effects come out, chance alone does not; no variation, no effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from models.metrics import Floats
from search.analysis.permutation_tests import Effect, member_effects, table_effects


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tests at once need not know p to four digits."""
    monkeypatch.setattr("search.analysis.permutation_tests.RESAMPLES", 499)


def planted(fold: float, seed: float, noise: float, number: int = 0) -> Floats:
    """Make a table of 5 seeds and 5 folds: fold 2 lower by `fold`, seed 3 by `seed`, and noise."""
    table = 0.8 + noise * np.random.default_rng(number).normal(size=(5, 5))
    table[:, 2] -= fold
    table[3] -= seed
    return table


def test_a_fold_that_is_lower_for_every_seed_is_an_effect_of_the_fold() -> None:
    found = table_effects(planted(0.2, 0.0, 0.02))
    assert found.fold.p < 0.01
    assert found.fold.size > 0.8
    assert found.seed.p > 0.05
    assert found.seed.size < 0.1


def test_a_seed_that_is_lower_in_every_fold_is_an_effect_of_the_seed() -> None:
    found = table_effects(planted(0.0, 0.2, 0.02))
    assert (found.seed.p, found.fold.p) < (0.01, 1.0)
    assert found.fold.p > 0.05
    assert found.seed.size > 0.8


def test_effects_have_the_size_of_the_textbook() -> None:
    # Sums of squares by hand: folds 2 * (0.2**2 + 0.2**2) = 0.16, seeds 2 * 2 * 0.1**2 = 0.04, left over 0.
    found = table_effects(np.array([[0.3, 0.7], [0.5, 0.9]]))
    assert (found.fold.size, found.seed.size) == pytest.approx((0.8, 0.2))
    # Four equally likely tables; two of them, mirror images, have as much.
    assert (found.fold.p, found.seed.p) == (0.5, 0.5)


def test_failures_that_are_chance_alone_are_an_effect_no_more_often_than_1_in_20(few_resamples: None) -> None:
    generator = np.random.default_rng(3)
    tables = [(generator.random((5, 5)) < share).astype(float) for share in (0.1, 0.2, 0.4, 0.6) for _ in range(25)]
    for cause in ("fold", "seed"):
        passed = sum(getattr(table_effects(table), cause).p > 0.05 for table in tables)
        assert binomtest(passed, len(tables), 0.95, alternative="less").pvalue > 0.01


def test_failures_in_one_fold_alone_are_an_effect_of_the_fold() -> None:
    table = np.zeros((5, 5))
    table[:4, 1] = 1
    assert table_effects(table).fold.p < 0.01


@pytest.mark.parametrize("value", [0.0, 1.0, 0.8])
def test_a_table_without_variation_has_no_effect(value: float) -> None:
    found = table_effects(np.full((5, 5), value))
    assert found.fold == found.seed == Effect(1.0, 0.0)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=3, max_size=3), min_size=2, max_size=4))
def test_whatever_the_table_p_is_a_probability_and_sizes_are_shares(rows: list[list[float]]) -> None:
    for effect in vars(table_effects(np.array(rows))).values():
        assert 0 < effect.p <= 1
        assert 0 <= effect.size <= 1


LABELS = np.array(["bottom"] * 240 + ["candidate"] * 60)
# 60 slides of five pits.
SLIDES = [f"s1:{number % 60}" for number in range(300)]
ALONE = np.arange(300)


def errors(number: int = 0) -> Floats:
    """Draw errors that are small for the frequent label, large for the rare, and long-tailed for both."""
    generator = np.random.default_rng(number)
    return np.where(LABELS == "bottom", generator.beta(0.2, 2.0, 300), generator.beta(0.5, 1.0, 300))


def test_a_slide_with_wrong_labels_is_named_first() -> None:
    planted = errors()
    wrong = np.array([slide == "s1:7" for slide in SLIDES])
    planted[wrong] = 0.95
    first, second, *_ = member_effects(planted, LABELS, SLIDES, ALONE)
    assert (first.name, first.pits) == ("s1:7", 5)
    assert first.p < 0.01
    assert first.error == pytest.approx(0.95)
    assert first.excess > 0.5
    assert second.p > 0.05


def test_the_worst_slide_of_chance_alone_is_named_no_more_often_than_1_in_20(few_resamples: None) -> None:
    worst = [member_effects(errors(number), LABELS, SLIDES, ALONE)[0].p for number in range(1, 41)]
    assert binomtest(sum(p > 0.05 for p in worst), len(worst), 0.95, alternative="less").pvalue > 0.01
    # Nor is the test so shy that chance never reaches the bound's neighbourhood.
    assert min(worst) < 0.2


def test_a_slide_is_not_blamed_for_holding_the_harder_label() -> None:
    slides = ["rare" if label == "candidate" else f"other{number % 8}" for number, label in enumerate(LABELS)]
    found = member_effects(errors(), LABELS, slides, ALONE)
    rare = next(member for member in found if member.name == "rare")
    assert rare.p > 0.9
    assert rare.excess == pytest.approx(0.0, abs=1e-12)


def test_groups_are_dealt_out_whole(few_resamples: None) -> None:
    # Forty pairs, each wrong or right as one, over twenty slides: taken apart they would look like many witnesses.
    def worst(groups: np.ndarray[tuple[int], np.dtype[np.int64]], number: int) -> float:
        wrong = np.repeat(np.random.default_rng(number).random(40) < 0.2, 2).astype(float)
        slides = [f"s{place // 4}" for place in range(80)]
        return member_effects(wrong, np.array(["bottom"] * 80), slides, groups)[0].p

    together = [worst(np.repeat(np.arange(40), 2), number) for number in range(10)]
    apart = [worst(np.arange(80), number) for number in range(10)]
    assert all(one >= other for one, other in zip(together, apart, strict=True))
    assert np.mean(together) > np.mean(apart)


def test_nothing_that_varies_gives_no_slide() -> None:
    found = member_effects(np.full(20, 0.3), np.array(["top"] * 20), [f"s{number % 4}" for number in range(20)], np.arange(20))
    assert {member.p for member in found} == {1.0}
    assert all(member.excess == pytest.approx(0) for member in found)
