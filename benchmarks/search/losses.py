"""Whether a loss raises acceptance: every loss against cross-entropy, on the same pits, folds and seeds.

Everything else is one recipe. Scores are out of fold, pooled over five folds. No figure of time. BENCHMARK_DATA in the
environment names a further data set's folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from joblib import cpu_count
from scipy import stats

from benchmarks.support.measure import DATA, Table, workers
from foils import Dataset, load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import score
from models.process import one_thread
from models.training.cross_validation import CrossValidation
from models.training.task import make_task
from models.training.verdicts import Verdict
from spaces import Config
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.choices.channels import Channels
from spaces.choices.losses import Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

PITS, EPOCHS, FOLDS = 1393, 40, 5
WORKING_POINT, RATES = 0.05, (0.05, 0.01)
RECIPE = Config(
    network=Network("pitnet", depth=3, width=16),
    optimiser=Optimiser("adamw", 3e-3, batch_size=64),
    augmentation=Augmentation("symmetries"),
)
CONTENDERS: dict[str, Config] = {
    "cross-entropy": RECIPE,
    "class-weighted": replace(RECIPE, balance=Balance("weighted")),
    "focal, focus 2": replace(RECIPE, loss=Loss("focal")),
    "acceptance, aimed at 5 %": replace(RECIPE, loss=Loss("acceptance")),
    "acceptance, aimed at 1 %": replace(RECIPE, loss=Loss("acceptance", rate=0.2)),
    "partial-auc, aimed at 5 %": replace(RECIPE, loss=Loss("partial-auc")),
    "partial-auc, aimed at 1 %": replace(RECIPE, loss=Loss("partial-auc", rate=0.2)),
}


@dataclass(frozen=True)
class Outcome:
    """What a cross-validation gave: acceptance at each of RATES, and how many folds learned."""

    acceptance: tuple[float, ...]
    learned: int


def run(folder: str, pits: int, epochs: int, seed: int, config: Config) -> Outcome:
    """Cross-validate a configuration on so many pits of a data set; pits, folds and training follow from the seed."""
    with one_thread():
        data = some(load(folder), pits, seed)
        folds = fold_numbers(data, FOLDS, seed)
        task = make_task(data, _on(config, data), epochs=epochs, working_point=WORKING_POINT)
        validation = CrossValidation(task, folds, seed)
        validation.advance(FOLDS, epochs)
        scores = np.zeros(len(data))
        for training in validation.trainings.values():
            scores[training.validate] = training.scores()
        scored, learned = data.is_scored, sum(result.verdict is Verdict.LEARNED for result in validation.results())
        at = [score(scores[scored], data.is_signal[scored], working_point=rate).acceptance for rate in RATES]
        return Outcome(tuple(at), learned)


def some(data: Dataset, pits: int, seed: int) -> Dataset:
    """Draw pits of a data set, each label in its share."""
    if pits >= len(data):
        return data
    generator = np.random.default_rng(seed)
    shares = [
        generator.permutation(np.flatnonzero(data.labels == label))[: round(pits * count / len(data))]
        for label, count in data.counts().items()
    ]
    return data.take(np.sort(np.concatenate(shares)))


def _on(config: Config, data: Dataset) -> Config:
    """Fit the recipe to a data set of one light, where a turned pit is one lit from elsewhere."""
    lights = data.description.channels
    if len(lights) > 1:
        return config
    return replace(config, channels=Channels("single", lights[0].name), augmentation=Augmentation("turned"))


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Compare over so many seeds. `scale`: of pits and epochs, the latter by its root."""
    pits, epochs = max(250, round(PITS * scale)), max(2, round(EPOCHS * scale**0.5))
    with TemporaryDirectory() as place:
        sets: dict[str, list[str]] = {"synthetic foils": []}
        for seed in range(rounds):
            folder = synthesise(Path(place) / str(seed), SyntheticFoils(seed=seed, counts=scaled_counts(pits)))
            sets["synthetic foils"].append(str(folder))
        if os.environ.get(DATA):
            sets[load(os.environ[DATA]).description.name] = [os.environ[DATA]] * rounds
        return [_table(name, folders, pits, epochs) for name, folders in sets.items()]


def _table(name: str, folders: Sequence[str], pits: int, epochs: int) -> Table:
    with workers(cpu_count()) as pool:
        running = {
            contender: [pool.submit(run, folder, pits, epochs, seed, config) for seed, folder in enumerate(folders)]
            for contender, config in CONTENDERS.items()
        }
        outcomes_of = {contender: [future.result() for future in futures] for contender, futures in running.items()}
    reached = {contender: np.array([outcome.acceptance for outcome in outcomes]) for contender, outcomes in outcomes_of.items()}
    plain = next(iter(reached.values()))
    rows = []
    for contender, acceptance in reached.items():
        cells = [contender]
        for column in range(len(RATES)):
            gained = "" if acceptance is plain else gain(acceptance[:, column] - plain[:, column])
            cells += [f"{acceptance[:, column].mean():.3f}", gained]
        learned = sum(outcome.learned for outcome in outcomes_of[contender])
        rows.append([*cells, f"{learned}/{FOLDS * len(folders)}"])
    heads = [head for rate in RATES for head in (f"at {100 * rate:g} %", f"gain at {100 * rate:g} %")]
    return Table(
        f"Signal acceptance of each loss, out of fold: {name}, {pits} pits, {epochs} epochs, seeds: {len(folders)}",
        ["loss", *heads, "folds that learned"],
        rows,
        ["gain: the mean over seeds of the difference to cross-entropy on the same pits and folds [its 90 % interval]"],
    )


def gain(differences: npt.NDArray[np.float64]) -> str:
    """Write a mean with its 90 % interval over seeds, by Student's t; without an interval where there is one seed."""
    mean = differences.mean()
    if len(differences) < 2:
        return f"{mean:+.3f}"
    reach = stats.t.ppf(0.95, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    return f"{mean:+.3f} [{mean - reach:+.3f}, {mean + reach:+.3f}]"
