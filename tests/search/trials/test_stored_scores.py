"""Scores of every rung in a trial's records: what survives, what it takes, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import create_trial

from search.errors import StudyError
from search.statistics.fitted import fit_acceptance
from search.studies.study import Study
from search.trials.records import RungResult
from search.trials.stored_scores import MOST, RungScores, pack_scores, read_scores

RUNG = "5x30"


def rung_scores(pits: int, seed: int = 0) -> RungScores:
    generator = np.random.default_rng(seed)
    is_signal = generator.random(pits) < 0.2
    log_odds = generator.normal(0, 4, pits) + 6 * is_signal
    folds = np.arange(pits) % 5
    classes = generator.integers(4, size=pits)
    return RungScores(1 / (1 + np.exp(-log_odds)), folds, is_signal, generator.random(pits) < 0.95, classes)


def test_a_rule_replayed_on_stored_scores_says_the_same() -> None:
    scores = rung_scores(1120)
    stored = read_scores(create_trial(value=0.0, user_attrs=pack_scores(RUNG, scores)), RUNG)
    assert stored is not None
    for name in ("folds", "is_signal", "is_scored", "classes"):
        assert (getattr(stored, name) == getattr(scores, name)).all()
    assert np.abs(np.log(stored.scores / scores.scores)).max() < 1e-3
    assert fit_acceptance(stored.by_fold(), 0.05) == fit_acceptance(scores.by_fold(), 0.05)


def test_a_trial_keeps_some_five_kilobytes() -> None:
    # Two rungs of one fold and two of five, 1,120 pits.
    size = sum(len(str(pack_scores("rung", rung_scores(pits)))) for pits in (224, 224, 1120, 1120))
    assert size < 11_000


def test_scores_of_nothing_and_all_are_kept() -> None:
    scores = RungScores(np.array([0.0, 1.0, 0.5]), np.zeros(3, np.int64), np.array([False, True, True]), np.ones(3, bool))
    stored = read_scores(create_trial(value=0.0, user_attrs=pack_scores(RUNG, scores)), RUNG)
    assert stored is not None
    assert stored.scores == pytest.approx([0, 1, 0.5], abs=1e-3)
    alike = RungScores(np.full(4, 0.25), np.zeros(4, np.int64), np.ones(4, bool), np.ones(4, bool))
    stored = read_scores(create_trial(value=0.0, user_attrs=pack_scores(RUNG, alike)), RUNG)
    assert stored is not None
    assert stored.scores == pytest.approx(0.25)


def test_what_no_text_field_holds_is_left_out() -> None:
    assert pack_scores(RUNG, rung_scores(100_000)) == {}
    assert all(len(str(values)) < MOST for values in pack_scores(RUNG, rung_scores(10_000)).values())


def test_an_old_trial_has_none_and_damage_is_named() -> None:
    assert read_scores(create_trial(value=0.0), RUNG) is None
    good = pack_scores(RUNG, rung_scores(10))[f"scores:{RUNG}"]
    for damage in ({"packed": "!"}, {"packed": good["packed"][:-8]}, {"low": float("nan")}, {"high": "x"}, {"format": 3}):
        trial = create_trial(value=0.0, user_attrs={f"scores:{RUNG}": {**good, **damage}})
        with pytest.raises(StudyError, match=r"the scores of trial -?\d+ on rung 5x30 must"):
            read_scores(trial, RUNG)


def test_classes_that_are_not_known_and_those_of_format_1_are_none() -> None:
    unknown = replace(rung_scores(10), classes=None)
    for number in (1, 2):
        attributes = {f"scores:{RUNG}": {**pack_scores(RUNG, unknown)[f"scores:{RUNG}"], "format": number}}
        stored = read_scores(create_trial(value=0.0, user_attrs=attributes), RUNG)
        assert stored is not None
        assert stored.classes is None
        assert (stored.is_signal == unknown.is_signal).all() and (stored.is_scored == unknown.is_scored).all()
    many = replace(unknown, classes=np.arange(10) + 60)
    stored = read_scores(create_trial(value=0.0, user_attrs=pack_scores(RUNG, many)), RUNG)
    assert stored is not None
    assert stored.classes is None


def test_a_search_keeps_the_scores_of_every_rung(finished: Study) -> None:
    plan = finished.plan
    for trial in finished.optuna.get_trials(deepcopy=False):
        reached = RungResult.demand(trial)
        for rung in plan.ladder.rungs[: [str(rung) for rung in plan.ladder.rungs].index(reached.rung) + 1]:
            stored = read_scores(trial, str(rung))
            assert stored is not None
            assert set(stored.folds) == set(range(rung.folds))
            # Of two classes the one with P(signal) above one half is signal.
            assert stored.classes is not None
            assert ((stored.classes == 0) == (stored.scores > 0.5)).all()
        top = read_scores(trial, reached.rung)
        assert top is not None
        assert fit_acceptance(top.by_fold(), plan.options.working_point).value == pytest.approx(reached.quoted.value, abs=0.03)
