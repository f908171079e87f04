"""Scores out of fold are gathered as they were recorded, and pass thresholds as acceptance is quoted."""

from __future__ import annotations

import numpy as np
import pytest

from foils import Dataset
from search.analysis.out_of_fold import bar, scored_pits, scores_of_trial
from search.selection.confirmations import Confirmation, confirmation_request
from search.statistics.bootstrap import Pits, draw_acceptance
from search.studies.study import Study
from search.trials.configuration import config_of
from search.trials.records import RungResult
from tests.support.scored_pits import scored_pits as made_up


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3])
def test_pits_pass_as_the_bootstrap_and_the_quoted_share_count_them(rate: float) -> None:
    # 320 background pits: at 0.01 one threshold holds for all folds, at 0.3 each has its own.
    scored = made_up()
    shares = scored.accepted(rate)[:, scored.signals].mean(1)
    drawn = draw_acceptance(
        Pits(scored.groups, scored.is_signal, scored.is_scored), list(scored.scores), list(scored.folds), rate, draws=2
    )
    assert shares.tolist() == pytest.approx(drawn.by_repeat)
    assert scored.fitted(rate).value == pytest.approx(shares.mean())
    assert scored.accepted(rate)[:, scored.backgrounds].mean() <= rate


def test_of_few_background_pits_all_may_pass() -> None:
    assert bar(np.array([0.2, 0.9, 0.5]), 0.34) == 0.5
    assert bar(np.array([0.2, 0.9]), 1.0) == -np.inf
    assert bar(np.array([]), 0.05) == -np.inf


def test_a_trial_has_the_scores_that_its_acceptance_is_quoted_of(finished: Study, tiny: Dataset) -> None:
    plan, trial = finished.plan, finished.trial(0)
    data = plan.search_set(tiny)
    scored = scores_of_trial(trial, plan, data)
    assert scored is not None
    assert scored.source == "trial 0, on the split of the search"
    assert (scored.is_signal == data.is_signal).all() and (scored.is_scored == data.is_scored).all()
    assert scored.folds.tolist() == [list(plan.folds)]
    quoted = RungResult.demand(trial).quoted.value
    assert scored.fitted(plan.options.working_point).value == pytest.approx(quoted, abs=0.03)
    without = scores_of_trial(trial, plan)
    assert without is not None
    assert len(set(without.groups)) == len(plan.folds)


def test_a_trial_that_left_out_folds_has_none(finished: Study) -> None:
    trial = finished.trial(0)
    trial.user_attrs["reached"]["rung"] = "1x1"
    assert scores_of_trial(trial, finished.plan) is None
    trial.user_attrs = {}
    assert scores_of_trial(trial, finished.plan) is None


def test_confirmations_come_before_the_split_of_the_search_where_the_data_is_at_hand(finished: Study, tiny: Dataset) -> None:
    plan, trial = finished.plan, finished.trial(1)
    data = plan.search_set(tiny)
    scores = np.linspace(0, 1, len(data))
    confirmation = Confirmation(scores, (1,) * 5, (2,) * 5, (0.9,) * 5, ("learned",) * 5, (0,) * 5, 30, 1.0)
    records = {(1, 0): confirmation, (1, 1): confirmation, (2, 0): confirmation}
    scored = scored_pits(trial, plan, records, data)
    assert scored is not None
    assert scored.source == "trial 1, confirmed on 2 fresh splits"
    assert scored.scores.tolist() == [scores.tolist()] * 2
    for repeat, folds in enumerate(scored.folds):
        assert tuple(folds) == confirmation_request(plan, data, config_of(trial), 1, repeat).folds
    without = scored_pits(trial, plan, records)
    assert without is not None
    assert without.repeats == 1
