"""The members of a trial's ensemble: one a fold, the trainings that the trial itself ran.

A trial that climbs the whole ladder keeps them in the cache, under everything that they follow from; where they are missing,
because the cache was emptied or the trial ran elsewhere, they are trained again to the same numbers. Knows nothing of
selecting or of the held-out set.
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
from joblib import Parallel, cpu_count, delayed
from optuna.trial import FrozenTrial
from safetensors import SafetensorError
from safetensors.numpy import load, save

from foils import Dataset
from foils.pack import cache_folder, write_cached
from models.crossvalidation import CrossValidation, make_task, start_fold
from models.ensemble import Ensemble, with_weights
from models.metrics import Floats
from models.process import one_thread
from models.training import FoldTraining
from models.verdicts import Verdict
from search.errors import StudyError
from search.ladder import Ladder
from search.records import Reached, Recipe
from search.studies import Plan
from spaces import Config

# A fold's weights as safetensors bytes, whether it learned, its validation pits' scores.
Trained = tuple[bytes, bool, Floats]


@dataclass(frozen=True)
class Members:
    """`ensemble`: the members that learned; `learned`: `[folds]`; `out_of_fold`: `[pits]`, each scored by the member that
    did not train on it, NaN where that member did not learn."""

    ensemble: Ensemble
    learned: npt.NDArray[np.bool_]
    out_of_fold: Floats


def keep_members(data: Dataset, validation: CrossValidation, plan: Plan) -> None:
    """Keep the members of a trial that has climbed the whole ladder, so that a selection need not train them again."""
    reseeds = [validation.reseeds.get(fold, 0) for fold in range(validation.count)]
    trained = [_pack(data, training) for _, training in sorted(validation.trainings.items())]
    _write(_place(data, validation.task.config, plan, validation.seed, reseeds), trained)


def train_members(data: Dataset, trial: FrozenTrial, plan: Plan, workers: int | None = None) -> Members:
    """Find a trial's members where it kept them, or train them to the same end, and drop those that did not learn.

    `data`: the pits that trials may see. Raises StudyError where none learned.
    """
    recipe, reseeds = Recipe.demand(trial), Reached.demand(trial).reseeds
    config, seed = Config.from_dict(recipe.config), recipe.seed
    path = _place(data, config, plan, seed, reseeds)
    kept = _recall(path)
    if kept is None:
        run = delayed(_train_fold)
        parallel = Parallel(n_jobs=min(workers or cpu_count(), len(reseeds)))
        _write(path, parallel(run(data, config, plan, seed, fold, again) for fold, again in enumerate(reseeds)))
        kept = load(path.read_bytes())
    learned = kept["learned"].astype(np.bool_)
    if not learned.any():
        raise StudyError(f"a winner must have members that learn, but trial {trial.number} has none; launch more trials.")
    size, scale, lights = data.description.crop, data.full_scale, data.description.channels
    members = [
        with_weights(kept[f"weights.{fold}"].tobytes(), config, 1, lights, size, scale).members[0]
        for fold in np.flatnonzero(learned)
    ]
    scores = np.where(learned[list(plan.folds)], kept["out_of_fold"].astype(np.float64), np.nan)
    return Members(Ensemble(config, tuple(members), lights, size, scale), learned, scores)


def _place(data: Dataset, config: Config, plan: Plan, seed: int, reseeds: Sequence[int]) -> Path:
    """Name the file of some members by everything that they follow from."""
    key = [data.fingerprint, plan.folds, plan.ladder, config.to_dict(), seed, list(reseeds), torch.__version__]
    return cache_folder() / f"members-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.safetensors"


def _train_fold(data: Dataset, config: Config, plan: Plan, seed: int, fold: int, reseeds: int) -> Trained:
    """Train one fold to the end, on one thread as in its trial."""
    with one_thread():
        ladder = Ladder.parse(plan.ladder)
        task = make_task(data, config, epochs=ladder.epochs, working_point=plan.working_point)
        training = start_fold(task, np.array(plan.folds), fold, seed, reseeds)
        training.advance(ladder.epochs)
        return _pack(data, training)


def _pack(data: Dataset, training: FoldTraining) -> Trained:
    """Give a fold's weights, whether it learned, and its validation pits' scores, `[pits]`, 0 elsewhere."""
    lights, size, scale = data.description.channels, data.description.crop, data.full_scale
    weights = Ensemble(training.task.config, (training.judged,), lights, size, scale).weights()
    scores = np.zeros(len(data))
    scores[training.validate] = training.scores()
    return weights, training.verdict() is Verdict.LEARNED, scores


def _recall(path: Path) -> dict[str, npt.NDArray[np.generic]] | None:
    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError):
        return None  # not trained yet, or cut short: train


def _write(path: Path, trained: Sequence[Trained]) -> None:
    kept: dict[str, npt.NDArray[np.generic]] = {
        f"weights.{fold}": np.frombuffer(weights, np.uint8) for fold, (weights, _, _) in enumerate(trained)
    }
    kept["learned"] = np.array([learned for _, learned, _ in trained])
    kept["out_of_fold"] = np.sum([scores for _, _, scores in trained], axis=0)
    write_cached(path, lambda stream: stream.write(save(kept)))
