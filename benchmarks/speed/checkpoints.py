"""What it takes to keep a fold's state at a rung and to go on from it, beside an epoch, and how large it is."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.speed.throughput import make_noise_task
from benchmarks.support.measure import Spread, Table, ratio
from models.process import one_thread
from models.training.checkpoint import pack_fold, restore_fold
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from search.storage.checkpoints import CheckpointStore
from search.trials.records import CheckpointRecord

NETWORKS, PITS, MARK = ("pitnet", "minihip", "resnet10t"), 1400, "0" * 8


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Keep and take up folds of every network, 28 x 28 x 8. `scale`: of their pits."""
    pits = max(40, round(PITS * scale))
    with TemporaryDirectory() as folder:
        rows = [_row(network, pits, rounds, Path(folder)) for network in NETWORKS]
    return [
        Table(
            "A fold's checkpoint, 28 x 28 x 8",
            ["network", "kB", "keep, ms", "take up, ms", f"an epoch of {pits} pits, ms", "keep / epoch"],
            rows,
            ["keep: pack, write, bring to the disk; take up: read, check, restore; with Adam's two moments of every weight"],
        )
    ]


def _row(network: str, pits: int, rounds: int, folder: Path) -> list[str]:
    with one_thread():
        task, fold_of = make_noise_task(network, pits, 8, 28, rounds + 1), np.arange(pits) % 5
        store = CheckpointStore(folder / network, MARK)
        training = start_fold(task, fold_of, 0, 0, 0)
        training.advance(1)
        sizes, keeps, taken, epochs = zip(
            *(_round(training, start_fold(task, fold_of, 0, 0, 0), store) for _ in range(rounds)), strict=True
        )
    return [
        network,
        f"{sizes[-1] / 1000:.0f}",
        *(str(Spread.of(one)) for one in (keeps, taken, epochs)),
        str(ratio(keeps, epochs)),
    ]


def _round(training: FoldTraining, anew: FoldTraining, store: CheckpointStore) -> tuple[int, float, float, float]:
    """Train an epoch of a fold, keep it, take it up: the checkpoint's bytes, milliseconds of keeping, taking up, and epoch."""
    started = time.perf_counter()
    training.advance(training.epoch + 1)
    trained = time.perf_counter()
    file = store.keep(0, 0, training.epoch, pack_fold(training))
    written = time.perf_counter()
    contents, _ = store.read(CheckpointRecord({"0": vars(file)}, {}, 0, 0.0))
    restore_fold(anew, contents[0])
    ended = time.perf_counter()
    assert anew.epoch == training.epoch
    return (
        (store.folder / file.name).stat().st_size,
        1e3 * (written - trained),
        1e3 * (ended - written),
        1e3 * (trained - started),
    )
