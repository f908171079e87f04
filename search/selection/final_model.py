"""Make the final model of a configuration that was confirmed: an ensemble, or one network trained again on all pits.

The ensemble has one member of every repeat, trained like any fold. A pit's scores out of fold, one from every repeat, are then
what an ensemble of as many members says of a pit that none of them has seen: their mean has the distribution that threshold and
temperature are to be fixed on, which the scores of single members have not. The refit is one network, with more pits to learn
from; its threshold comes from single networks that had fewer. `benchmarks/statistics/coverage.py` measures which is better.
Knows nothing of the held-out set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foils import Dataset
from models.inference.calibration import Calibration, calibrated, fit_temperature
from models.inference.ensemble import Ensemble
from models.metrics import Flags, Floats, threshold_at
from models.networks.build import Classifier
from models.process import one_thread
from models.training.cross_validation import make_training
from models.training.task import make_task
from models.training.verdicts import Verdict
from search.errors import StudyError
from search.seeds import derive_seed
from search.selection.confirm import Entrant
from search.selection.confirmations import Confirmation, ask_for
from search.studies.plan import Plan
from search.training.cross_validation import CVRequest
from search.training.fold_cache import FoldKey, assemble, find_members

# Also quoted at the false-positive rate that a rare signal asks for.
STRICT = 0.01
# A refit that does not learn is started again, with another seed, so often.
STARTS = 5


@dataclass(frozen=True)
class FinalModel:
    """A model, ready to score pits.

    `ensemble`: calibrated; `thresholds`: by working point, fixed on scores out of fold; `calibration`: what the temperature did
    there.
    """

    ensemble: Ensemble
    thresholds: Mapping[float, float]
    calibration: Calibration


def make_final_model(data: Dataset, plan: Plan, entrant: Entrant, final: str, workers: int | None = None) -> FinalModel:
    """Make the final model of an entrant.

    `data`: the pits that trials may see; `final`: of FINALS. Raises StudyError where nothing learned.
    """
    check_final(final)
    asks = [ask_for(plan, data, entrant.config, entrant.number, repeat) for repeat in range(len(entrant.repeats))]
    members, gather = FINALS[final]
    ensemble = assemble(data, entrant.config, members(asks, entrant, workers))
    scores, is_signal = gather(data, asks, entrant)
    calibration = fit_temperature(scores, is_signal)
    scores = calibrated(scores, calibration.temperature)
    rates = sorted({plan.options.working_point, STRICT}, reverse=True)
    thresholds = {rate: threshold_at(scores, is_signal, rate) for rate in rates}
    return FinalModel(replace(ensemble, temperature=calibration.temperature), thresholds, calibration)


def check_final(final: str) -> None:
    """Raise StudyError for an unknown kind of final model."""
    if final not in FINALS:
        raise StudyError(f"`final` must be one of {', '.join(FINALS)}, but got {final!r}; correct it.")


def _one_of_each(asks: Sequence[CVRequest], entrant: Entrant, workers: int | None) -> tuple[Classifier, ...]:
    """Give a member of every repeat, of a fold that learned; another fold each time, so that no pit is missed by all."""
    pieces = []
    for repeat, (ask, found) in enumerate(zip(asks, entrant.repeats, strict=True)):
        learned = [fold for fold, verdict in enumerate(found.verdicts) if verdict == Verdict.LEARNED]
        if learned:
            later = [fold for fold in learned if fold >= repeat % len(found.verdicts)]
            pieces.append(FoldKey(ask, found.reseeds, min(later or learned)))
    if not pieces:
        raise StudyError(f"a final model needs members that learned, but trial {entrant.number} has none; launch more trials.")
    return find_members(pieces, workers)


def _refitted(asks: Sequence[CVRequest], entrant: Entrant, workers: int | None) -> tuple[Classifier, ...]:
    """Train one network on all pits; it is judged on them, for there are no others."""
    ask = asks[0]
    every = np.arange(len(ask.data))
    with one_thread():
        task = make_task(ask.data, ask.config, epochs=ask.epochs, working_point=ask.working_point)
        for start in range(STARTS):
            training = make_training(task, every, every, derive_seed(ask.seed, start))
            training.advance(ask.epochs)
            if training.verdict() is Verdict.LEARNED:
                return (training.eval_model,)
    raise StudyError(f"a refit must learn, but trial {entrant.number}'s did not with {STARTS} seeds; use --final ensemble.")


def _means(data: Dataset, asks: Sequence[CVRequest], entrant: Entrant) -> tuple[Floats, Flags]:
    """Give each scored pit's mean over the repeats whose member for it learned, and which are signal."""
    scores = np.stack([_learned_scores(ask, found) for ask, found in zip(asks, entrant.repeats, strict=True)])
    usable = data.is_scored & np.isfinite(scores).any(0)
    means: Floats = np.nanmean(scores[:, usable], axis=0)
    return means, data.is_signal[usable]


def _singles(data: Dataset, asks: Sequence[CVRequest], entrant: Entrant) -> tuple[Floats, Flags]:
    """Give each scored pit's score of every repeat whose member for it learned, and which are signal."""
    parts = [_learned_scores(ask, found)[data.is_scored] for ask, found in zip(asks, entrant.repeats, strict=True)]
    scores, is_signal = np.concatenate(parts), np.tile(data.is_signal[data.is_scored], len(parts))
    usable = np.isfinite(scores)
    return scores[usable], is_signal[usable]


def _learned_scores(ask: CVRequest, found: Confirmation) -> Floats:
    """Give scores out of fold, `[pits]`, NaN where the member for a pit did not learn."""
    learned = np.array([verdict == Verdict.LEARNED for verdict in found.verdicts])
    scores: Floats = np.where(learned[list(ask.folds)], found.scores, np.nan)
    return scores


Members = Callable[[Sequence[CVRequest], Entrant, int | None], tuple[Classifier, ...]]
Gather = Callable[[Dataset, Sequence[CVRequest], Entrant], tuple[Floats, Flags]]

# What may be made of a winner: its networks, and the scores out of fold that threshold and temperature are fixed on.
FINALS: dict[str, tuple[Members, Gather]] = {"ensemble": (_one_of_each, _means), "refit": (_refitted, _singles)}
