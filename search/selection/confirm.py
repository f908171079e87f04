"""Confirm: train a study's best configurations again on fresh splits and seeds, and race them.

Every finished repeat is kept in the study, so that the same command goes on where it stopped, and more repeats build on fewer.
What the search itself found is not in the race: it was chosen for its luck, too. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from joblib import cpu_count
from optuna.trial import FrozenTrial

from foils import Dataset
from search import defaults
from search.errors import StudyError
from search.selection.confirmations import Confirmation, ask_for, keep, kept
from search.selection.racing import error_of_each, is_lost, lag
from search.studies.pareto import front_numbers
from search.studies.plan import Plan
from search.studies.study import Study, study_data
from search.training.cross_validation import CVRequest, Repeat, cross_validate, summarise_folds
from search.training.fold_cache import keep_members
from search.training.pool import parallel_map
from search.trials.objectives import second_of
from search.trials.ranking import rank_trials
from search.trials.records import Recipe, RungResult
from search.trials.reliability import Tally, tally
from spaces import Config


@dataclass(frozen=True)
class Entrant:
    """A configuration in the race.

    `number`: its trial; `repeats`: its confirmations; `tally`: of all its trainings, the trial's own among them; `dropped`: why
    it left the race, None for one that ran to the end.
    """

    number: int
    config: Config
    repeats: tuple[Confirmation, ...]
    tally: Tally
    dropped: str | None


@dataclass(frozen=True)
class ConfirmOptions:
    """How to confirm: the best `top` trials, `repeats` times each; `reliability`: the bar that its lower bound is to pass."""

    top: int = defaults.TOP
    repeats: int = defaults.CONFIRMATIONS
    reliability: float = defaults.RELIABILITY

    def __post_init__(self) -> None:
        for name, value in (("top", self.top), ("repeats", self.repeats)):
            if value < 1:
                raise StudyError(f"`{name} >= 1` must hold, but got {value}; choose a larger number.")
        if not 0 <= self.reliability < 1:
            raise StudyError(f"`0 <= reliability < 1` must hold, but got {self.reliability}; choose e.g. 0.8.")


def confirm(
    study: Study,
    terms: ConfirmOptions | None = None,
    *,
    data: str | Path | Dataset | None = None,
    workers: int | None = None,
    done: Callable[[int, int], None] = lambda finished, of: None,
) -> tuple[Entrant, ...]:
    """Train the best configurations of a study again, and drop those that can no longer win; the best first.

    `data`: where the study's data is now, if it has moved; `workers`: processes, one a core by default, which change no number;
    `done` is told of each repeat that ended, and of how many there may be. Raises StudyError where no trial is complete.
    """
    terms, opened, plan = terms or ConfirmOptions(), study.optuna, study.plan
    searched = plan.search_set(data if isinstance(data, Dataset) else study_data(study, data))
    chosen = entrants(opened.get_trials(deepcopy=False), plan, terms.top)
    if not chosen:
        raise StudyError(f"study {study.name!r} must have a complete trial, but has none; launch more trials.")
    there, racing = kept(opened), [*chosen]
    dropped: dict[int, str] = {}
    _drop_lost(racing, dropped, there, 0, terms, plan)
    finished, most = 0, len(racing) * terms.repeats
    for repeat in range(terms.repeats):
        missing = [trial for trial in racing if (trial.number, repeat) not in there]
        finished += len(racing) - len(missing)
        done(finished, most)
        asks = [(trial.number, ask_for(plan, searched, config_of(trial), trial.number, repeat)) for trial in missing]
        for number, found in parallel_map(_train, asks, min(workers or cpu_count(), max(len(asks), 1))):
            there[number, repeat] = keep(opened, number, repeat, found)
            finished += 1
            done(finished, most)
        _drop_beaten(racing, dropped, there, repeat + 1, terms)
        _drop_lost(racing, dropped, there, repeat + 1, terms, plan)
    made = [_entrant(trial, there, dropped.get(trial.number), terms.repeats) for trial in chosen]
    return tuple(sorted(made, key=lambda entrant: (entrant.dropped is not None, -mean_acceptance(entrant.repeats))))


def config_of(trial: FrozenTrial) -> Config:
    """Read a trial's configuration."""
    return Config.from_dict(Recipe.demand(trial).config)


def entrants(trials: Sequence[FrozenTrial], plan: Plan, top: int) -> list[FrozenTrial]:
    """Choose the trials that enter a race: the best of the search, of a study with two objectives the best of its front."""
    on_front = None if second_of(plan.options.objectives) is None else front_numbers(trials, plan)
    return [trial for trial in rank_trials(trials) if on_front is None or trial.number in on_front][:top]


def mean_acceptance(repeats: Sequence[Confirmation]) -> float:
    """Give the mean acceptance over repeats and folds, 0 where there is none yet."""
    return float(np.mean([np.divide(one.accepted, one.signals).mean() for one in repeats])) if repeats else 0.0


def _train(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
    number, ask = item
    validation = cross_validate(ask)
    keep_members(ask.data, validation)
    return number, summarise_folds(validation)


def _drop_beaten(
    racing: list[FrozenTrial],
    dropped: dict[int, str],
    there: Mapping[tuple[int, int], Confirmation],
    rounds: int,
    terms: ConfirmOptions,
) -> None:
    """Drop those that lag behind the leader beyond chance. Changes `racing` and `dropped`."""
    accepted = {trial.number: np.array([there[trial.number, r].accepted for r in range(rounds)]) for trial in racing}
    if len(racing) < 2:
        return
    signals = np.array([there[racing[0].number, r].signals for r in range(rounds)])
    leader = max(racing, key=lambda trial: float((accepted[trial.number] / signals).mean())).number
    error = error_of_each(terms.top - 1, terms.repeats)
    for trial in [*racing]:
        behind = lag(accepted[leader], accepted[trial.number], signals)
        if trial.number != leader and behind.p < error:
            racing.remove(trial)
            dropped[trial.number] = f"lost the race after {rounds} of {terms.repeats}: {-behind.gap:+.3f} to trial {leader}"


def _drop_lost(
    racing: list[FrozenTrial],
    dropped: dict[int, str],
    there: Mapping[tuple[int, int], Confirmation],
    rounds: int,
    terms: ConfirmOptions,
    plan: Plan,
) -> None:
    """Drop those whose reliability cannot pass the bar any more. Changes `racing` and `dropped`."""
    folds = max(plan.folds) + 1
    for trial in [*racing]:
        found = tally([RungResult.demand(trial), *(there[trial.number, r] for r in range(rounds))])
        if is_lost(found.learned, found.trainings, folds * (terms.repeats - rounds), terms.reliability):
            racing.remove(trial)
            dropped[trial.number] = (
                f"its reliability, {found}, cannot pass {terms.reliability:g} within {terms.repeats} repeats"
            )


def entrant_of(study: optuna.Study, trial: FrozenTrial, repeats: int) -> Entrant:
    """Give a trial with its first confirmations as one that ran the race to its end."""
    return _entrant(trial, kept(study), None, repeats)


def _entrant(trial: FrozenTrial, there: Mapping[tuple[int, int], Confirmation], dropped: str | None, repeats: int) -> Entrant:
    found = [there[trial.number, repeat] for repeat in range(repeats) if (trial.number, repeat) in there]
    return Entrant(trial.number, config_of(trial), tuple(found), tally([RungResult.demand(trial), *found]), dropped)
