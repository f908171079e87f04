"""Record the table: train configurations whole, on every fold, and keep what each epoch and the finished ensemble are worth.

    python -m benchmarks.table.record build/table --minutes 180

Data sets take turns, number by number, so that a table which is not finished yet holds the same configurations of each. Every
training is written to a file of its own when it ends; run again, the command goes on. Trainings are neither pruned nor started
again. `python -m benchmarks.table.collect` makes the Parquet files of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from joblib import cpu_count

from benchmarks.table.configurations import draw, fitted_space
from benchmarks.table.data_sets import DATA_SETS, FOLDS, Searched, prepare, read
from benchmarks.table.measures import Measures, measure
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
# How many of the best are trained again from another seed.
AGAIN = 50

# A data set, the number of a configuration, and the number of a seed.
Key = tuple[str, int, int]


def record(searched: Searched, number: int, seed: int, epochs: int = EPOCHS) -> dict[str, Any]:
    """Train a configuration on every fold and give what it was worth, as plain values."""
    data = searched.data
    config = draw(number, data, fitted_space(data))
    task = make_task(data, config, epochs=epochs, working_point=WORKING_POINT)
    trainings, curves = [], []
    for fold in range(FOLDS):
        training = start_fold(task, searched.folds, fold, derive_seed(number, seed), 0)
        curves.append(_train(training))
        trainings.append(training)
    started = time.process_time()
    members = [_scores(searched, training) for training in trainings]
    verdicts = [training.verdict() for training in trainings]
    learned = [scores for scores, verdict in zip(members, verdicts, strict=True) if verdict is Verdict.LEARNED]
    return {
        "config": config.to_dict(),
        "verdicts": verdicts,
        "curves": curves,
        "members": [_plain(measure(scores, searched.is_signal)) for scores in members],
        # Of the members that learned, as a selection keeps them; None where none did.
        "ensemble": _plain(measure(np.mean(learned, 0), searched.is_signal)) if learned else None,
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


def _scores(searched: Searched, training: FoldTraining) -> Floats:
    """Score the fresh pits with one member, `[pits]`; a training that diverged accepts nothing."""
    if training.diverged:
        return np.zeros(len(searched.crops))
    data = searched.data
    member = Ensemble(
        training.task.config, (training.eval_model,), data.description.channels, data.description.crop, data.full_scale
    )
    return np.nan_to_num(member.scores(searched.crops))


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


def _missing(folder: Path, names: Sequence[str], count: int) -> Iterator[Key]:
    """List what is not recorded yet: every configuration, then the best again from another seed."""
    for number in range(count):
        yield from (key for name in names if not _place(folder, key := (name, number, 0)).exists())
    for number in range(AGAIN):
        for name in names:
            best = _best(folder, name, count)
            if number < len(best) and not _place(folder, key := (name, best[number], 1)).exists():
                yield key


def _best(folder: Path, name: str, count: int) -> list[int]:
    """List the configurations by the mean acceptance of their folds at the end, the best first."""
    worth = {}
    for number in range(count):
        place = _place(folder, (name, number, 0))
        if place.exists():
            worth[number] = float(np.mean([curve[-1]["mean_acceptance"] for curve in json.loads(place.read_text())["curves"]]))
    return sorted(worth, key=lambda number: -worth[number])


@lru_cache
def _read(name: str, folder: Path) -> Searched:
    return read(name, folder)


def _record(folder: Path, key: Key) -> tuple[Key, float]:
    started, (name, number, seed) = time.perf_counter(), key
    with one_thread():
        values = record(_read(name, folder), number, seed)
    place = _place(folder, key)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, lambda stream: stream.write(json.dumps(values).encode()))
    return key, time.perf_counter() - started


def main(
    folder: Annotated[Path, typer.Argument(help="Where data sets and trainings are kept.")],
    names: Annotated[str, typer.Option(help="Data sets, separated by commas.")] = ",".join(DATA_SETS),
    minutes: Annotated[float, typer.Option(help="After which no further training begins.")] = 180.0,
    count: Annotated[int, typer.Option(help="Of configurations on each data set.")] = COUNT,
    workers: Annotated[int, typer.Option(help="Processes, of a thread each.")] = cpu_count(),
) -> None:
    """Record what is missing."""
    started, chosen = time.monotonic(), names.split(",")
    for name in chosen:
        prepare(name, folder, workers)

    def in_time() -> Iterator[Key]:
        for key in _missing(folder, chosen, count):
            if time.monotonic() - started > 60 * minutes:
                return
            yield key

    for (name, number, seed), seconds in parallel_map(partial(_record, folder), in_time(), workers):
        typer.echo(f"{name} {number} seed {seed}: {seconds:.1f} s")


if __name__ == "__main__":
    typer.run(main)
