"""Judging: who is kept, why, and who wins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import FrozenTrial, create_trial

from foils import Dataset
from search.selection.candidates import Candidate, rank_candidates
from search.selection.confirm import ConfirmOptions, Entrant
from search.selection.confirmations import Confirmation, Drawn, confirmation_request
from search.selection.racing import optimism
from search.statistics.bootstrap import BootstrapShare
from search.studies.study import Study
from search.trials.records import RungResult
from search.trials.reliability import Tally
from spaces import Config
from spaces.choices.networks import Network
from tests.support.trials import reached, recipe, written

TERMS = ConfirmOptions(top=4, repeats=2)
SOUND = Tally(15, 0, 15)


def trial_of(number: int, width: int) -> FrozenTrial:
    found: RungResult = reached(accepted=(10,) * 5)
    config = Config(network=Network("pitnet", depth=2, width=width))
    trial = create_trial(value=1.0, user_attrs=written(recipe(config), found))
    trial.number = number
    return trial


def entrant(study: Study, data: Dataset, trial: FrozenTrial, share: float, tally: Tally = SOUND) -> Entrant:
    """Make one whose scores accept about this share of the signal pits in every repeat, the same pits for any share below."""
    config = Config.from_dict(trial.user_attrs["recipe"]["config"])
    plan, searched = study.plan, study.plan.search_set(data)
    found = []
    for repeat in range(TERMS.repeats):
        folds = np.array(confirmation_request(plan, searched, config, trial.number, repeat).folds)
        place = np.zeros(len(searched))
        place[searched.is_signal] = np.linspace(0, 1, int(searched.is_signal.sum()), endpoint=False)
        scores = np.where(searched.is_signal, np.where(place < share, 0.9, 0.1), 0.5)
        counts = (1,) * (int(folds.max()) + 1)
        found.append(Confirmation(scores, counts, counts, (0.9,) * 5, ("learned",) * 5, (0,) * 5, 30, 1.0))
    return Entrant(trial.number, config, tuple(found), tally, None)


def judged(
    study: Study, data: Dataset, *field: tuple[int, float, Tally], terms: ConfirmOptions = TERMS
) -> dict[int, Candidate]:
    """Judge entrants given as width, share and tally; their trials are numbered from 0, and one more did not enter."""
    trials = [trial_of(number, width) for number, (width, _, _) in enumerate(field)]
    race = [entrant(study, data, trial, share, tally) for trial, (_, share, tally) in zip(trials, field, strict=True)]
    found = rank_candidates([*trials, trial_of(9, 6)], race, terms, study.plan, study.plan.search_set(data))
    assert list(found)[-1].number == 9
    return {candidate.number: candidate for candidate in found}


def test_of_equals_the_cheaper_wins(finished: Study, tiny: Dataset) -> None:
    found = judged(finished, tiny, (16, 0.8, SOUND), (8, 0.8, SOUND), (4, 0.3, SOUND))
    assert found[1].wins
    assert found[1].reason.startswith("winner: within one standard error of trial 0, at 0.")
    assert found[0].reason.startswith("kept, equal to the winner at ")
    assert found[0].cost > found[1].cost
    assert found[2].reason == "kept, beaten by trial 0"


def test_the_better_wins_whatever_it_costs(finished: Study, tiny: Dataset) -> None:
    found = judged(finished, tiny, (4, 0.5, SOUND), (16, 0.9, SOUND))
    assert found[1].reason == "winner"
    assert [number for number in found if found[number].kept] == [1, 0]
    assert found[1].confirmed is not None
    assert found[1].confirmed.low < found[1].confirmed.value == pytest.approx(0.9, abs=0.05)


def test_the_winners_acceptance_is_also_given_without_what_choosing_flatters_it_by(finished: Study, tiny: Dataset) -> None:
    # Entrants that accept other pits, and so as many: which is the best is chance.
    drawn = [BootstrapShare(0.8, np.random.default_rng(number).normal(0.8, 0.03, 500), 100) for number in range(3)]
    assert 0.02 < optimism([Drawn(one, one) for one in drawn]) < 0.03
    alike = judged(finished, tiny, (4, 0.8, SOUND), (8, 0.75, SOUND), (16, 0.8, SOUND))
    winner = next(one for one in alike.values() if one.wins)
    assert winner.confirmed is not None and winner.unflattered is not None
    assert winner.unflattered.value <= winner.confirmed.value and winner.unflattered.low <= winner.confirmed.low
    assert all(one.unflattered is None for one in alike.values() if not one.wins)
    alone = judged(finished, tiny, (4, 0.8, SOUND))[0]
    assert alone.unflattered == alone.confirmed


def test_what_learns_too_seldom_or_overtrains_is_dropped(finished: Study, tiny: Dataset) -> None:
    found = judged(finished, tiny, (4, 0.9, Tally(12, 0, 15)), (8, 0.95, Tally(43, 6, 50)), (16, 0.5, SOUND))
    assert found[2].wins
    assert found[0].reason == "dropped: its reliability's lower bound does not pass 0.8"
    assert found[1].reason == "dropped: its reliability's lower bound does not pass 0.8"
    lenient = replace(TERMS, reliability=0.7)
    assert (
        judged(finished, tiny, (8, 0.95, Tally(43, 6, 50)), terms=lenient)[0].reason == "dropped: 6 of 50 trainings overtrained"
    )


def test_what_was_not_confirmed_cannot_win(finished: Study, tiny: Dataset) -> None:
    found = judged(finished, tiny, (8, 0.2, SOUND))
    assert found[0].wins
    assert (found[9].kept, found[9].confirmed, found[9].reason) == (False, None, "not confirmed: not among the best 4")
