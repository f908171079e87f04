"""Confirm: train a study's best configurations again on fresh splits and seeds, and race them.

The study records every finished repeat, so that the same command goes on where it stopped, and more repeats build on fewer. The
results of the search itself are not in the race: they were chosen for their luck, too. Knows nothing of how a race is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from joblib import cpu_count
from optuna.trial import FrozenTrial

from foils import Dataset
from search import defaults
from search.counting import Step, shown
from search.errors import StudyError
from search.selection.confirmations import (
    Confirmation,
    confirmation_request,
    draw_mean,
    pooled_tally,
    read_confirmations,
    write_confirmation,
)
from search.selection.race_record import RaceEntry, RaceRecord, write_race
from search.selection.racing import FIRST, error_of_each, is_lost, lag
from search.statistics.bootstrap import BootstrapShare
from search.studies.pareto import front_numbers
from search.studies.plan import Plan
from search.studies.study import Study, study_data
from search.training.cross_validation import CVRequest, Repeat, cross_validate, summarise_folds
from search.training.fold_cache import keep_members
from search.training.pool import parallel_map
from search.trials.configuration import config_of
from search.trials.nothing_learned import nothing_learned
from search.trials.objectives import second_of
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.reliability import Tally
from spaces import Config


@dataclass(frozen=True)
class Entrant:
    """A configuration in the race."""

    # Of its trial.
    number: int
    config: Config
    # Its confirmations.
    repeats: tuple[Confirmation, ...]
    # Of all trainings of its configuration, those of the search among them.
    tally: Tally
    # Why it left the race; None for one that ran to the end.
    dropped: str | None


@dataclass(frozen=True)
class ConfirmOptions:
    """How to confirm the best trials of a study."""

    # Trials that are confirmed.
    top: int = defaults.TOP
    # Cross-validations of each.
    repeats: int = defaults.CONFIRMATIONS
    # The bar that the lower bound of a trial's reliability has to pass.
    reliability: float = defaults.RELIABILITY

    def __post_init__(self) -> None:
        for name, value in (("top", self.top), ("repeats", self.repeats)):
            if value < 1:
                raise StudyError(f"`{name} >= 1` must hold, but got {value}; choose a larger number.")
        if not 0 <= self.reliability < 1:
            raise StudyError(f"`0 <= reliability < 1` must hold, but got {self.reliability}; choose e.g. 0.8.")


def confirm(
    study: Study,
    options: ConfirmOptions | None = None,
    *,
    data: str | Path | Dataset | None = None,
    workers: int | None = None,
    progress: bool | Step = True,
) -> tuple[Entrant, ...]:
    """Train the best configurations of a study again, and drop those that can no longer win; the best first.

    `data`: where the study's data is now, if it has moved; `workers`: processes, one a core by default, which change no number;
    `progress` is called at first and after each repeat that ended, with their number and the most that there may be, fewer
    where the race is lost; True shows it on stderr, with the time left. Raises StudyError where no trial is complete.
    """
    options, count = options or ConfirmOptions(), workers or cpu_count()
    with shown(progress, "repeats", min(count, options.top)) as step:
        return _confirm(study, options, data, count, step)


def _confirm(
    study: Study, options: ConfirmOptions, data: str | Path | Dataset | None, workers: int, step: Step
) -> tuple[Entrant, ...]:
    optuna_study, plan = study.optuna, study.plan
    search_set = plan.search_set(data if isinstance(data, Dataset) else study_data(study, data))
    trials = optuna_study.get_trials(deepcopy=False)
    nothing = nothing_learned(trials, plan.ladder.folds, plan.ladder.epochs, plan.folder)
    if nothing is not None:
        raise StudyError(f"study {study.name!r} has no trial to confirm: {nothing}.")
    chosen = choose_entrants(trials, plan, options.top)
    if not chosen:
        raise StudyError(f"study {study.name!r} must have a complete trial, but has none; launch more trials.")
    confirmations, racing = read_confirmations(optuna_study), [*chosen]
    dropped: dict[int, str] = {}
    _drop_lost(racing, dropped, trials, confirmations, 0, options, plan)
    finished = 0
    for repeat in range(options.repeats):
        missing = [trial for trial in racing if (trial.number, repeat) not in confirmations]
        most = finished + len(racing) * (options.repeats - repeat)
        finished += len(racing) - len(missing)
        step(finished, most)
        requests = [
            (trial.number, confirmation_request(plan, search_set, config_of(trial), trial.number, repeat)) for trial in missing
        ]
        for number, outcome in parallel_map(_train, requests, min(workers, max(len(requests), 1))):
            confirmations[number, repeat] = write_confirmation(optuna_study, number, repeat, outcome)
            finished += 1
            step(finished, most)
        if len(racing) > 1 and repeat + 1 >= min(FIRST, options.repeats):
            drawn = {
                trial.number: draw_mean(
                    plan,
                    search_set,
                    config_of(trial),
                    trial.number,
                    [confirmations[trial.number, r] for r in range(repeat + 1)],
                )
                for trial in racing
            }
            _drop_beaten(racing, dropped, drawn, repeat + 1, options)
        _drop_lost(racing, dropped, trials, confirmations, repeat + 1, options, plan)
    entrants = [_entrant(trial, trials, confirmations, dropped.get(trial.number), options.repeats) for trial in chosen]
    ranked = sorted(entrants, key=lambda entrant: (entrant.dropped is not None, -_compared_by(entrant, plan, search_set)))
    entries = tuple(RaceEntry(entrant.number, entrant.tally, entrant.dropped) for entrant in ranked)
    write_race(study, RaceRecord(options.repeats, options.reliability, entries))
    return tuple(ranked)


def choose_entrants(trials: Sequence[FrozenTrial], plan: Plan, top: int) -> list[FrozenTrial]:
    """Choose the trials that enter a race: the best of the search, of a study with two objectives the best of its front.

    They are the best by what they are compared by in the race. A trial of an older study has no mean acceptance on record: the
    lower bound of its acceptance stands for that.
    """
    on_front = None if second_of(plan.options.objectives) is None else front_numbers(trials, plan)
    ranked = sorted(rank_trials(trials), key=lambda trial: -_searched(trial))
    return [trial for trial in ranked if on_front is None or trial.number in on_front][:top]


def _searched(trial: FrozenTrial) -> float:
    result = RungResult.demand(trial)
    return result.quoted.share.low if result.mean_acceptance is None else result.mean_acceptance


def _compared_by(entrant: Entrant, plan: Plan, data: Dataset) -> float:
    """Give the mean acceptance over an entrant's repeats, 0 where there is none."""
    if not entrant.repeats:
        return 0.0
    return draw_mean(plan, data, entrant.config, entrant.number, entrant.repeats, draws=1).value


def _train(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
    number, request = item
    validation = cross_validate(request)
    keep_members(request.data, validation)
    return number, summarise_folds(validation)


def _drop_beaten(
    racing: list[FrozenTrial],
    dropped: dict[int, str],
    drawn: Mapping[int, BootstrapShare],
    rounds: int,
    options: ConfirmOptions,
) -> None:
    """Drop those that lag behind the leader beyond chance. Changes `racing` and `dropped`."""
    leader = max(drawn, key=lambda number: drawn[number].value)
    error = error_of_each(options.top - 1, options.repeats)
    for trial in [*racing]:
        behind = lag(drawn[leader], drawn[trial.number])
        if trial.number != leader and behind.p < error:
            racing.remove(trial)
            dropped[trial.number] = (
                f"lost the race after {rounds} of {options.repeats}: {-behind.gap:+.3f} in mean acceptance to trial {leader}"
            )


def _drop_lost(
    racing: list[FrozenTrial],
    dropped: dict[int, str],
    trials: Sequence[FrozenTrial],
    confirmations: Mapping[tuple[int, int], Confirmation],
    rounds: int,
    options: ConfirmOptions,
    plan: Plan,
) -> None:
    """Drop those whose reliability cannot pass the bar any more. Changes `racing` and `dropped`."""
    folds = max(plan.folds) + 1
    for trial in [*racing]:
        trainings = pooled_tally(trial, trials, confirmations, rounds)
        if is_lost(trainings.learned, trainings.trainings, folds * (options.repeats - rounds), options.reliability):
            racing.remove(trial)
            dropped[trial.number] = (
                f"its reliability, {trainings}, cannot pass {options.reliability:g} within {options.repeats} repeats"
            )


def entrant_of(study: optuna.Study, trial: FrozenTrial, repeats: int) -> Entrant:
    """Give a trial with its first confirmations as one that ran the race to its end."""
    return _entrant(trial, study.get_trials(deepcopy=False), read_confirmations(study), None, repeats)


def _entrant(
    trial: FrozenTrial,
    trials: Sequence[FrozenTrial],
    confirmations: Mapping[tuple[int, int], Confirmation],
    dropped: str | None,
    repeats: int,
) -> Entrant:
    repeats_run = [confirmations[trial.number, repeat] for repeat in range(repeats) if (trial.number, repeat) in confirmations]
    return Entrant(
        trial.number, config_of(trial), tuple(repeats_run), pooled_tally(trial, trials, confirmations, repeats), dropped
    )
