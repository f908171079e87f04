"""Made-up tables of recorded trainings, for tests of replay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.table.collect import LOSSES, MEASURES, Pits
from benchmarks.table.recorded import Recorded

FOLDS, EPOCHS = 5, 30


def made_up(
    truths: Sequence[float] | npt.NDArray[np.float64],
    *,
    noise: float = 0.0,
    seeds: int = 1,
    ms: float | Sequence[float] = 1000.0,
    name: str = "easy",
    generator_seed: int = 0,
) -> Recorded:
    """Make a table: configuration by number truly accepts `truths`, and comes closer to it with every epoch.

    `noise`: the standard deviation of a fold's measures; `ms`: of an epoch of a fold, alike or for each configuration.
    """
    truth, shape = np.asarray(truths, float), (len(truths), seeds, FOLDS, EPOCHS)
    generator = np.random.default_rng(generator_seed)
    rise = truth[:, None, None, None] * (1 - 0.5 ** np.arange(1, EPOCHS + 1))
    shown = rise + noise * generator.normal(size=(len(truths), seeds, FOLDS, 1)) + np.zeros(shape)
    time = np.broadcast_to(np.reshape(ms, (-1, 1, 1, 1)), shape).astype(float)
    return Recorded(
        name=name,
        numbers=np.arange(len(truths)),
        configs=tuple({"network": {"name": "pitnet"}} for _ in truths),
        is_recorded=np.ones(shape[:2], np.bool_),
        epochs={"ms": time, **dict.fromkeys(LOSSES, 1 - shown / 2), **dict.fromkeys(MEASURES, shown)},
        has_learned=np.ones(shape[:3], np.bool_),
        truths=dict.fromkeys(MEASURES, np.repeat(truth[:, None], seeds, 1)),
        members=dict.fromkeys(MEASURES, np.broadcast_to(truth[:, None, None], shape[:3])),
        pits=Pits((20,) * FOLDS, (70,) * FOLDS),
    )
