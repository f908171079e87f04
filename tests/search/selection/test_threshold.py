"""Where a threshold is fixed: on calibrated scores out of fold of the pits that count, at a usual rate and a strict one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.inference.calibration import calibrated, fit_calibration
from models.metrics import score
from search import defaults
from search.selection.final_model import FinalModel, fix_threshold
from search.selection.pit_scores import OutOfFold
from tests.support.bundles import ensemble
from tests.support.grouped import grouped_pits, single_pits
from tests.support.trials import OPTIONS, PLAN

DATA = grouped_pits(single_pits(candidate=60, top=300, maybe=20))
RATE = 0.1


def raw(repeats: int = 2) -> OutOfFold:
    """Draw scores that are too sure of themselves; those of a few pits are missing, and those of `maybe` are the highest."""
    generator = np.random.default_rng(0)
    odds = generator.normal(0, 3, (repeats, len(DATA))) + 4 * DATA.is_signal - 2
    scores = 1 / (1 + np.exp(-odds))
    scores[:, ~DATA.is_scored] = 0.9999
    scores[0, np.flatnonzero(DATA.is_signal)[:3]] = np.nan
    scores[-1, np.flatnonzero(DATA.is_background)[:5]] = np.nan
    return OutOfFold(scores, [["0"] * len(DATA)] * repeats)


def fixed(scores: OutOfFold) -> FinalModel:
    plan = replace(PLAN, options=replace(OPTIONS, working_point=RATE))
    return fix_threshold(DATA, plan, ensemble(members=1), scores)


@pytest.mark.parametrize("repeats", [1, 2])
def test_thresholds_are_those_of_the_scored_pits_after_calibration(repeats: int) -> None:
    before = raw(repeats)
    final = fixed(before)
    assert list(final.thresholds) == [RATE, defaults.STRICT]
    assert final.out_of_fold is not None
    usable = DATA.is_scored & np.isfinite(before.scores)
    scores = final.out_of_fold.scores[usable]
    is_signal = np.tile(DATA.is_signal, (repeats, 1))[usable]
    for rate, threshold in final.thresholds.items():
        # Not one more background pit than the rate allows, and not one fewer.
        backgrounds = int((~is_signal).sum())
        passed = int((scores[~is_signal] >= threshold).sum())
        assert passed <= rate * backgrounds
        next_lower = float(scores[scores < threshold].max())
        assert score(scores, is_signal, threshold=next_lower).rejected < (1 - rate) * backgrounds
    assert final.thresholds[RATE] < final.thresholds[defaults.STRICT]


def test_the_calibration_is_that_of_the_scored_pits_and_is_the_ensembles() -> None:
    before = raw()
    final = fixed(before)
    usable = DATA.is_scored & np.isfinite(before.scores)
    expected = fit_calibration(before.scores[usable], np.tile(DATA.is_signal, (2, 1))[usable])
    assert final.calibration == expected
    assert (final.ensemble.temperature, final.ensemble.offset) == (expected.temperature, expected.offset)
    assert expected.temperature > 1.2 and abs(expected.offset) > 0.1  # else what follows says nothing
    assert final.out_of_fold is not None
    np.testing.assert_array_equal(final.out_of_fold.scores, calibrated(before.scores, expected.temperature, expected.offset))
    assert final.out_of_fold.folds == before.folds
    assert final.backgrounds == 300


def test_one_rate_that_is_the_strict_one_has_one_threshold() -> None:
    plan = replace(PLAN, options=replace(OPTIONS, working_point=defaults.STRICT))
    assert list(fix_threshold(DATA, plan, ensemble(members=1), raw()).thresholds) == [defaults.STRICT]
