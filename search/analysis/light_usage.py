"""Compare the uses of the lights in a study: how important is angle. Knows nothing of how it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from optuna.trial import FrozenTrial, TrialState

from search.analysis.importance import failures, finished, trainings
from search.statistics.intervals import Share, reliability
from search.trials.configuration import config_of
from search.trials.ranking import best_trial
from search.trials.records import Recipe, RungResult
from spaces.choices.channels import Channels


@dataclass(frozen=True)
class Use:
    """One use of the lights and the trials that made it."""

    # Of the channels.
    mode: str
    # Which of them, None for all.
    lights: str | None
    # Its name.
    network: str
    # Finished trials.
    trials: int
    # Those that climbed the whole ladder, of which `best`, pooled over folds, of trial `best_trial`, and `median`, None where
    # there is none.
    complete: int
    best: Share | None
    best_trial: int | None
    # The best trial's, of mode single.
    light: str | None
    median: float | None
    # The share of all trainings that did not fail.
    sound: Share


def uses(trials: Sequence[FrozenTrial]) -> tuple[Use, ...]:
    """Sum up a study's finished trials by their use of the lights, best acceptance first."""
    groups: Mapping[tuple[str, str | None, str], list[tuple[FrozenTrial, RungResult]]] = defaultdict(list)
    for trial, reached in finished(trials):
        config = config_of(trial)
        lights = None if config.channels.lights == Channels().lights else config.channels.lights
        groups[config.channels.mode, lights, config.network.name].append((trial, reached))
    uses_of_lights = [_sum_up(mode, lights, network, members) for (mode, lights, network), members in groups.items()]
    return tuple(
        sorted(
            uses_of_lights, key=lambda use: (-(use.best.value if use.best else -1.0), use.mode, use.lights or "", use.network)
        )
    )


def _sum_up(mode: str, lights: str | None, network: str, members: Sequence[tuple[FrozenTrial, RungResult]]) -> Use:
    quoted = {trial.number: reached.quoted for trial, reached in members if trial.state == TrialState.COMPLETE}
    started = sum(trainings(reached) for _, reached in members)
    failed = sum(failures(reached) for _, reached in members)
    best = best_trial(trial for trial, _ in members)
    return Use(
        mode=mode,
        lights=lights,
        network=network,
        trials=len(members),
        complete=len(quoted),
        best=quoted[best.number].share if best else None,
        best_trial=best.number if best else None,
        light=Recipe.demand(best).config["channels"]["light"] if best else None,
        median=median(one.value for one in quoted.values()) if quoted else None,
        sound=reliability(started - failed, started),
    )
