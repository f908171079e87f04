"""Sum up a study: trials by state, the best so far, verdicts, the ladder's rungs, the audit of pruning, the time left.

Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial, TrialState

from search.analysis.running import (
    RunningTrial,
    Tables,
    paused_on_rungs,
    read_tables,
    running_trials,
    spared,
    time_left,
)
from search.errors import StudyError
from search.pruning.audit import Audit, measure
from search.pruning.promotion import PROMOTION
from search.selection.confirmations import Confirmation, pooled_tally, read_confirmations
from search.statistics.expected_gain import Gain
from search.statistics.intervals import Share
from search.studies.damage import Damage
from search.studies.launch_record import LaunchRecord, last_launch, now_of
from search.studies.pareto import ParetoTrial, pareto_trials
from search.studies.plan import PLAN, Plan, plan_of
from search.studies.study import Study
from search.trials.baseline import Comparison, compare
from search.trials.nothing_learned import nothing_learned
from search.trials.objectives import second_of
from search.trials.outlook import outlook
from search.trials.ranking import best_trial, find_trial
from search.trials.records import DAMAGE, ERROR, Recipe, RungResult, is_interrupted, is_paused, on_rungs
from search.trials.reliability import Tally, tally
from spaces import Config
from spaces.known_configs import write_known


@dataclass(frozen=True)
class Status:
    """A study at one moment."""

    name: str
    # What it was made for.
    plan: Plan
    complete: int
    pruned: int
    # Those that wait on a rung, to be promoted where others prove worse.
    paused: int
    # Those that broke, with `errors`.
    failed: int
    # Trials that were interrupted and go on with the next worker.
    waiting: int
    running: int
    # Trials that the last launch asked for; None where it asked for as many as fit into its time.
    target: int | None
    best: FrozenTrial | None
    # Of all trainings of the best trial's configuration, confirmations among them.
    tally: Tally
    # Of the best with the network in use, None while that is unknown.
    comparison: Comparison | None
    # What as many trials again may bring; None where too few are complete.
    gain: Gain | None
    verdicts: Mapping[str, int]
    reseeds: int
    # Each rung with the trials that reached it.
    rungs: Sequence[tuple[str, int]]
    # None where nothing is pruned, or any trial may be.
    audit: Audit | None
    # One sentence where nothing has learned.
    nothing: str | None
    # The objective beside acceptance, if there is one, and then the `front`.
    second: str | None
    front: Sequence[ParetoTrial]
    errors: Sequence[str]
    # Checkpoints that could not be used.
    damages: Sequence[str]
    # Trials and attributes that cannot be read, and are left out.
    unreadable: Sequence[str]
    # Seconds left; None where that cannot be estimated.
    left_s: float | None
    running_trials: Sequence[RunningTrial]
    # The rungs that trials are paused on, the highest first, with their numbers.
    queue: Sequence[tuple[str, int]]
    # The share of the epochs of whole cross-validations that pausing and pruning spared; None where no trial is done.
    spared: float | None
    # All that can be read.
    trials: Sequence[FrozenTrial]

    @property
    def done(self) -> int:
        """Count the trials that have come as far as they are to, for now."""
        return self.complete + self.pruned + self.paused

    def __repr__(self) -> str:
        best = "none" if self.best is None else f"trial {self.best.number}, acceptance {acceptance(self.best)}"
        states = f"{self.complete} complete, {self.pruned} pruned, {self.paused} paused"
        return f"Status({self.name}: {states} of {self.target or 'any number of'} trials; best {best})"


def summarise_whole(study: Study) -> Status:
    """Sum up a study whose rows were all read before: in a fraction of the time, through Optuna's cache.

    Raises StudyError where a row cannot be read any more.
    """
    opened = study.optuna
    trials, launched = opened.get_trials(deepcopy=False), last_launch(study)
    return of_trials(study.name, study.plan, trials, launched, now_of(study), read_confirmations(opened), read_tables(study))


def summarise(study: Study, damage: Damage | None = None) -> Status:
    """Sum up a study; `damage`: its rows, where they were read already. Raises StudyError where pitsearch did not make it."""
    damage = damage or study.damage
    if damage.plan_is_lost:
        damage.refuse()
    trials = [*damage.whole.values()]
    if damage.faults:  # what else can be read is shown
        confirmations = {} if damage.raw.attribute_faults else read_confirmations(study.optuna)
        launched = None if damage.raw.attribute_faults else last_launch(study)
        plan = plan_of(damage.raw.attributes.get(PLAN), study.name)
        status = of_trials(study.name, plan, trials, launched, now_of(study), confirmations, read_tables(study))
        return replace(status, unreadable=damage.faults)
    confirmations = read_confirmations(study.optuna)
    return of_trials(study.name, study.plan, trials, last_launch(study), now_of(study), confirmations, read_tables(study))


def of_trials(
    name: str,
    plan: Plan,
    trials: Sequence[FrozenTrial],
    launched: LaunchRecord | None = None,
    now: tuple[str, float] = ("", 0.0),
    confirmations: Mapping[tuple[int, int], Confirmation] | None = None,
    tables: Tables | None = None,
) -> Status:
    """Sum up trials that were read already; `now`: by the clock of their database."""
    tables = tables or Tables()
    states = Counter(trial.state for trial in trials)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    reached = [record for trial in trials if (record := RungResult.read(trial))]
    best = best_trial(complete)
    second = second_of(plan.options.objectives)
    on = Counter(cost for trial in trials for cost in on_rungs(trial))
    verdicts = Counter(verdict for record in reached for verdict in record.verdicts)
    return Status(
        name=name,
        plan=plan,
        complete=len(complete),
        pruned=states[TrialState.PRUNED],
        paused=sum(map(is_paused, trials)),
        failed=states[TrialState.FAIL],
        waiting=sum(map(is_interrupted, trials)),
        running=states[TrialState.RUNNING],
        target=launched.trials if launched else 0,
        best=best,
        tally=pooled_tally(best, trials, confirmations or {}) if best else tally([]),
        comparison=compare(complete, best),
        gain=outlook(trials),
        verdicts=dict(verdicts.most_common()),
        reseeds=sum(sum(record.reseeds) for record in reached),
        rungs=[(str(rung), on[rung.cost]) for rung in plan.ladder.rungs],
        audit=measure(trials, plan.options.objectives) if _is_audited(plan) else None,
        nothing=nothing_learned(trials, plan.ladder.folds, plan.ladder.epochs, plan.folder),
        second=second,
        front=[member for member in pareto_trials(trials, plan) if member.on_front] if second else (),
        errors=[f"trial {trial.number}: {error}" for trial in trials if (error := ERROR.read(trial))],
        damages=[f"trial {trial.number}: {damage}" for trial in trials if (damage := DAMAGE.read(trial))],
        unreadable=(),
        left_s=time_left(launched, now, trials, plan, tables),
        running_trials=running_trials(trials, tables),
        queue=paused_on_rungs(trials, plan),
        spared=spared(trials, plan),
        trials=trials,
    )


def _is_audited(plan: Plan) -> bool:
    """Tell whether trials of a plan are audited: only where some may be ended for good."""
    return plan.options.audit > 0 and plan.options.pruner not in ("none", PROMOTION)


def acceptance(trial: FrozenTrial) -> Share | None:
    """Give the pooled acceptance of the folds that a trial has trained, with its interval over pits."""
    reached = RungResult.read(trial)
    return reached.quoted.share if reached else None


def trained(trial: FrozenTrial) -> Tally:
    """Count a trial's own trainings."""
    reached = RungResult.read(trial)
    return tally([reached] if reached else [])


def configuration(trial: FrozenTrial) -> str:
    """Say a trial's configuration on one line."""
    recipe = Recipe.read(trial)
    return Config.from_dict(recipe.config).describe() if recipe else ""


def known_text(study: Study, number: int) -> str:
    """Give a trial's configuration as a file of known configurations. Raises StudyError where there is none."""
    trials = [*study.damage.whole.values()]
    trial = find_trial(trials, number)
    recipe = None if trial is None else Recipe.read(trial)
    if trial is None or recipe is None:
        numbers = [other.number for other in trials if Recipe.read(other)]
        raise StudyError(
            f"a trial must have a configuration, but trial {number} of study {study.name!r} has none; choose from "
            f"{f'{numbers[0]} to {numbers[-1]}' if numbers else 'none yet'}."
        )
    config = Config.from_dict(recipe.config)
    return write_known(config, f"trial {number} of study {study.name}: acceptance {acceptance(trial) or 'unknown'}")
