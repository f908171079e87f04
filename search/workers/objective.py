"""One trial: a configuration climbs the ladder, reports at every rung, and is pruned or goes on.

At each rung the trainings are saved first, and only then does the study's database say that the rung was reached; an
interrupted trial goes on from what was saved. Runs in whatever process it is called in; knows nothing of workers or of what is
shown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import optuna

from foils import Dataset
from models.inference.cost import inference_cost
from models.metrics import HIGH
from models.training.checkpoint import pack_fold
from models.training.cross_validation import CrossValidation, FoldResult
from models.training.task import make_task
from search import defaults
from search.pruning.audit import is_audited
from search.pruning.multi_objective import is_pruned
from search.pruning.promotion import PROMOTION
from search.seeds import trial_seed
from search.statistics.fitted import fit_acceptance, fit_rejection
from search.studies.plan import Plan
from search.training.fold_cache import keep_members
from search.trials.baseline import is_baseline
from search.trials.ladder import Rung
from search.trials.named_attributes import write_named
from search.trials.objectives import OBJECTIVES, final_value, on_path, shortfall
from search.trials.records import DAMAGE, CheckpointRecord, FixedParams, Recipe, RungResult, on_rungs
from search.trials.rung_score import rung_score
from search.trials.stored_curves import update_curves
from search.trials.stored_scores import RungScores, write_scores
from search.workers.stop_signal import StopRequested
from search.workers.trial_context import TrialContext, progress_of
from spaces import Config
from spaces.suggest import suggest

# Another trial whose acceptance on the same rung is this many times the working point has learned: chance gives once.
LEARNED = 3.0
# What the front asks of a trial beside its values, by the name under which Optuna keeps it.
FEASIBLE = "climbs and learns"


class TrialPaused(Exception):
    """A trial is paused on a rung, and held by its worker no more."""


def climb(
    trial: optuna.Trial, data: Dataset, plan: Plan, context: TrialContext | None = None, device: str = defaults.DEVICE
) -> tuple[float, ...]:
    """Climb the ladder with the trial's configuration and give each objective as Optuna takes it, acceptance first.

    A trial that was interrupted goes on from its last rung, or from where it was stopped behind it, with the same numbers; what
    cannot be read of its checkpoints is trained again. On CPU folds train one after another, elsewhere fused where that is
    better. Raises TrialPaused on the rung where it is paused, and TrialPruned where the pruner ends it; an audited trial, and
    the network in use, which all others are compared with, only keep which rung that would have been. Of two objectives Optuna
    keeps no rungs: they are in the trial's record.
    """
    context = context or TrialContext()
    recipe, result, goals = _choose(trial, plan, context), RungResult.read(trial), plan.options.objectives
    # Where its worker died between the last rung and the end, all is there but the end.
    if result is None or not (result.pruned or result.rung == str(plan.ladder.rungs[-1])):
        config = Config.from_dict(recipe.config)
        task = make_task(data, config, epochs=plan.ladder.epochs, working_point=plan.options.working_point, device=device)
        folds, fused = np.array(plan.folds), device != defaults.DEVICE
        validation = CrossValidation(task, folds, recipe.seed, context.check, interrupt=context.interrupt, fused=fused)
        cost = inference_cost(config, data.description.channels, data.description.crop) if "cost" in goals else 0
        never_pruned = recipe.audited or is_baseline(trial)
        result = _Climber(trial, data, plan, validation, context, cost, never_pruned).climb(result)
    if result.pruned:
        raise optuna.TrialPruned
    return tuple(OBJECTIVES[name].told(final_value(result, name)) for name in goals)


def _choose(trial: optuna.Trial, plan: Plan, context: TrialContext) -> Recipe:
    """Choose what a trial follows from, all in one write, or read what was chosen before it was interrupted."""
    recipe, fixed = Recipe.read(trial), FixedParams.read(trial)
    if recipe is not None:
        return recipe
    with context.transaction():
        outside = None if fixed is None or fixed.config is None else Config.from_dict(fixed.config)
        config = outside or suggest(trial, plan.space)
        ends = plan.options.pruner != PROMOTION and not is_baseline(trial)  # where nothing is ended there is nothing to audit
        audited = ends and is_audited(plan.options.seed, trial.number, plan.options.audit)
        recipe = Recipe(config.to_dict(), trial_seed(plan.options.seed, trial.number), audited)
        recipe.write(trial)
    return recipe


@dataclass(frozen=True)
class _Climber:
    """Takes one trial from rung to rung."""

    trial: optuna.Trial
    data: Dataset
    plan: Plan
    validation: CrossValidation
    context: TrialContext
    # Of inference; 0 where no objective asks for it.
    cost: int
    # Whether the pruner's word is only recorded.
    never_pruned: bool

    def climb(self, result: RungResult | None) -> RungResult:
        """Climb from the last rung reached, `result`, to the top, or to where the pruner ends it."""
        rungs = self.plan.ladder.rungs
        start = 0 if result is None else [str(rung) for rung in rungs].index(result.rung) + 1
        self._stand(result, start - 1)
        saved = self._go_on(result, rungs[start - 1] if start else None)
        for height, rung in enumerate(rungs[start:], start=start + 1):
            left = len(rungs) - height
            self._advance(rung, saved)
            if left:
                saved = self._save(saved)
            else:
                keep_members(self.data, self.validation)
            result = self._report(rung, left, result, saved)
            if result.pruned:
                break
            self._stand(result, height - 1)
        assert result is not None  # a ladder has rungs
        return result

    def _stand(self, result: RungResult | None, height: int) -> None:
        """Say how the trial stands on the rung of this number, and raise TrialPaused where it is not promoted."""
        if result is not None and not self.context.stands(result, height):
            raise TrialPaused

    def _go_on(self, result: RungResult | None, rung: Rung | None) -> CheckpointRecord | None:
        """Bring the trainings to where they were, by their checkpoints, or by training again what those do not hold."""
        saved, store = CheckpointRecord.read(self.trial), self.context.checkpoints
        if saved is None:
            return None
        packed, faults = store.read(saved) if store else ({}, ())
        reseeds, note = {int(fold): times for fold, times in saved.reseeds.items()}, result.note if result else None
        faults += self.validation.resume(
            packed,
            reseeds=reseeds,
            abandoned=saved.abandoned,
            seconds=saved.seconds,
            fused=saved.fused,
            note=note,
            restarts={int(fold): epoch for fold, epoch in saved.restarts.items()},
        )
        if faults:
            text = f"a checkpoint could not be used, so that its fold was trained again: {'; '.join(faults)}"
            DAMAGE.write(self.trial, text)
            # A fold that gets as far as it was is then written again: what could not be read would stay lost, time and again.
            saved = replace(saved, files={fold: saved.files[fold] for fold in map(str, sorted(self.validation.trainings))})
        if rung is not None:
            self.validation.bring(rung.folds, rung.epochs)
        return saved

    def _advance(self, rung: Rung, saved: CheckpointRecord | None) -> None:
        """Train up to a rung; a trial that is stopped on the way is saved as it stands."""
        try:
            learned = partial(_others_learned, self.trial, rung, self.plan)
            self.validation.check = partial(self._after_epoch, rung)
            self.validation.advance(rung.folds, rung.epochs, others_learned=learned)
        except StopRequested:
            record = self._save(saved)
            if record is not None:
                self._write(record)
            raise

    def _after_epoch(self, rung: Rung) -> None:
        """Say how far the trial has come on its way to a rung, and stop it where it is to stop."""
        self.context.report(progress_of(self.validation, str(rung)))
        self.context.check()

    def _save(self, before: CheckpointRecord | None) -> CheckpointRecord | None:
        """Write the checkpoints of the folds that have gone on; of one torn in the middle of an epoch the last one stays."""
        store, validation = self.context.checkpoints, self.validation
        if store is None:
            return None
        stored, files = before.folds if before else {}, {}
        for fold in range(validation.count):
            reseeds, training, file = validation.reseeds.get(fold, 0), validation.trainings.get(fold), stored.get(fold)
            if file is not None and file.reseeds == reseeds and (training is None or file.epoch == training.epoch):
                files[str(fold)] = asdict(file)
            elif training is not None and training.epoch:
                files[str(fold)] = asdict(store.keep(fold, reseeds, training.epoch, pack_fold(training)))
        reseeds_of, restarts = (
            {str(fold): number for fold, number in numbers.items()} for numbers in (validation.reseeds, validation.restarts)
        )
        seconds = round(validation.seconds, 3)
        return CheckpointRecord(files, reseeds_of, validation.abandoned, seconds, validation.fused, restarts)

    def _report(self, rung: Rung, left: int, before: RungResult | None, saved: CheckpointRecord | None) -> RungResult:
        """Tell the study that a rung is reached, and ask its pruner, all in one write; `left`: the rungs above it."""
        trial, goals = self.trial, self.plan.options.objectives
        results, scores = self.validation.results(), _out_of_fold(self.validation)
        values = {name: OBJECTIVES[name].measure(results, self.cost) for name in goals}
        two, would_prune = len(goals) > 1, before.would_prune if before else None
        steps = (*(before.steps if before else ()), rung.cost) if two else ()
        path = on_path(before.path if before else {}, values) if two else {}
        mean, error = rung_score(scores, self.plan.options.working_point)
        with self.context.transaction():
            if not two:
                trial.report(values["acceptance"], rung.cost)
            # The pruner is asked until it says so once: above, it would rank the trial among rivals that were not spared.
            prune = left > 0 and would_prune is None and (is_pruned(trial, steps, path) if two else trial.should_prune())
            if prune and self.never_pruned:
                would_prune = str(rung)
            result = replace(
                _reached(rung, results, self.validation),
                fitted=fit_acceptance(scores.by_fold(), self.plan.options.working_point),
                fitted_high=fit_rejection(scores.by_fold(), HIGH),
                mean_acceptance=mean,
                standard_error=error,
                would_prune=would_prune,
                pruned=prune and not self.never_pruned,
                steps=steps,
                path=path,
            )
            result.write(trial)
            write_named(trial, result)
            write_scores(trial, str(rung), scores)
            update_curves(trial, self.validation.curves(), self.validation.reseeds)
            if saved is not None and left:
                saved.write(trial)
            if two and (result.pruned or not left):
                trial.set_constraint(FEASIBLE, shortfall(result, left))
        if saved is not None and self.context.checkpoints is not None:
            self.context.checkpoints.tidy(saved)
        return result

    def _write(self, saved: CheckpointRecord) -> None:
        """Tell the study where a trial that is stopped between two rungs stands."""
        with self.context.transaction():
            saved.write(self.trial)
            update_curves(self.trial, self.validation.curves(), self.validation.reseeds)
        if self.context.checkpoints is not None:
            self.context.checkpoints.tidy(saved)


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
        needless=tuple(result.needless for result in results),
        epochs_run=validation.epochs_run,
        seconds=round(validation.seconds, 3),
        note=validation.note,
    )


def _out_of_fold(validation: CrossValidation) -> RungScores:
    """Give how every pit stands that a fold has validated so far."""
    task = validation.task
    probabilities = np.zeros((len(validation.folds), len(task.config.labelling.classes)))
    for training in validation.trainings.values():
        probabilities[training.validate] = training.probabilities()
    pits = np.isin(validation.folds, list(validation.trainings))
    scores, classes = probabilities[pits, 0], probabilities[pits].argmax(1)
    return RungScores(scores, validation.folds[pits], task.is_signal[pits], task.is_scored[pits], classes)


def _others_learned(trial: optuna.Trial, rung: Rung, plan: Plan) -> bool:
    """Tell whether another trial of the study has learned by this rung."""
    others = trial.study.get_trials(deepcopy=False)
    return any(on_rungs(other).get(rung.cost, 0.0) > LEARNED * plan.options.working_point for other in others)
