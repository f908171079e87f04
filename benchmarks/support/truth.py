"""Fresh synthetic pits, drawn foil by foil, that tell the truth of what was learned from others.

Knows nothing of what is judged by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

import numpy as np
import numpy.typing as npt

from foils import load
from foils.synthetic.synthesise import SyntheticFoils, synthesise
from models.metrics import Flags
from search.training.pool import parallel_map

# Pits at full scale, and the foils that they lie on.
FRESH, FOILS = 20_000, 10
# At the smallest scale.
FEWEST = 200
# No data set of a benchmark has a seed as large.
FIRST_SEED = 1_000_000


@dataclass(frozen=True)
class Truth:
    """Fresh pits on disk: `crops`: a file `[pits, channels, y, x]`; `is_signal`: `[pits]`."""

    crops: Path
    is_signal: Flags

    def read(self, most: int | None = None) -> npt.NDArray[np.uint8]:
        """Map the crops, or some of them."""
        mapped: npt.NDArray[np.uint8] = np.load(self.crops, mmap_mode="c", allow_pickle=False)[:most]
        return mapped


def draw_truth(folder: Path, pits: int, counts: Mapping[str, int], workers: int, difficulty: float = 0.5) -> Truth:
    """Draw fresh pits in the shares of `counts`, in any order, so that some of them are like all of them.

    Foils that were drawn into the folder before are not drawn again.
    """
    share = pits / FOILS / sum(counts.values())
    of_foil = {label: max(1, round(number * share)) for label, number in counts.items()}
    parts = sorted(parallel_map(partial(_draw_foil, folder, of_foil, difficulty), range(FOILS), workers))
    crops, signal = zip(*((np.load(f"{part}.npy"), np.load(f"{part}.signal.npy")) for part in parts), strict=True)
    order = np.random.default_rng(0).permutation(sum(map(len, signal)))
    np.save(folder / "truth.npy", np.concatenate(crops)[order])
    return Truth(folder / "truth.npy", np.concatenate(signal)[order])


def _draw_foil(folder: Path, counts: dict[str, int], difficulty: float, number: int) -> str:
    place = folder / f"truth{number}"
    if Path(f"{place}.signal.npy").exists():
        return str(place)
    rmtree(place, ignore_errors=True)  # of a run that was stopped
    options = SyntheticFoils(seed=FIRST_SEED + number, counts=counts, difficulty=difficulty)
    data = load(synthesise(place, options))
    np.save(f"{place}.npy", data.crops())
    np.save(f"{place}.signal.npy", data.is_signal)
    rmtree(place)
    return str(place)
