"""Say what of a study cannot be read as what pitsearch wrote: its attributes, its trials and their records, one by one.

A file may be cut, a page lost, another program may have written rows. Knows nothing of confirmations and selections, whose
own readers refuse what is not theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from search.errors import StudyError
from search.storage.raw_rows import RawStudy, read_raw
from search.storage.rdb import RetryingRDBStorage
from search.studies.plan import PLAN, plan_of
from search.trials.records import CheckpointRecord, FixedParams, Recipe, RungResult, TrialOrigin
from spaces import Config
from spaces.errors import SpaceError

RECORDS = (TrialOrigin, FixedParams, Recipe, RungResult, CheckpointRecord)
# What a trial that climbed the whole ladder has.
COMPLETE = (Recipe, RungResult)


@dataclass(frozen=True)
class Damage:
    """What of a study can be read, and why the rest cannot."""

    study: str
    raw: RawStudy
    # Trials whose records are all as pitsearch wrote them, by number.
    whole: Mapping[int, FrozenTrial]
    # A line for each attribute of the study, and for each trial, that cannot be read.
    faults: Sequence[str]
    # Whether the plan is among them: nothing can go on without it.
    plan_is_lost: bool = False

    def refuse(self) -> None:
        """Raise StudyError where anything cannot be read."""
        if not self.faults:
            return
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        trials = len(self.whole) + len({*self.raw.trials, *self.raw.trial_faults} - {*self.whole})
        raise StudyError(
            f"study {self.study!r} must be as pitsearch wrote it, but {self.faults[0]}{more}; {len(self.whole)} of {trials} "
            "trials can be read: `pitsearch status` shows them, `pitsearch storage copy --salvage FROM TO` saves them."
        )


def find_damage(name: str, storage: RetryingRDBStorage, study_id: int) -> Damage:
    """Read everything of a study that its trials rest on."""
    raw = read_raw(storage, study_id)
    if PLAN not in {*raw.attributes, *raw.attribute_faults}:
        return Damage(name, raw, raw.trials, ())  # another program's study, which is not damaged for that
    faults = [f"its attribute {key!r} is no JSON ({reason})" for key, reason in raw.attribute_faults.items()]
    faults += [f"trial {number} has rows that are not Optuna's ({reason})" for number, reason in raw.trial_faults.items()]
    rungs, plan_is_lost = None, PLAN in raw.attribute_faults
    if PLAN in raw.attributes:
        try:
            rungs = frozenset(map(str, plan_of(raw.attributes[PLAN], name).ladder.rungs))
        except StudyError as error:
            faults.insert(0, f"its attribute {PLAN!r} is none ({_without_remedy(error)})")
            plan_is_lost = True
        except SpaceError:
            pass  # a plugin is missing: said where the plan is needed
    whole = {}
    for number, trial in raw.trials.items():
        fault = fault_of(trial, rungs)
        if fault is None:
            whole[number] = trial
        else:
            faults.append(fault)
    return Damage(name, raw, whole, faults, plan_is_lost)


def fault_of(trial: FrozenTrial, rungs: frozenset[str] | None = None) -> str | None:
    """Say why the records of a trial are not what pitsearch wrote; None where they are. `rungs`: of the study's ladder."""
    try:
        for record in RECORDS:
            record.read(trial)
        if trial.state == TrialState.COMPLETE:
            for record in COMPLETE:
                record.demand(trial)
        recipe, reached = Recipe.read(trial), RungResult.read(trial)
    except StudyError as error:
        return _without_remedy(error)
    if reached is not None and rungs is not None and reached.rung not in rungs:
        return (
            f"the record {RungResult.name!r} of trial {trial.number} is of a rung {reached.rung[:40]!r} that the ladder has not"
        )
    try:
        if recipe is not None:
            Config.from_dict(recipe.config)
    except SpaceError as error:
        return (
            f"the record {Recipe.name!r} of trial {trial.number} has no configuration of this version: {str(error).rstrip('.')}"
        )
    return None


def _without_remedy(error: StudyError) -> str:
    return str(error).rpartition("; ")[0]
