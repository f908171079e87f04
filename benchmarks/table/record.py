"""Record the table: train configurations whole, on every fold, and keep what each epoch and the finished ensemble are worth.

Data sets take turns, number by number, so that a table which is not finished yet holds the same configurations of each. Every
training is written to a file of its own when it ends; run again, the command goes on. What the table holds is not trained
again. Trainings are neither pruned nor started again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache, partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table.collect import paths
from benchmarks.table.configurations import SOUND, draw, fitted_space
from benchmarks.table.data_sets import FOLDS, Searched, prepare, read
from benchmarks.table.measures import Measures, measure
from benchmarks.table.recorded import Recorded, has_table
from benchmarks.table.recorded import read as read_table
from foils import Dataset
from foils.atomic_write import write_whole
from models.inference.ensemble import Ensemble
from models.metrics import Floats
from models.process import one_thread
from models.seeds import derive_seed
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import Verdict
from search.training.pool import parallel_map

COUNT, EPOCHS, WORKING_POINT = 250, 30, 0.05
# So many of the best are trained again, from another seed and on another split, and those that a selection may race SEEDS times
# in all.
AGAIN, RACED, SEEDS = 50, 10, 4
# A configuration whose folds reach less than this share of the sound recipe's mean acceptance is scored on FEW fresh pits: how
# bad it is needs no more, and scoring every light of 20,000 pits with five members may take longer than training them.
POOR, FEW = 0.8, 4000

# A data set, the number of a configuration, and the number of a seed.
Key = tuple[str, int, int]


def record(searched: Searched, number: int, seed: int, poor: float, epochs: int = EPOCHS) -> dict[str, Any]:
    """Train a configuration on every fold and give what it was worth, as plain values.

    `poor`: the mean acceptance of the folds under which few fresh pits are scored.
    """
    data = searched.data
    config = draw(number, data, fitted_space(data))
    task = make_task(data, config, epochs=epochs, working_point=WORKING_POINT)
    trainings, curves, folds = [], [], searched.folds(seed)
    for fold in range(FOLDS):
        training = start_fold(task, folds, fold, derive_seed(number, seed), 0)
        curves.append(_train(training))
        trainings.append(training)
    started = time.process_time()
    good = np.mean([curve[-1]["mean_acceptance"] for curve in curves]) >= poor
    fresh = len(searched.crops) if good else min(FEW, len(searched.crops))
    is_signal = searched.is_signal[:fresh]
    members = [_scores(training, searched, fresh) for training in trainings]
    verdicts = [training.verdict() for training in trainings]
    learned = [scores for scores, verdict in zip(members, verdicts, strict=True) if verdict is Verdict.LEARNED]
    return {
        "config": config.to_dict(),
        "verdicts": verdicts,
        "curves": curves,
        "fresh": fresh,
        "members": [_plain(measure(scores, is_signal)) for scores in members],
        # Of the members that learned, as a selection keeps them; None where none did.
        "ensemble": _plain(measure(np.mean(learned, 0), is_signal)) if learned else None,
        "scoring_ms": round(1000 * (time.process_time() - started)),
    }


def _train(training: FoldTraining) -> list[dict[str, Any]]:
    """Train a fold to its end and give what each epoch was worth; a training that ends early has fewer."""
    task, curve = training.task, []
    scored = task.is_scored[training.validate]
    is_signal = task.is_signal[training.validate][scored]
    while not training.ended:
        started = time.process_time()
        training.advance(training.epoch + 1)
        ms = 1000 * (time.process_time() - started)
        curve.append(
            {
                "train_loss": _rounded(training.train_loss[-1]),
                "validation_loss": _rounded(training.validation_loss[-1]),
                "verdict": training.verdict(planned=training.epoch),
                "ms": round(ms, 1),
                **_plain(measure(training.scores()[scored], is_signal)),
            }
        )
    return curve


def _scores(training: FoldTraining, searched: Searched, fresh: int) -> Floats:
    """Score the first fresh pits with one member, `[fresh]`; a training that diverged accepts nothing."""
    if training.diverged:
        return np.zeros(fresh)
    data = searched.data
    config, channels, size = training.task.config, data.description.channels, data.description.crop
    member = Ensemble(config, (training.eval_model,), channels, size, data.full_scale)
    return np.nan_to_num(member.scores(searched.crops[:fresh]))


def _plain(measures: Measures) -> dict[str, Any]:
    return {
        "acceptance": [_rounded(value) for value in measures.acceptance],
        "mean_acceptance": _rounded(measures.mean_acceptance),
        "standard_error": _rounded(measures.standard_error),
        "auc": _rounded(measures.auc),
    }


def _rounded(value: float) -> float:
    """Round to what a float32 holds for sure; JSON has no numbers that are not finite, and a loss beyond is as good as any."""
    return float(f"{value:.6g}") if np.isfinite(value) else 1e30


def _place(folder: Path, key: Key) -> Path:
    name, number, seed = key
    return folder / "trainings" / name / f"{number}-{seed}.json"


def _missing(folder: Path, table: Path, names: Sequence[str], count: int) -> Iterator[Key]:
    """List what is not recorded yet: the sound recipe, every configuration, then the best again from other seeds."""
    for number in (SOUND, *(number for number in range(count) if number != SOUND)):
        yield from (key for name in names if _worth(folder, table, key := (name, number, 0)) is None)
    for seed in range(1, SEEDS):
        for rank in range(AGAIN if seed == 1 else RACED):
            for name in names:
                best = _best(folder, table, name, count)
                if rank < len(best) and _worth(folder, table, key := (name, best[rank], seed)) is None:
                    yield key


def _best(folder: Path, table: Path, name: str, count: int) -> list[int]:
    """List the configurations by their worth, the best first."""
    worth = {number: value for number in range(count) if (value := _worth(folder, table, (name, number, 0))) is not None}
    return sorted(worth, key=lambda number: -worth[number])


def _worth(folder: Path, table: Path, key: Key) -> float | None:
    """Give the mean acceptance of a training's folds at the end; None where neither folder nor table holds it."""
    place = _place(folder, key)
    return _worth_of(place) if place.exists() else _collected(table, key[0]).get(key[1:])


@cache
def _worth_of(place: Path) -> float:
    """Read the worth of a training, which does not change once it is written."""
    return float(np.mean([curve[-1]["mean_acceptance"] for curve in json.loads(place.read_text())["curves"]]))


@cache
def _table(table: Path, name: str) -> Recorded | None:
    """Read the table of a data set, where there is one."""
    return read_table(name, table) if has_table(name, table) else None


@cache
def _collected(table: Path, name: str) -> dict[tuple[int, int], float]:
    """Give the worth of each training that a table holds, by number and seed."""
    recorded = _table(table, name)
    if recorded is None:
        return {}
    worths = recorded.epochs["mean_acceptance"][..., -1].mean(-1)
    return {
        (int(recorded.numbers[row]), int(seed)): float(worths[row, seed]) for row, seed in np.argwhere(recorded.is_recorded)
    }


def _check(table: Path, name: str, data: Dataset) -> None:
    """Raise ValueError where a table holds other configurations than those that are drawn now."""
    recorded, space = _table(table, name), fitted_space(data)
    if recorded is None:
        return
    for number, config in zip(recorded.numbers.tolist(), recorded.configs, strict=True):
        if draw(number, data, space).to_dict() != config:
            raise ValueError(
                f"a table must hold the configurations that are drawn now, but {paths(table, name)[1].name} has another number "
                f"{number}; record into an empty folder with `--table` of an empty folder, too."
            )


@lru_cache
def _read(name: str, folder: Path) -> Searched:
    return read(name, folder)


def _record(folder: Path, table: Path, key: Key) -> tuple[Key, float]:
    started, (name, number, seed) = time.perf_counter(), key
    with one_thread():
        values = record(_read(name, folder), number, seed, POOR * (_worth(folder, table, (name, SOUND, 0)) or 0.0))
    place = _place(folder, key)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, lambda stream: stream.write(json.dumps(values).encode()))
    return key, time.perf_counter() - started


def record_missing(
    folder: Path, table: Path, names: Sequence[str], count: int, workers: int, seconds: float
) -> Iterator[tuple[Key, float]]:
    """Record what is missing, until so many seconds are over; give each training's key and its seconds when it is written.

    `table`: the folder of the Parquet files; what they hold is not missing. Raises ValueError where it is not what is drawn.
    """
    started = time.monotonic()
    for name in names:
        prepare(name, folder, workers)
        _check(table, name, _read(name, folder).data)
    keys = takewhile(lambda key: time.monotonic() - started < seconds, _missing(folder, table, names, count))
    return parallel_map(partial(_record, folder, table), keys, workers)
