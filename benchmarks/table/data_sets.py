"""The data sets of the recorded table: what is searched on each, and the fresh pits that tell the truth.

Three are synthetic, of about 500 pits at three difficulties. The fourth is a folder of real images that BENCHMARK_DATA names,
searched on as many pits of one slide and judged on another; its numbers are recorded, its images are not. Knows nothing of
trainings.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import numpy as np
import numpy.typing as npt

from benchmarks.support.measure import DATA
from benchmarks.support.truth import FRESH, draw_truth
from foils import Dataset, load
from foils.folds import fold_numbers
from foils.open_image import Grey
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import Flags

PITS, FOLDS, SPLIT_SEED = 500, 5, 0


@dataclass(frozen=True)
class Foils:
    """Synthetic foils."""

    difficulty: float
    seed: int


@dataclass(frozen=True)
class Slides:
    """Two slides of real images."""

    searched: str
    fresh: str


# By name. No policy is tuned on JUDGED.
DATA_SETS: dict[str, Foils | Slides] = {
    "easy": Foils(0.35, 101),
    "middle": Foils(0.5, 102),
    "hard": Foils(0.65, 103),
    "craters": Slides("24", "25"),
}
JUDGED = "middle"
TUNING = tuple(name for name in DATA_SETS if name != JUDGED)


@dataclass(frozen=True)
class Searched:
    """What a table is recorded of; `crops`, `is_signal`: of the fresh pits, `[pits, ...]`."""

    data: Dataset
    crops: Grey
    is_signal: Flags

    def folds(self, seed: int = 0) -> npt.NDArray[np.int64]:
        """Split the pits for a seed, `[pits]`: another seed has another split, as the repeats of a selection have."""
        return fold_numbers(self.data, FOLDS, SPLIT_SEED + seed)


def prepare(name: str, folder: Path, workers: int, pits: int = PITS, fresh: int = FRESH) -> None:
    """Draw the synthetic foils of a data set and its fresh pits into a folder, where they are not there yet."""
    place, kind = folder / name, DATA_SETS[name]
    if isinstance(kind, Slides) or (place / "truth.npz").exists():
        return
    rmtree(place / "foils", ignore_errors=True)  # of a run that was stopped
    synthesise(place / "foils", SyntheticFoils(seed=kind.seed, counts=scaled_counts(pits), difficulty=kind.difficulty))
    truth = draw_truth(place, fresh, scaled_counts(fresh), workers, kind.difficulty)
    np.savez(place / "truth.npz", is_signal=truth.is_signal)


def read(name: str, folder: Path) -> Searched:
    """Read what `prepare` drew, or the slides of the folder that BENCHMARK_DATA names."""
    place, kind = folder / name, DATA_SETS[name]
    if isinstance(kind, Foils):
        data = load(place / "foils")
        with np.load(place / "truth.npz", allow_pickle=False) as truth:
            is_signal = truth["is_signal"]
        crops = np.load(place / "truth.npy", mmap_mode="c", allow_pickle=False)
    else:
        if DATA not in os.environ:
            raise ValueError(f"the craters must be there to be recorded, but {DATA} names no folder; set it.")
        both = load(os.environ[DATA])
        data, unseen = (both.take(both.on_slides([slide])) for slide in (kind.searched, kind.fresh))
        data = data.take(np.sort(np.random.default_rng(SPLIT_SEED).permutation(len(data))[:PITS]))
        unseen = unseen.take(np.flatnonzero(unseen.is_scored))
        crops, is_signal = unseen.crops(), unseen.is_signal
    return Searched(data, crops, is_signal)
