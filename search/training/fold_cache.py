"""The members of an ensemble: trained folds of cross-validations, found where they were kept or trained again.

Whoever trains a whole cross-validation keeps its folds in the cache, under everything that they follow from; where they are
missing, because the cache was emptied or the training ran elsewhere, they are trained again to the same numbers. A fold whose
scores are on record is held against them, wherever it comes from. Knows nothing of selecting or of the held-out set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from joblib import cpu_count
from optuna.trial import FrozenTrial
from safetensors import SafetensorError
from safetensors.numpy import load, save

from foils import Dataset
from foils.cache import cache_folder, read_cached, write_cached
from models.errors import BundleError
from models.inference.ensemble import Ensemble, with_weights
from models.metrics import Floats
from models.networks.build import Classifier
from models.process import one_thread
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import Verdict
from search.counting import Step, shown
from search.errors import StudyError
from search.studies.plan import Plan
from search.training.cross_validation import CVRequest
from search.training.pool import parallel_map
from search.trials.records import Recipe, RungResult
from spaces import Config


@dataclass(frozen=True)
class FoldKey:
    """One trained fold of a cross-validation."""

    ask: CVRequest
    # How often each fold of the cross-validation was started again.
    reseeds: tuple[int, ...]
    # The number of this fold.
    fold: int
    # P(signal) of every pit out of fold, `[pits]`, as it was recorded when the cross-validation ended; None where it was not.
    scores: Floats | None = None


# What the scores of one and the same member may differ by between two processes or machines.
SAME = 1e-3


def keep_members(data: Dataset, validation: CrossValidation) -> None:
    """Keep every fold of a cross-validation that is trained to the end, so that a selection need not train it again."""
    task, reseeds = validation.task, [validation.reseeds.get(fold, 0) for fold in range(validation.count)]
    path, key = _place(data, task.config, validation.folds.tolist(), task.epochs, validation.seed, reseeds)
    weights: dict[str, npt.NDArray[np.generic]] = {
        str(fold): np.frombuffer(pack(data, training), np.uint8) for fold, training in validation.trainings.items()
    }
    write_cached(path, key, lambda stream: stream.write(save(weights)))


def find_members(
    pieces: Sequence[FoldKey], workers: int | None = None, progress: bool | Step = False
) -> tuple[Classifier, ...]:
    """Find trained folds where they were kept, or train those that were not, on worker processes; `progress` counts these.

    A kept fold that does not give the scores on record is trained again. Raises StudyError where one that was trained again
    does not learn: what is on record of it is not of this data and version.
    """
    members = {number: member for number, piece in enumerate(pieces) if (member := _recall(piece)) is not None}
    missing = [(number, piece) for number, piece in enumerate(pieces) if number not in members]
    if not missing:
        return tuple(members[number] for number in range(len(pieces)))
    count = min(workers or cpu_count(), len(missing))
    with shown(progress, "folds trained again", count) as step:
        step(0, len(missing))
        for finished, (number, weights, verdict) in enumerate(parallel_map(_train, missing, count), start=1):
            piece = pieces[number]
            members[number] = unpack(piece.ask.data, piece.ask.config, weights)
            # On another kind of processor the same training may end with other numbers: a member as good as any, if it learned.
            if verdict != Verdict.LEARNED and not gives_scores(piece, members[number]):
                raise StudyError(
                    f"a member must give the scores that the study recorded, but fold {piece.fold}, trained again, {verdict}; "
                    "select where the study was confirmed, or launch and confirm under another study name."
                )
            step(finished, len(missing))
    return tuple(members[number] for number in range(len(pieces)))


def gives_scores(piece: FoldKey, member: Classifier) -> bool:
    """Tell whether a member gives its fold's pits the scores that were recorded, if any were."""
    if piece.scores is None:
        return True
    data, folds = piece.ask.data, np.array(piece.ask.folds)
    pits = np.flatnonzero(folds == piece.fold)
    with one_thread():
        scores = assemble(data, piece.ask.config, (member,)).scores(data.take(pits).crops())
    return bool(np.allclose(scores, piece.scores[pits], rtol=0.0, atol=SAME))


def trial_members(
    data: Dataset, trial: FrozenTrial, plan: Plan, workers: int | None = None, progress: bool | Step = False
) -> Ensemble:
    """Give the folds of a trial's own cross-validation that learned, as an ensemble.

    `data`: the pits that trials may see; `progress` counts the folds that are trained again. Raises StudyError where none
    learned.
    """
    recipe, reached = Recipe.demand(trial), RungResult.demand(trial)
    config = Config.from_dict(recipe.config)
    ask = CVRequest(data, config, plan.folds, recipe.seed, plan.ladder.epochs, plan.options.working_point)
    learned = [fold for fold, verdict in enumerate(reached.verdicts) if verdict == Verdict.LEARNED]
    if not learned:
        raise StudyError(f"an ensemble must have members that learned, but trial {trial.number} has none; choose another.")
    return assemble(data, config, find_members([FoldKey(ask, reached.reseeds, fold) for fold in learned], workers, progress))


def assemble(data: Dataset, config: Config, members: tuple[Classifier, ...]) -> Ensemble:
    """Make an ensemble for images like a data set's."""
    return Ensemble(config, members, data.description.channels, data.description.crop, data.full_scale)


def pack(data: Dataset, training: FoldTraining) -> bytes:
    """Give a training's weights as safetensors bytes."""
    return assemble(data, training.task.config, (training.eval_model,)).weights()


def unpack(data: Dataset, config: Config, weights: bytes) -> Classifier:
    """Rebuild a classifier from `pack`'s bytes."""
    description = data.description
    return with_weights(weights, config, 1, description.channels, description.crop, data.full_scale).members[0]


def _train(item: tuple[int, FoldKey]) -> tuple[int, bytes, Verdict]:
    """Train one fold to the end, on one thread as in its cross-validation."""
    number, piece = item
    ask = piece.ask
    with one_thread():
        task = make_task(ask.data, ask.config, epochs=ask.epochs, working_point=ask.working_point)
        training = start_fold(task, np.array(ask.folds), piece.fold, ask.seed, piece.reseeds[piece.fold])
        training.advance(ask.epochs)
        return number, pack(ask.data, training), training.verdict()


def _recall(piece: FoldKey) -> Classifier | None:
    """Find a fold in the cache; None where it is missing there, damaged, or not the one that the record is of."""
    ask = piece.ask
    content = read_cached(*_place(ask.data, ask.config, ask.folds, ask.epochs, ask.seed, piece.reseeds))
    try:
        weights = None if content is None else load(content).get(str(piece.fold))
        member = None if weights is None else unpack(ask.data, ask.config, weights.tobytes())
    except (SafetensorError, BundleError):
        return None
    return member if member is not None and gives_scores(piece, member) else None


def _place(
    data: Dataset, config: Config, folds: Sequence[int], epochs: int, seed: int, reseeds: Sequence[int]
) -> tuple[Path, str]:
    """Name the file of some members by everything that they follow from, and give that as the key of its content."""
    pits = data.fingerprint, data.rows.tolist(), list(folds)
    key = json.dumps([*pits, epochs, config.to_dict(), seed, list(reseeds), torch.__version__])
    return cache_folder() / f"members-{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors", key
