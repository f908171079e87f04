"""Whether an epoch of mode `examples` may show a few of a pit's images: acceptance where as many images are shown in all.

Fewer images an epoch mean more epochs, so that every training takes as many steps. The last row shows every image for as many
epochs as the default shows two, at five times the images. Scores are out of fold, pooled over five folds, of all images of a
pit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count

from benchmarks.search.losses import gain
from benchmarks.support.measure import Spread, Table, ratio, workers
from foils import load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import mean_acceptance, score
from models.process import one_thread
from models.training.cross_validation import CrossValidation
from models.training.task import make_task
from spaces import Config
from spaces.choices.augmentation import Augmentation
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

PITS, EPOCHS, FOLDS, LIGHTS = 500, 30, 5, 10
WORKING_POINT, LOW = 0.05, 0.1
RECIPE = Config(optimiser=Optimiser("adamw", 3e-3, batch_size=64, schedule="cosine"), augmentation=Augmentation("turned"))
NETWORKS = {"pitnet": Network("pitnet", depth=3, width=16), "minihip": Network("minihip")}
# Images of a pit that an epoch shows.
SHOWN = (1, 2, 5, LIGHTS)
# Those of the default, whose epochs the others' follow from.
DEFAULT = 2


@dataclass(frozen=True)
class Outcome:
    """What a cross-validation gave: acceptance at the working point, mean acceptance over low rates, seconds of computing."""

    acceptance: float
    mean_acceptance: float
    seconds: float


def run(folder: str, network: Network, shown: int, epochs: int, seed: int) -> Outcome:
    """Cross-validate the recipe on a data set; folds and training follow from the seed."""
    with one_thread():
        data, started = load(folder), time.process_time()
        folds = fold_numbers(data, FOLDS, seed)
        config = replace(RECIPE, network=network, channels=Channels("examples", shown=shown))
        validation = CrossValidation(make_task(data, config, epochs=epochs, working_point=WORKING_POINT), folds, seed)
        validation.advance(FOLDS, epochs)
        scores = np.zeros(len(data))
        for training in validation.trainings.values():
            scores[training.validate] = training.scores()
        scores, is_signal = scores[data.is_scored], data.is_signal[data.is_scored]
        return Outcome(
            score(scores, is_signal, working_point=WORKING_POINT).acceptance,
            mean_acceptance(scores, is_signal, LOW)[0],
            time.process_time() - started,
        )


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Compare over so many seeds. `scale`: of pits and epochs, the latter by its root."""
    pits, epochs = max(250, round(PITS * scale)), max(5, round(EPOCHS * scale**0.5 / 5) * 5)
    ways = [(shown, max(1, epochs * DEFAULT // shown)) for shown in SHOWN] + [(LIGHTS, epochs)]
    with TemporaryDirectory() as place, workers(cpu_count()) as pool:
        folders = [
            str(synthesise(Path(place) / str(seed), SyntheticFoils(seed=seed, counts=scaled_counts(pits))))
            for seed in range(rounds)
        ]
        running = {
            (name, way): [pool.submit(run, folder, network, *way, seed) for seed, folder in enumerate(folders)]
            for name, network in NETWORKS.items()
            for way in ways
        }
        outcomes = {key: [future.result() for future in futures] for key, futures in running.items()}
    rows = []
    for (name, (shown, own)), reached in outcomes.items():
        against = outcomes[name, ways[SHOWN.index(LIGHTS)]]
        cells = [name, "all" if shown == LIGHTS else str(shown), str(own), str(shown * own)]
        for measured in ("acceptance", "mean_acceptance"):
            values, others = (np.array([getattr(one, measured) for one in side]) for side in (reached, against))
            cells += [f"{values.mean():.3f}", "" if reached is against else gain(values - others)]
        seconds = [[one.seconds for one in side] for side in (reached, against)]
        rows.append([*cells, str(Spread.of(seconds[0])), "" if reached is against else str(ratio(*seconds))])
    return [
        Table(
            f"Signal acceptance by the images of a pit that an epoch shows, {pits} pits of {LIGHTS} lights, seeds: {rounds}",
            ["network", "shown", "epochs", "images of a pit", "at 5 %", "gain", "mean over 0-10 %", "gain", "seconds", "ratio"],
            rows,
            [
                "gain and ratio: to all images at as many images, on the same pits and folds [90 % interval over seeds]; "
                "seconds: of one core, with the evaluation of every epoch"
            ],
        )
    ]
