"""The Pareto front of a study with two objectives: the trials that no other is better than in one and as good in the other.

Only complete trials whose folds all learned are on it, or can keep others off it. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial, TrialState

from search.errors import StudyError
from search.statistics.intervals import Share
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.baseline import is_baseline
from search.trials.configuration import config_of
from search.trials.objectives import OBJECTIVES, final_value, has_learned, second_of
from search.trials.records import RungResult
from search.trials.reliability import Tally, tally, trainings_of
from spaces import Config


@dataclass(frozen=True)
class ParetoTrial:
    """A complete trial whose folds all learned, and whether it is on the front."""

    number: int
    # Pooled over the folds.
    acceptance: Share
    # The other objective's value, and `interval`, its pooled share, where it is one of pits.
    second: float
    interval: Share | None
    # Of all trainings of its configuration in the search.
    tally: Tally
    config: Config
    # It is the network in use.
    in_use: bool
    on_front: bool


def pareto_front(study: Study) -> tuple[ParetoTrial, ...]:
    """Give the trials on a study's front, highest acceptance first. Raises StudyError where the study has one objective."""
    return tuple(trial for trial in pareto_trials(study.optuna.get_trials(deepcopy=False), study.plan) if trial.on_front)


def front_numbers(trials: Sequence[FrozenTrial], plan: Plan) -> tuple[int, ...]:
    """Number the trials on a study's front, highest acceptance first.

    Compared are shares pooled over the folds, as they are shown, without regard to their intervals; the sampler compares means
    over the folds. Raises StudyError where the study has one objective.
    """
    return tuple(member.number for member in pareto_trials(trials, plan) if member.on_front)


def pareto_trials(trials: Sequence[FrozenTrial], plan: Plan) -> tuple[ParetoTrial, ...]:
    """Sum up all that a front is chosen from, highest acceptance first. Raises StudyError where the study has one objective."""
    second = second_of(plan.options.objectives)
    if second is None:
        raise StudyError(
            f"a front needs two objectives, but the study was made for {', '.join(plan.options.objectives)} alone; "
            "launch one with --objectives acceptance,cost."
        )
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sound = [(trial, reached) for trial in complete if has_learned(reached := RungResult.demand(trial))]
    candidates = [_member(trial, reached, second, complete) for trial, reached in sound]
    judged = [
        replace(member, on_front=not any(_dominates(other, member, second) for other in candidates)) for member in candidates
    ]
    return tuple(sorted(judged, key=lambda member: (-member.acceptance.value, member.number)))


def _member(trial: FrozenTrial, reached: RungResult, second: str, trials: Sequence[FrozenTrial]) -> ParetoTrial:
    interval = reached.quoted_high.share if second == "rejection" else None
    return ParetoTrial(
        number=trial.number,
        acceptance=reached.quoted.share,
        second=final_value(reached, second) if interval is None else interval.value,
        interval=interval,
        tally=tally(trainings_of(trial, trials)),
        config=config_of(trial),
        in_use=is_baseline(trial),
        on_front=False,
    )


def _dominates(one: ParetoTrial, other: ParetoTrial, second: str) -> bool:
    """Tell whether one is as good as another in both objectives, and better in one."""
    mine, others = (one.acceptance.value, one.second), (other.acceptance.value, other.second)
    return mine != others and mine[0] >= others[0] and OBJECTIVES[second].no_worse(mine[1], others[1])
