"""Keep worker processes busy for ever, each with a large array, in the way of a command: what tests end from outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pitsearch.ending import interrupt_on_signals
from search.training.pool import parallel_map

Item = tuple[Path, npt.NDArray[np.float64]]


def compute(item: Item) -> None:
    """Compute until killed; a file named by the process tells that it began."""
    folder, array = item
    (folder / str(os.getpid())).touch()
    while True:
        array.sum()


def main(folder: Path) -> None:
    """Start two workers; end with 130 at a signal, as the command does."""
    try:
        interrupt_on_signals()
        for _ in parallel_map(compute, [(folder, np.ones(2**20)) for _ in range(4)], 2):
            pass
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
