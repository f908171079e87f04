"""Pits worth a look are those that the scores say, and planted wrong labels are among the suspects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from optuna.trial import FrozenTrial

from foils import Dataset
from search.analysis.odd_pits import BACKGROUND, doubted_labels, missed_signals, signal_like_background
from search.studies.study import Study
from search.trials.stored_scores import pack_scores, read_scores
from tests.support.scored_pits import scored_pits


def test_missed_and_passing_pits_are_those_beyond_the_thresholds_in_their_order() -> None:
    scored = scored_pits(repeats=3)
    passes = scored.accepted(0.1).sum(0)
    missed, passing = missed_signals(scored, 0.1), signal_like_background(scored, 0.1)
    assert {pit.index for pit in missed} == set(np.flatnonzero(scored.signals & (passes < 2)))
    assert {pit.index for pit in passing} == set(np.flatnonzero(scored.backgrounds & (passes >= 2)))
    assert [pit.score for pit in missed] == sorted(pit.score for pit in missed)
    assert [pit.score for pit in passing] == sorted((pit.score for pit in passing), reverse=True)
    assert all(pit.accepted == passes[pit.index] and pit.repeats == 3 for pit in (*missed, *passing))


def test_a_pit_whose_label_all_networks_contradict_is_a_suspect(finished: Study, tiny: Dataset) -> None:
    plan, trials = finished.plan, finished.optuna.get_trials()
    data = plan.search_set(tiny)
    wrong = int(np.flatnonzero(data.is_signal)[0])
    for trial in trials:
        _rescore(trial, data, wrong)
    suspects, judges = doubted_labels(trials, plan, data)
    assert judges == len({str(trial.user_attrs["recipe"]["config"]) for trial in trials})
    assert [(one.index, one.label, one.suggested) for one in suspects] == [(wrong, "candidate", BACKGROUND)]
    assert suspects[0].agreed == suspects[0].judged == judges


def test_pits_of_the_same_plastic_on_two_sides_are_suspects_even_without_scores(finished: Study, tiny: Dataset) -> None:
    plan, trials = finished.plan, finished.optuna.get_trials()
    for trial in trials:
        trial.user_attrs = {name: value for name, value in trial.user_attrs.items() if not name.startswith("scores:")}
    data = plan.search_set(tiny)
    assert doubted_labels(trials, plan, data) == ((), 0)
    signal, background = int(np.flatnonzero(data.is_signal)[0]), int(np.flatnonzero(data.is_background)[0])
    unscored = int(np.flatnonzero(~data.is_scored)[0])
    groups = data.groups.copy()
    groups[[background, unscored]] = groups[signal]
    suspects, judges = doubted_labels(trials, plan, replace(data, groups=groups))
    assert judges == 0
    assert {(one.index, one.suggested, one.sure) for one in suspects} == {
        (signal, BACKGROUND, None),
        (background, "candidate", None),
    }
    assert suspects[0].reason.startswith("shares plastic with ")


def _rescore(trial: FrozenTrial, data: Dataset, wrong: int) -> None:
    """Give every pit the score that its label deserves, but for one."""
    stored = read_scores(trial, "5x6")
    assert stored is not None
    scores = np.where(data.is_signal, 0.95, 0.05)
    scores[wrong] = 0.05
    trial.user_attrs |= pack_scores("5x6", replace(stored, scores=scores))
    trial.user_attrs["reached"]["verdicts"] = ["learned"] * 5
