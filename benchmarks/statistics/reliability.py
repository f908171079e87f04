"""Whether stated reliabilities are true: trainings that fail by chance, many more of them than any selection sees.

On each of a few foils two configurations that often fail are cross-validated again and again, each time on a fresh split and
seed. An experiment is as many trainings as a selection has of a candidate at the least; the truth of its foil is the share
that learned among all trainings of the other experiments.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from joblib import cpu_count

from benchmarks.support.measure import Table
from foils import Dataset, load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, synthesise
from search.statistics.intervals import LEVEL, Share, reliability, wilson
from search.training.cross_validation import CVRequest, splits, train_repeat
from search.training.pool import parallel_map
from search.trials.reliability import Tally, tally
from spaces import Config
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

FOILS, REPEATS, EACH, FOLDS, EPOCHS = 4, 50, 2, 5, 6
COUNTS = {"candidate": 40, "top": 20, "bottom": 60}


def _config(network: Network) -> Config:
    return Config(channels=Channels("single", "9"), network=network, optimiser=Optimiser("adam", 1e-2, batch_size=16))


CONFIGS = {
    "without norm": _config(Network("pitnet", depth=3, width=4, norm="none")),
    "two channels wide": _config(Network("pitnet", depth=4, width=2)),
}


def _tally(data: Dataset, config: Config, seed: int) -> Tally:
    """Count the trainings of one cross-validation, none of which is started again."""
    folds = splits(fold_numbers(data, FOLDS, seed))
    return tally([train_repeat(CVRequest(data, config, folds, seed, EPOCHS, 0.05, reseed=False))])


def experiments(tallies: Sequence[Tally]) -> list[tuple[Share, float]]:
    """Cut cross-validations of one foil into experiments: each one's stated interval, and the truth by all others."""
    stated = []
    learned, trainings = sum(one.learned for one in tallies), sum(one.trainings for one in tallies)
    for start in range(0, len(tallies) - EACH + 1, EACH):
        part = tallies[start : start + EACH]
        here, of = sum(one.learned for one in part), sum(one.trainings for one in part)
        stated.append((reliability(here, of), (learned - here) / (trainings - of)))
    return stated


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Count how often the interval holds the truth. `scale`: of the cross-validations on each foil; `rounds`: not used."""
    repeats = max(2 * EACH, round(REPEATS * scale))
    rows = []
    with TemporaryDirectory() as folder:
        foils = [load(synthesise(Path(folder) / str(seed), SyntheticFoils(seed=seed, counts=COUNTS))) for seed in range(FOILS)]
        for name, config in CONFIGS.items():
            tallies = [list(parallel_map(partial(_tally, data, config), range(repeats), cpu_count())) for data in foils]
            pairs = [pair for of_foil in tallies for pair in experiments(of_foil)]
            inside = sum(share.low <= truth <= share.high for share, truth in pairs)
            truths = ", ".join(f"{sum(t.learned for t in one) / sum(t.trainings for t in one):.2f}" for one in tallies)
            rows.append([name, truths, str(len(pairs)), str(wilson(inside, len(pairs)))])
    return [
        Table(
            f"How often the stated {LEVEL:.0%} interval of reliability holds the truth",
            ["configuration", "share that learned, foil by foil", "experiments", "intervals that hold the truth"],
            rows,
            [
                f"each experiment is {EACH * FOLDS} trainings, the truth the share among the {(repeats - EACH) * FOLDS} others "
                f"of the same foil; foils of {sum(COUNTS.values())} pits"
            ],
        )
    ]
