"""Make the final model of a configuration that was confirmed: an ensemble, or one network trained again on all pits.

The ensemble has one member of every repeat, trained like any fold. The mean of a pit's scores out of fold, one from every
repeat, is then distributed like the score that an ensemble of as many members gives a pit that none of them has seen: threshold
and calibration are fixed on it, not on the scores of single members. The refit is one network, with more pits to learn from;
its threshold comes from single networks that had fewer. `benchmarks/statistics/coverage.py` measures which is better.
Knows nothing of the held-out set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foils import Dataset
from models.inference.calibration import Calibration, calibrated, fit_calibration
from models.inference.ensemble import Ensemble
from models.metrics import Floats, threshold_at
from models.networks.build import Classifier
from models.process import one_thread
from models.training.cross_validation import make_training
from models.training.task import make_task
from models.training.verdicts import Verdict
from pitsearch.errors import did_you_mean
from search import defaults
from search.counting import Step, shown
from search.errors import StudyError
from search.seeds import derive_seed
from search.selection.confirm import Entrant
from search.selection.confirmations import Confirmation, confirmation_request
from search.selection.pit_scores import OutOfFold
from search.studies.plan import Plan
from search.training.cross_validation import CVRequest
from search.training.fold_cache import FoldKey, assemble, find_members

# A refit that does not learn is started again, with another seed, so often.
STARTS = 5


@dataclass(frozen=True)
class FinalModel:
    """A model, ready to score pits."""

    # Calibrated.
    ensemble: Ensemble
    # By working point, fixed on scores out of fold.
    thresholds: Mapping[float, float]
    # Temperature and offset, and their effect on those scores.
    calibration: Calibration
    # The background pits that may be among them; 0 where that is not known.
    backgrounds: int = 0
    # Those scores; None where they are not known.
    out_of_fold: OutOfFold | None = None


def make_final_model(
    data: Dataset, plan: Plan, entrant: Entrant, final: str, workers: int | None = None, progress: bool | Step = False
) -> FinalModel:
    """Make the final model of an entrant.

    `data`: the pits that trials may see; `final`: of FINALS; `progress` counts what is trained for it. Raises StudyError where
    nothing learned.
    """
    check_final(final)
    requests = [
        confirmation_request(plan, data, entrant.config, entrant.number, repeat) for repeat in range(len(entrant.repeats))
    ]
    members, gather = FINALS[final]
    ensemble = assemble(data, entrant.config, members(requests, entrant, workers, progress))
    return fix_threshold(data, plan, ensemble, gather(requests, entrant))


def fix_threshold(data: Dataset, plan: Plan, ensemble: Ensemble, raw: OutOfFold) -> FinalModel:
    """Fit an ensemble's calibration, and fix its thresholds; `raw`: scores out of fold before calibration."""
    usable = data.is_scored & np.isfinite(raw.scores)
    scores, is_signal = raw.scores[usable], np.broadcast_to(data.is_signal, usable.shape)[usable]
    calibration = fit_calibration(scores, is_signal)
    scores = calibrated(scores, calibration.temperature, calibration.offset)
    rates = sorted({plan.options.working_point, defaults.STRICT}, reverse=True)
    thresholds = {rate: threshold_at(scores, is_signal, rate) for rate in rates}
    backgrounds = int((data.is_scored & ~data.is_signal).sum())
    ensemble = replace(ensemble, temperature=calibration.temperature, offset=calibration.offset)
    out_of_fold = replace(raw, scores=calibrated(raw.scores, calibration.temperature, calibration.offset))
    return FinalModel(ensemble, thresholds, calibration, backgrounds, out_of_fold)


def check_final(final: str) -> None:
    """Raise StudyError for an unknown kind of final model."""
    if final not in FINALS:
        raise StudyError(f"`final` must be one of {', '.join(FINALS)}, but got {final!r}; {did_you_mean(final, FINALS)}.")


def _one_of_each(
    requests: Sequence[CVRequest], entrant: Entrant, workers: int | None, progress: bool | Step
) -> tuple[Classifier, ...]:
    """Give a member of every repeat, of a fold that learned; another fold each time, so that no pit is missed by all."""
    folds = []
    for repeat, (request, confirmation) in enumerate(zip(requests, entrant.repeats, strict=True)):
        learned = [fold for fold, verdict in enumerate(confirmation.verdicts) if verdict == Verdict.LEARNED]
        if learned:
            later = [fold for fold in learned if fold >= repeat % len(confirmation.verdicts)]
            folds.append(FoldKey(request, confirmation.reseeds, min(later or learned), confirmation.scores))
    if not folds:
        raise StudyError(f"a final model needs members that learned, but trial {entrant.number} has none; launch more trials.")
    return find_members(folds, workers, progress)


def _refitted(
    requests: Sequence[CVRequest], entrant: Entrant, workers: int | None, progress: bool | Step
) -> tuple[Classifier, ...]:
    """Train one network on all pits; its verdict is on the same pits, because there are no others."""
    request = requests[0]
    every = np.arange(len(request.data))
    with one_thread(), shown(progress, "epochs of the refit") as step:
        task = make_task(request.data, request.config, epochs=request.epochs, working_point=request.working_point)
        for start in range(STARTS):
            training = make_training(task, every, every, derive_seed(request.seed, start))
            for epoch in range(request.epochs):
                step(start * request.epochs + epoch, (start + 1) * request.epochs)
                training.advance(epoch + 1)
            if training.verdict() is Verdict.LEARNED:
                step((start + 1) * request.epochs, (start + 1) * request.epochs)
                return (training.eval_model,)
    raise StudyError(f"a refit must learn, but trial {entrant.number}'s did not with {STARTS} seeds; use --final ensemble.")


def _means(requests: Sequence[CVRequest], entrant: Entrant) -> OutOfFold:
    """Give each pit's mean over the repeats whose member for it learned."""
    singles = _singles(requests, entrant)
    usable = np.isfinite(singles.scores).any(axis=0)
    means = np.full_like(singles.scores[:1], np.nan)
    means[0, usable] = np.nanmean(singles.scores[:, usable], axis=0)
    return OutOfFold(means, [[" ".join(folds) for folds in zip(*singles.folds, strict=True)]])


def _singles(requests: Sequence[CVRequest], entrant: Entrant) -> OutOfFold:
    """Give each pit's score of every repeat whose member for it learned."""
    scores = [_learned_scores(request, confirmation) for request, confirmation in zip(requests, entrant.repeats, strict=True)]
    return OutOfFold(np.stack(scores), [[*map(str, request.folds)] for request in requests])


def _learned_scores(request: CVRequest, confirmation: Confirmation) -> Floats:
    """Give scores out of fold, `[pits]`, NaN where the member for a pit did not learn."""
    learned = np.array([verdict == Verdict.LEARNED for verdict in confirmation.verdicts])
    scores: Floats = np.where(learned[list(request.folds)], confirmation.scores, np.nan)
    return scores


Members = Callable[[Sequence[CVRequest], Entrant, int | None, bool | Step], tuple[Classifier, ...]]
Gather = Callable[[Sequence[CVRequest], Entrant], OutOfFold]

# The kinds of final model: its networks, and the scores out of fold that threshold and calibration are fixed on.
FINALS: dict[str, tuple[Members, Gather]] = {"ensemble": (_one_of_each, _means), "refit": (_refitted, _singles)}
