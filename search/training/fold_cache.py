"""The members of an ensemble: trained folds of cross-validations, found where they were kept or trained again.

Whoever trains a whole cross-validation keeps its folds in the cache, under everything that they follow from; where they are
missing, because the cache was emptied or the training ran elsewhere, they are trained again to the same numbers. Knows nothing
of selecting or of the held-out set.
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
from foils.pack import cache_folder, write_cached
from models.inference.ensemble import Ensemble, with_weights
from models.networks.build import Classifier
from models.process import one_thread
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import Verdict
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


def keep_members(data: Dataset, validation: CrossValidation) -> None:
    """Keep every fold of a cross-validation that is trained to the end, so that a selection need not train it again."""
    task, reseeds = validation.task, [validation.reseeds.get(fold, 0) for fold in range(validation.count)]
    path = _place(data, task.config, validation.folds.tolist(), task.epochs, validation.seed, reseeds)
    weights: dict[str, npt.NDArray[np.generic]] = {
        str(fold): np.frombuffer(pack(data, training), np.uint8) for fold, training in validation.trainings.items()
    }
    write_cached(path, lambda stream: stream.write(save(weights)))


def find_members(pieces: Sequence[FoldKey], workers: int | None = None) -> tuple[Classifier, ...]:
    """Find trained folds where they were kept, or train those that were not, on worker processes."""
    weights_of = {number: weights for number, piece in enumerate(pieces) if (weights := _recall(piece)) is not None}
    missing = [(number, piece) for number, piece in enumerate(pieces) if number not in weights_of]
    weights_of.update(parallel_map(_train, missing, min(workers or cpu_count(), max(len(missing), 1))))
    return tuple(
        unpack(pieces[number].ask.data, pieces[number].ask.config, weights_of[number]) for number in range(len(pieces))
    )


def trial_members(data: Dataset, trial: FrozenTrial, plan: Plan, workers: int | None = None) -> Ensemble:
    """Give the folds of a trial's own cross-validation that learned, as an ensemble.

    `data`: the pits that trials may see. Raises StudyError where none learned.
    """
    recipe, reached = Recipe.demand(trial), RungResult.demand(trial)
    config = Config.from_dict(recipe.config)
    ask = CVRequest(data, config, plan.folds, recipe.seed, plan.ladder.epochs, plan.options.working_point)
    learned = [fold for fold, verdict in enumerate(reached.verdicts) if verdict == Verdict.LEARNED]
    if not learned:
        raise StudyError(f"an ensemble must have members that learned, but trial {trial.number} has none; choose another.")
    return assemble(data, config, find_members([FoldKey(ask, reached.reseeds, fold) for fold in learned], workers))


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


def _train(item: tuple[int, FoldKey]) -> tuple[int, bytes]:
    """Train one fold to the end, on one thread as in its cross-validation."""
    number, piece = item
    ask = piece.ask
    with one_thread():
        task = make_task(ask.data, ask.config, epochs=ask.epochs, working_point=ask.working_point)
        training = start_fold(task, np.array(ask.folds), piece.fold, ask.seed, piece.reseeds[piece.fold])
        training.advance(ask.epochs)
        return number, pack(ask.data, training)


def _recall(piece: FoldKey) -> bytes | None:
    ask = piece.ask
    path = _place(ask.data, ask.config, ask.folds, ask.epochs, ask.seed, piece.reseeds)
    try:
        return load(path.read_bytes())[str(piece.fold)].tobytes()
    except (OSError, SafetensorError):
        return None  # not trained yet, or cut short: train


def _place(data: Dataset, config: Config, folds: Sequence[int], epochs: int, seed: int, reseeds: Sequence[int]) -> Path:
    """Name the file of some members by everything that they follow from."""
    pits = data.fingerprint, data.rows.tolist(), list(folds)
    key = [*pits, epochs, config.to_dict(), seed, list(reseeds), torch.__version__]
    return cache_folder() / f"members-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.safetensors"
