"""Confirming: what is trained again, on what, and that nothing finished is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from foils import Dataset
from search.errors import StudyError
from search.seeds import derive_seed
from search.selection import confirm as confirming
from search.selection.confirm import ConfirmOptions, choose_entrants, confirm
from search.selection.confirmations import (
    APART,
    CONFIRMATION,
    Confirmation,
    confirmation_request,
    read_confirmations,
    write_confirmation,
)
from search.studies.study import Study, open_or_create
from search.training.cross_validation import CVRequest, Repeat, train_repeat
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from spaces import Config
from spaces.choices.networks import Network
from tests.support.studies import with_options
from tests.support.trials import PLAN, reached, recipe, written


def trial_of(accepted: int, number: int, width: int = 16, verdicts: str = "lllll", auc: float = 0.9) -> FrozenTrial:
    """Make a complete trial that accepted so many of 100 signal pits."""
    names = {"l": "learned", "c": "collapsed"}
    found = reached(
        accepted=(accepted, 0, 0, 0, 0),
        signals=(100, 0, 0, 0, 0),
        auc=(auc,) * 5,
        verdicts=tuple(names[letter] for letter in verdicts),
    )
    config = Config(network=Network("pitnet", depth=3, width=width))
    trial = create_trial(value=accepted / 100, user_attrs=written(recipe(config), found))
    trial.number = number
    return trial


def test_the_best_of_the_search_enter_each_configuration_once() -> None:
    trials = [trial_of(80, 0), trial_of(90, 1), trial_of(85, 2, 8), trial_of(85, 3, 4, auc=0.95), trial_of(99, 4, 2, "lclll")]
    assert [trial.number for trial in rank_trials(trials)] == [4, 1, 3, 2]
    assert [trial.number for trial in choose_entrants(trials, PLAN, 2)] == [4, 1]


def test_of_a_study_with_two_objectives_the_front_enters() -> None:
    plan = with_options(PLAN, objectives=("acceptance", "cost"))
    trials = [trial_of(90, 0, 16), trial_of(80, 1, 8), trial_of(70, 2, 12)]
    for trial, cost in zip(trials, (300.0, 100.0, 200.0), strict=True):
        found = RungResult.demand(trial)
        path = {"acceptance": [found.accepted[0] / 100], "cost": [cost]}
        trial.user_attrs = {**trial.user_attrs, **replace(found, steps=(150,), path=path).attribute()}
    assert [trial.number for trial in choose_entrants(trials, plan, 5)] == [0, 1]


def test_trials_that_are_not_complete_do_not_enter(finished: Study) -> None:
    study = finished.optuna
    study.ask()
    study.tell(study.ask(), state=TrialState.FAIL)
    assert {trial.number for trial in rank_trials(study.trials)} == {0, 1, 2}


def test_splits_are_fresh_and_the_same_for_all_and_seeds_are_not(finished: Study, tiny: Dataset) -> None:
    plan = finished.plan
    searched = plan.search_set(tiny)
    asks = [confirmation_request(plan, searched, Config(), trial, repeat) for trial in (0, 1) for repeat in (0, 1)]
    assert asks[0].folds == asks[2].folds
    assert len({ask.folds for ask in asks} | {plan.folds}) == 3
    assert len({ask.seed for ask in asks}) == 4
    for ask in asks:
        assert all(len(set(np.array(ask.folds)[searched.groups == group])) == 1 for group in set(searched.groups))


def test_a_confirmation_comes_back_bit_for_bit(finished: Study) -> None:
    scores = np.random.default_rng(0).random(len(finished.plan.folds)).astype(np.float32).astype(np.float64)
    verdicts = ("learned", "collapsed", "learned", "learned", "learned")
    counts, auc = (1, 2, 3, 4, 5), (0.5, 0.75, 1.0, 1.0, 1.0)
    made = Repeat(np.stack([scores, 1 - scores], 1), counts, counts, auc, verdicts, (0, 1, 0, 0, 0), 9, 1.25)
    write_confirmation(finished.optuna, 2, 1, made)
    found = read_confirmations(finished.optuna)
    assert set(found) == {(2, 1)}
    assert np.array_equal(found[2, 1].scores, scores)
    assert found[2, 1].verdicts == verdicts


def test_a_race_trains_every_entrant_on_every_split(finished: Study, tiny: Dataset) -> None:
    told: list[tuple[int, int]] = []
    race = confirm(
        finished, ConfirmOptions(top=2, repeats=2, reliability=0.0), workers=1, progress=lambda *counts: told.append(counts)
    )
    assert [len(entrant.repeats) for entrant in race] == [2, 2]
    assert told[-1] == (4, 4)
    plan = finished.plan
    for entrant in race:
        ask = confirmation_request(plan, plan.search_set(tiny), entrant.config, entrant.number, 1)
        alone = train_repeat(ask)
        assert np.array_equal(entrant.repeats[1].scores, alone.scores)
        own = RungResult.demand(finished.trial(entrant.number))
        restarts = sum(own.reseeds) - sum(own.needless)
        restarts += sum(sum(one.reseeds) - sum(one.needless) for one in entrant.repeats)
        assert entrant.tally.trainings == 15 + restarts
    assert ask.seed == derive_seed(plan.options.seed, APART, 1, race[-1].number)


def test_finished_repeats_are_kept_and_not_trained_again(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = confirm(finished, ConfirmOptions(top=2, repeats=1, reliability=0.0), workers=1)
    train, trained = confirming._train, list[int]()

    def counted(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
        trained.append(item[0])
        return train(item)

    monkeypatch.setattr(confirming, "_train", counted)
    again = confirm(finished, ConfirmOptions(top=2, repeats=1, reliability=0.0), workers=1)
    assert not trained
    assert [one.number for one in again] == [one.number for one in first]
    confirm(finished, ConfirmOptions(top=2, repeats=2, reliability=0.0), workers=1)
    assert sorted(trained) == sorted(one.number for one in first)


def test_what_is_stopped_keeps_what_was_finished(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    train, trained = confirming._train, list[int]()

    def stopped(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
        if trained:
            raise KeyboardInterrupt
        trained.append(item[0])
        return train(item)

    monkeypatch.setattr(confirming, "_train", stopped)
    with pytest.raises(KeyboardInterrupt):
        confirm(finished, ConfirmOptions(top=2, repeats=1, reliability=0.0), workers=1)
    assert [key for key in finished.optuna.user_attrs if key.startswith(CONFIRMATION)] == [f"{CONFIRMATION}:{trained[0]}:0"]


def stand_in(shares: dict[int, float], verdict: str = "learned") -> object:
    """Give a training that accepts a known share of 20 signal pits a fold, in place of the real one."""

    def train(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
        number, ask = item
        generator = np.random.default_rng(ask.seed)
        accepted = tuple(generator.binomial(20, shares[number], 5).tolist())
        passes = generator.random(len(ask.data)) < shares[number]
        scores = np.where(ask.data.is_signal, np.where(passes, 0.9, 0.1), 0.5)
        probabilities = np.stack([scores, 1 - scores], 1)
        return number, Repeat(probabilities, accepted, (20,) * 5, (0.9,) * 5, (verdict,) * 5, (0,) * 5, 30, 1.0)

    return train


def test_what_can_no_longer_win_is_trained_no_further(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "_train", stand_in({0: 0.95, 1: 0.3, 2: 0.93}))
    told: list[tuple[int, int]] = []
    terms = ConfirmOptions(top=3, repeats=5, reliability=0.0)
    race = confirm(finished, terms, workers=1, progress=lambda *counts: told.append(counts))
    assert [entrant.number for entrant in race] == [0, 2, 1]
    assert [len(entrant.repeats) for entrant in race[:2]] == [5, 5]
    rounds = len(race[2].repeats)
    assert 2 <= rounds < 5  # one repeat says nothing of what seeds do
    assert str(race[2].dropped).startswith(f"lost the race after {rounds} of 5: -0.")
    # Repeats that are no longer trained are no longer waited for.
    assert (told[0], told[-1]) == ((0, 15), (10 + rounds, 10 + rounds))


def test_what_cannot_pass_the_bar_any_more_is_trained_no_further(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "_train", stand_in({0: 0.9, 1: 0.9, 2: 0.9}, "collapsed"))
    race = confirm(finished, ConfirmOptions(top=3, repeats=4, reliability=0.8), workers=1)
    assert {len(entrant.repeats) for entrant in race} == {0, 1}  # none where the search's own trainings rule it out
    assert "cannot pass 0.8 within 4 repeats" in str(race[0].dropped)


def test_terms_out_of_range_are_refused() -> None:
    with pytest.raises(StudyError, match="`top >= 1` must hold, but got 0"):
        ConfirmOptions(top=0)
    with pytest.raises(StudyError, match="`0 <= reliability < 1` must hold, but got 1"):
        ConfirmOptions(reliability=1)


def test_a_study_without_a_complete_trial_is_refused(finished: Study) -> None:
    empty = open_or_create("empty", finished.storage, finished.plan)
    with pytest.raises(StudyError, match="study 'empty' must have a complete trial, but has none"):
        confirm(empty)


def test_confirmations_are_told_apart_from_all_else(finished: Study) -> None:
    assert read_confirmations(finished.optuna) == {}
    assert Confirmation.__dataclass_fields__.keys() <= Repeat.__dataclass_fields__.keys() | {"scores"}
