"""One trial: a configuration climbs the ladder, reports at every rung, and is pruned or goes on.

At each rung the trainings are saved first, and only then does the study's database say that the rung was reached; an
interrupted trial goes on from what was saved. Runs in whatever process it is called in; knows nothing of workers or of what is
shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import optuna

from foils import Dataset
from models.inference.cost import inference_cost
from models.training.checkpoint import pack_fold
from models.training.cross_validation import CrossValidation, FoldResult
from models.training.task import make_task
from search import defaults
from search.pruning.audit import is_audited
from search.pruning.multi_objective import is_pruned
from search.seeds import trial_seed
from search.storage.checkpoints import CheckpointStore
from search.studies.plan import Plan
from search.training.fold_cache import keep_members
from search.trials.baseline import is_baseline
from search.trials.ladder import Ladder, Rung
from search.trials.objectives import OBJECTIVES, final_value, on_path, parse_objectives, shortfall
from search.trials.records import DAMAGE, CheckpointRecord, FixedParams, Recipe, RungResult, on_rungs
from search.workers.stop_signal import StopRequested
from spaces import Config, Space, suggest

# Another trial whose acceptance on the same rung is this many times the working point has learned: chance gives once.
LEARNED = 3.0
# What the front asks of a trial beside its values, by the name under which Optuna keeps it.
FEASIBLE = "climbs and learns"


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class TrialContext:
    """What a trial's worker does for it.

    `check` is called after every epoch, `interrupt` after every step, and either may raise to stop the work; `transaction` puts
    what is written within into one transaction; `shelf`: where checkpoints are kept, None for a trial that is not to go on.
    """

    check: Callable[[], None] = _nothing
    interrupt: Callable[[], None] = _nothing
    transaction: Callable[[], AbstractContextManager[None]] = nullcontext
    shelf: CheckpointStore | None = None


def climb(
    trial: optuna.Trial, data: Dataset, plan: Plan, support: TrialContext | None = None, device: str = defaults.DEVICE
) -> tuple[float, ...]:
    """Climb the ladder with the trial's configuration and give what Optuna is told of each objective, acceptance first.

    A trial that was interrupted goes on from its last rung, or from where it was stopped behind it, with the same numbers; what
    cannot be read of its checkpoints is trained again. On CPU folds train one after another, elsewhere fused where that is
    better. Raises TrialPruned on the rung where the pruner ends it; an audited trial, and the network in use, which all
    others are compared with, only keep which rung that would have been. Of two objectives Optuna keeps no rungs: they are
    in the trial's record.
    """
    support = support or TrialContext()
    ladder, recipe, found = Ladder.parse(plan.ladder), _choose(trial, plan, support), RungResult.read(trial)
    goals = parse_objectives(plan.objectives)
    # Where its worker died between the last rung and the end, all is there but the end.
    if found is None or not (found.pruned or found.rung == str(ladder.rungs[-1])):
        config = Config.from_dict(recipe.config)
        task = make_task(data, config, epochs=ladder.epochs, working_point=plan.working_point, device=device)
        folds, fused = np.array(plan.folds), device != defaults.DEVICE
        validation = CrossValidation(task, folds, recipe.seed, support.check, interrupt=support.interrupt, fused=fused)
        cost = inference_cost(config, data.description.channels, data.description.crop) if "cost" in goals else 0
        never_pruned = recipe.audited or is_baseline(trial)
        found = _Climber(trial, data, plan, validation, support, cost, never_pruned).climb(found)
    if found.pruned:
        raise optuna.TrialPruned
    return tuple(OBJECTIVES[name].told(final_value(found, name)) for name in goals)


def _choose(trial: optuna.Trial, plan: Plan, support: TrialContext) -> Recipe:
    """Choose what a trial follows from, all in one write, or read what was chosen before it was interrupted."""
    recipe, asked = Recipe.read(trial), FixedParams.read(trial)
    if recipe is not None:
        return recipe
    with support.transaction():
        outside = None if asked is None or asked.config is None else Config.from_dict(asked.config)
        config = outside or suggest(trial, Space.from_dict(json.loads(plan.space)))
        audited = not is_baseline(trial) and is_audited(plan.seed, trial.number, plan.audit)
        recipe = Recipe(config.to_dict(), trial_seed(plan.seed, trial.number), audited)
        recipe.write(trial)
    return recipe


@dataclass(frozen=True)
class _Climber:
    """A trial on its way up. `cost`: of inference, 0 where nobody asks; `never_pruned`: whether it is never pruned."""

    trial: optuna.Trial
    data: Dataset
    plan: Plan
    validation: CrossValidation
    support: TrialContext
    cost: int
    never_pruned: bool

    def climb(self, found: RungResult | None) -> RungResult:
        """Climb from the last rung reached, `found`, to the top, or to where the pruner ends it."""
        rungs = Ladder.parse(self.plan.ladder).rungs
        done = 0 if found is None else [str(rung) for rung in rungs].index(found.rung) + 1
        saved = self._go_on(found, rungs[done - 1] if done else None)
        for height, rung in enumerate(rungs[done:], start=done + 1):
            left = len(rungs) - height
            self._advance(rung, saved)
            if left:
                saved = self._save(saved)
            else:
                keep_members(self.data, self.validation)
            found = self._report(rung, left, found, saved)
            if found.pruned:
                break
        assert found is not None  # a ladder has rungs
        return found

    def _go_on(self, found: RungResult | None, rung: Rung | None) -> CheckpointRecord | None:
        """Bring the trainings to where they were, by their checkpoints, or by training again what those do not hold."""
        saved, shelf = CheckpointRecord.read(self.trial), self.support.shelf
        if saved is None:
            return None
        packed, faults = shelf.read(saved) if shelf else ({}, ())
        reseeds, note = {int(fold): times for fold, times in saved.reseeds.items()}, found.note if found else None
        faults += self.validation.resume(
            packed, reseeds=reseeds, abandoned=saved.abandoned, seconds=saved.seconds, fused=saved.fused, note=note
        )
        if faults:
            text = f"a checkpoint could not be used, so that its fold was trained again: {'; '.join(faults)}"
            DAMAGE.write(self.trial, text)
        if rung is not None:
            self.validation.bring(rung.folds, rung.epochs)
        return saved

    def _advance(self, rung: Rung, saved: CheckpointRecord | None) -> None:
        """Train up to a rung; a trial that is stopped on the way is saved as it stands."""
        try:
            learned = partial(_others_learned, self.trial, rung, self.plan)
            self.validation.advance(rung.folds, rung.epochs, others_learned=learned)
        except StopRequested:
            stands = self._save(saved)
            if stands is not None:
                self._write(stands)
            raise

    def _save(self, before: CheckpointRecord | None) -> CheckpointRecord | None:
        """Write the checkpoints of the folds that have gone on; of one torn in the middle of an epoch the last one stays."""
        shelf, validation = self.support.shelf, self.validation
        if shelf is None:
            return None
        there, files = before.folds if before else {}, {}
        for fold in range(validation.count):
            reseeds, training, kept = validation.reseeds.get(fold, 0), validation.trainings.get(fold), there.get(fold)
            if kept is not None and kept.reseeds == reseeds and (training is None or kept.epoch == training.epoch):
                files[str(fold)] = asdict(kept)
            elif training is not None and training.epoch:
                files[str(fold)] = asdict(shelf.keep(fold, reseeds, training.epoch, pack_fold(training)))
        reseeds_of = {str(fold): times for fold, times in validation.reseeds.items()}
        return CheckpointRecord(files, reseeds_of, validation.abandoned, round(validation.seconds, 3), validation.fused)

    def _report(self, rung: Rung, left: int, before: RungResult | None, saved: CheckpointRecord | None) -> RungResult:
        """Tell the study that a rung is reached, and ask its pruner, all in one write; `left`: the rungs above it."""
        trial, goals = self.trial, parse_objectives(self.plan.objectives)
        results = self.validation.results()
        values = {name: OBJECTIVES[name].measure(results, self.cost) for name in goals}
        two, would_prune = len(goals) > 1, before.would_prune if before else None
        steps = (*(before.steps if before else ()), rung.cost) if two else ()
        path = on_path(before.path if before else {}, values) if two else {}
        with self.support.transaction():
            if not two:
                trial.report(values["acceptance"], rung.cost)
            # No doomed trial is asked about again: the pruner would rank it among its rivals on rungs that those had to earn.
            prune = left > 0 and would_prune is None and (is_pruned(trial, steps, path) if two else trial.should_prune())
            if prune and self.never_pruned:
                would_prune = str(rung)
            found = replace(
                _reached(rung, results, self.validation),
                would_prune=would_prune,
                pruned=prune and not self.never_pruned,
                steps=steps,
                path=path,
            )
            found.write(trial)
            if saved is not None and left:
                saved.write(trial)
            if two and (found.pruned or not left):
                trial.set_constraint(FEASIBLE, shortfall(found, left))
        if saved is not None and self.support.shelf is not None:
            self.support.shelf.tidy(saved)
        return found

    def _write(self, saved: CheckpointRecord) -> None:
        """Tell the study where a trial that is stopped between two rungs stands."""
        with self.support.transaction():
            saved.write(self.trial)
        if self.support.shelf is not None:
            self.support.shelf.tidy(saved)


def _reached(rung: Rung, results: list[FoldResult], validation: CrossValidation) -> RungResult:
    """Sum up how every fold stands on a rung and what the trial has cost, for one write."""
    return RungResult(
        rung=str(rung),
        acceptance=tuple(result.score.acceptance for result in results),
        rejection=tuple(result.score.rejection for result in results),
        accepted=tuple(result.score.accepted for result in results),
        signals=tuple(result.score.signals for result in results),
        rejected_high=tuple(result.score.rejected_high for result in results),
        backgrounds=tuple(result.score.backgrounds for result in results),
        auc=tuple(result.score.auc for result in results),
        accuracy=tuple(result.accuracy for result in results),
        verdicts=tuple(result.verdict.value for result in results),
        reseeds=tuple(result.reseeds for result in results),
        epochs_run=validation.epochs_run,
        seconds=round(validation.seconds, 3),
        note=validation.note,
    )


def _others_learned(trial: optuna.Trial, rung: Rung, plan: Plan) -> bool:
    """Tell whether another trial of the study has learned by this rung."""
    others = trial.study.get_trials(deepcopy=False)
    return any(on_rungs(other).get(rung.cost, 0.0) > LEARNED * plan.working_point for other in others)
