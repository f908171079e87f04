"""What is to be made of the winner: an ensemble or a refit, with as many confirmations as a selection has by default.

`coverage.py` compares the two with two confirmations, for it needs many experiments; an ensemble has a member for each. Here
one configuration of every search is confirmed, for which of several wins is no matter.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from joblib import cpu_count

from benchmarks.statistics.coverage import COUNTS, experiment, finals_table
from benchmarks.support.measure import Table
from benchmarks.support.truth import FEWEST, FRESH, draw_truth
from search import defaults
from search.selection.confirm import ConfirmOptions
from search.training.pool import parallel_map

EXPERIMENTS = 60
TERMS = ConfirmOptions(top=1, repeats=defaults.CONFIRMATIONS, reliability=0.5)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run the experiments. `scale`: of their number, and of the fresh pits; `rounds` changes nothing: each is a fresh one."""
    workers, count = cpu_count(), max(2, round(EXPERIMENTS * scale))
    with TemporaryDirectory() as folder:
        truth = draw_truth(Path(folder), max(FEWEST, round(FRESH * min(scale, 1.0))), COUNTS, workers)
        experiments = list(parallel_map(partial(experiment, truth, terms=TERMS), range(count), workers))
    return [finals_table([one for one in experiments if one is not None], TERMS)]
