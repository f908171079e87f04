"""Train the members of a trial's ensemble: one a fold, the same trainings that the trial itself ran.

They are kept in the cache under everything that they follow from, so that `select` and `export` train them once. Knows
nothing of selecting or of the held-out set.
"""

from __future__ import annotations

import hashlib
import json
import os
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
from foils.pack import cache_folder
from models.crossvalidation import make_task, start_fold
from models.ensemble import Ensemble, with_weights
from models.metrics import Floats
from models.verdicts import Verdict
from search.errors import StudyError
from search.ladder import Ladder
from search.studies import Plan
from spaces import Config


@dataclass(frozen=True)
class Members:
    """`ensemble`: the members that learned; `learned`: `[folds]`; `out_of_fold`: `[pits]`, each scored by the member that
    did not train on it, NaN where that member did not learn."""

    ensemble: Ensemble
    learned: npt.NDArray[np.bool_]
    out_of_fold: Floats


def train_members(data: Dataset, trial: FrozenTrial, plan: Plan, workers: int | None = None) -> Members:
    """Train a trial's folds to the end, or find them trained, and drop those that did not learn.

    `data`: the pits that trials may see. Raises StudyError where none learned.
    """
    config = Config.from_dict(trial.user_attrs["config"])
    seed, reseeds = trial.user_attrs["seed"], trial.user_attrs["reseeds"]
    key = [data.fingerprint, plan.folds, plan.ladder, config.to_dict(), seed, reseeds, torch.__version__]
    path = cache_folder() / f"members-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.safetensors"
    kept = _recall(path)
    if kept is None:
        folds = range(len(reseeds))
        run = delayed(_train_fold)
        results = Parallel(n_jobs=min(workers or cpu_count(), len(folds)))(
            run(data, config, plan, seed, fold, reseeds[fold]) for fold in folds
        )
        kept = {f"weights.{fold}": np.frombuffer(weights, np.uint8) for fold, (weights, _, _) in enumerate(results)}
        kept["learned"] = np.array([learned for _, learned, _ in results])
        kept["out_of_fold"] = np.nansum([scores for _, _, scores in results], axis=0)
        _keep(path, kept)
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


def _train_fold(data: Dataset, config: Config, plan: Plan, seed: int, fold: int, reseeds: int) -> tuple[bytes, bool, Floats]:
    """Train one fold to the end: its weights, whether it learned, its validation scores (`[pits]`, NaN elsewhere)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ladder = Ladder.parse(plan.ladder)
        task = make_task(data, config, epochs=ladder.epochs, working_point=plan.working_point)
        training = start_fold(task, np.array(plan.folds), fold, seed, reseeds)
        training.advance(ladder.epochs)
    finally:
        torch.set_num_threads(threads)
    scores = np.full(len(data), np.nan)
    scores[training.validate] = training.scores()
    lights, size, scale = data.description.channels, data.description.crop, data.full_scale
    weights = Ensemble(config, (training.classifier,), lights, size, scale).weights()
    return weights, training.verdict() is Verdict.LEARNED, scores


def _recall(path: Path) -> dict[str, npt.NDArray[np.generic]] | None:
    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError):
        return None  # not trained yet, or cut short: train


def _keep(path: Path, kept: dict[str, npt.NDArray[np.generic]]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(save(kept))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StudyError(
            f"{path.parent}: the cache folder must be writable, but: {error.strerror}; free space there, or set "
            "PITSEARCH_CACHE to another folder."
        ) from None
