"""The portfolio: configurations that together do best over several data sets, found greedily.

Each one that is added raises the mean over the data sets of the best true acceptance in the portfolio most. Knows nothing of
policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from benchmarks.table.recorded import Recorded

SIZE = 10


def portfolio(tables: Sequence[Recorded], size: int = SIZE) -> list[int]:
    """Give the numbers of the configurations, the one that is added first first.

    Only numbers that all tables hold are chosen; equals are told apart by their own mean, then the lower number comes first.
    """
    numbers = reduce(np.intersect1d, [table.numbers for table in tables])
    truth = np.stack([table.true_acceptance()[np.searchsorted(table.numbers, numbers)] for table in tables])
    best, chosen = np.zeros(len(tables)), []
    for _ in range(min(size, len(numbers))):
        together, alone = np.maximum(truth, best[:, None]).mean(0), truth.mean(0)
        left = [place for place in range(len(numbers)) if place not in chosen]
        chosen.append(max(left, key=lambda place: (together[place], alone[place], -place)))
        best = np.maximum(best, truth[:, chosen[-1]])
    return [int(numbers[place]) for place in chosen]
