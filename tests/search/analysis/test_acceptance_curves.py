"""The curve of acceptance is the quoted one at every rate; histograms, calibration and parts count every pit once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.inference.calibration import calibration_error
from search.analysis.acceptance_curves import acceptance_curve, accepted_parts, calibration_curve, calibrations, histograms
from search.statistics.intervals import grouped_wilson
from tests.support.scored_pits import scored_pits


def test_a_curve_passes_through_the_quoted_acceptance_and_stays_between_0_and_1() -> None:
    scored = scored_pits(2000)  # folds of over 200 background pits have thresholds of their own at 0.1
    curve = acceptance_curve("best", scored, (0.1, 0.01))
    assert curve.trainings == 10
    assert (np.diff(curve.rates) > 0).all() and (np.diff(curve.acceptance) >= 0).all()
    assert (curve.low <= curve.acceptance + 0.05).all() and (curve.acceptance <= curve.high + 0.05).all()
    assert curve.acceptance[-1] == 1.0
    for rate, share in curve.points:
        assert share == scored.fitted(rate).share
    assert curve.acceptance[curve.rates == 0.1] == pytest.approx(curve.points[0][1].value)


def test_folds_too_small_for_a_threshold_share_one_all_along_the_curve() -> None:
    scored = scored_pits(200, repeats=1)
    curve = acceptance_curve("best", scored, (0.05,))
    assert curve.points[0][1].is_pooled
    assert curve.acceptance[curve.rates == 0.05] == pytest.approx(curve.points[0][1].value)


def test_separable_scores_are_accepted_whole_at_the_lowest_rate() -> None:
    scored = scored_pits(300, repeats=1)
    perfect = replace(scored, scores=np.where(scored.is_signal, 0.9, 0.1)[None])
    curve = acceptance_curve("best", perfect, (0.05,))
    assert (curve.acceptance == 1).all() and (curve.low == 1).all()


def test_a_histogram_counts_every_pit_of_a_label() -> None:
    scored = scored_pits(50, repeats=3)
    labels = np.where(scored.is_signal, "candidate", "top")
    parts = histograms(scored, labels, ("candidate", "top", "misc"))
    assert [(part.name, part.pits) for part in parts] == [("candidate", 10), ("top", 40)]
    assert all(part.shares.sum() == pytest.approx(1) for part in parts)
    # The upper half of the bins holds the scores from 0.5 on, but for the bin that 0.5 lies within.
    assert parts[0].shares[13:].sum() == pytest.approx((scored.scores[:, scored.is_signal] >= 0.52).mean())


def test_calibration_brings_probabilities_to_the_shares_of_signal() -> None:
    scored = scored_pits(2000)
    before, after = calibrations(scored)
    assert after.error < before.error
    assert sum(one.pits for one in before.bins) == pytest.approx(scored.is_scored.sum())
    scores, is_signal = scored.scores[0], scored.is_signal
    curve = calibration_curve("one", scores, is_signal)
    assert curve.error == pytest.approx(calibration_error(scores, is_signal))
    assert all(one.share.low <= one.share.value <= one.share.high for one in curve.bins)


def test_repeats_make_no_interval_narrower() -> None:
    scored = scored_pits(100, repeats=1)
    twice = replace(scored, scores=np.tile(scored.scores, (2, 1)), folds=np.tile(scored.folds, (2, 1)))
    names = np.where(np.arange(100) < 60, "a", "b")
    assert accepted_parts(twice, 0.1, names, scored.is_scored) == accepted_parts(scored, 0.1, names, scored.is_scored)
    once, again = (
        calibration_curve("x", one.scores.ravel(), np.tile(one.is_signal, one.repeats), one.repeats) for one in (scored, twice)
    )
    assert again.bins[0].share.high == pytest.approx(once.bins[0].share.high, abs=0.05)


def test_parts_are_those_of_the_pits_that_count_largest_first() -> None:
    scored = scored_pits(200, repeats=1)
    names = np.array([f"s{number % 3}" for number in range(200)])
    parts = accepted_parts(scored, 0.1, names, scored.signals)
    assert [part.pits for part in parts] == sorted((part.pits for part in parts), reverse=True)
    assert sum(part.pits for part in parts) == scored.signals.sum()
    passes = scored.accepted(0.1)[0]
    for part in parts:
        members = scored.signals & (names == part.name)
        # No two of these pits share plastic but 0 and 1, of which 1 is background.
        assert part.accepted == grouped_wilson(passes[members], scored.groups[members])
