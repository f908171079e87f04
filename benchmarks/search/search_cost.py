"""The search: what it costs until it holds a configuration within a point of the best acceptance known, naive against ours.

Both search the same space over the same folds, with Optuna's TPE. The best known comes from a long run without pruning.
Core-seconds are those of the process, all its threads counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import torch
from joblib import cpu_count
from optuna.trial import FrozenTrial, TrialState
from torch import nn

from benchmarks.support import naive
from benchmarks.support.measure import Spread, Table, ratio, workers
from foils import Dataset, load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.process import one_thread
from models.training.cross_validation import CrossValidation
from models.training.task import make_task
from search.launcher.launch import launch
from search.studies.launch_record import write_launch_record
from search.studies.options import Budget, SearchOptions
from search.studies.plan import Plan, make_plan
from search.studies.study import open_or_create
from search.training.pool import parallel_map
from search.trials.ladder import Ladder
from search.trials.records import Recipe, RungResult
from search.workers.context import WorkerContext
from search.workers.stop_signal import StopSignal
from search.workers.worker import work
from spaces import Config, Range, Space

PITS, LADDER, WITHIN = 500, "1x2,1x5,5x5,5x15", 0.01
SEEDS, KNOWN, MOST = 5, 40, 60
# How many of the best known are trained again, and how often.
BEST, AGAIN = 4, 4
SPACE = Space(
    {
        "labelling.scheme": ("binary",),
        "channels.mode": ("stacked",),
        "network.name": ("pitnet", "minihip"),
        "network.depth": Range(2, 4),
        "network.width": (8, 16, 32),
        "optimiser.name": ("adam",),
        "optimiser.learning_rate": Range(1e-4, 5e-2, log=True),
        "optimiser.weight_decay": (0.0,),
        "optimiser.batch_size": (32, 64, 128),
        "optimiser.schedule": ("constant",),
        "balance.name": ("none",),
        "normalisation": ("dataset",),
        "augmentation.lights": ("none", "symmetries"),
    }
)


@dataclass(frozen=True)
class Found:
    """What a search took until it held what was asked for: core-seconds, seconds, fold-epochs, trials; whether it did."""

    core_s: float
    wall_s: float
    fold_epochs: int
    trials: int
    found: bool


def _ours(folder: str, target: float, seed: int, most: int) -> Found:
    """Search with one worker until a complete trial reaches the target."""
    data, plan = _plan(folder)
    with TemporaryDirectory() as place:
        plan = replace(plan, options=replace(plan.options, seed=seed))  # of the sampler and the trials; the split is made
        study = open_or_create("bench", f"sqlite:///{place}/studies.db", plan)
        write_launch_record(study, Budget(most), 1, Path(place))
        trials = work(WorkerContext(study, plan, plan.search_set(data), "", Path(place)), StopSignal())
        return _until(target, most, study.optuna, lambda number: next(trials), _fold_epochs)


def _fold_epochs(trial: FrozenTrial) -> int:
    result = RungResult.read(trial)
    return result.epochs_run if result else 0


def _naively(folder: str, target: float, seed: int, most: int) -> Found:
    """Search with the naive script, with torch's own number of threads, until a complete trial reaches the target."""
    images, targets, folds = _arrays(folder)
    torch.manual_seed(seed)

    def recipe(trial: optuna.Trial) -> naive.Recipe:
        name = trial.suggest_categorical("network", ["pitnet", "minihip"])
        network: Callable[[int, int], nn.Module] = naive.minihip
        if name == "pitnet":
            depth, width = trial.suggest_int("depth", 2, 4), trial.suggest_categorical("width", [8, 16, 32])
            network = partial(naive.pitnet, depth=depth, width=width)
        return naive.Recipe(
            network,
            epochs=Ladder.parse(LADDER).epochs,
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 5e-2, log=True),
            batch_size=trial.suggest_categorical("batch_size", [32, 64, 128]),
            augment=trial.suggest_categorical("augment", [False, True]),
        )

    objective = naive.make_objective(images, targets, folds, recipe)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner()
    )
    epochs = Ladder.parse(LADDER).epochs
    return _until(
        target,
        most,
        study,
        lambda number: study.optimize(objective, n_trials=1),
        lambda trial: epochs * len(trial.intermediate_values),
    )


def _arrays(folder: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give what a naive script reads: the searched pits' images, 0 for signal, and the same folds as ours."""
    data, plan = _plan(folder)
    searched = plan.search_set(data)
    scored = searched.is_scored
    return searched.crops()[scored], (~searched.is_signal[scored]).astype(np.int64), np.array(plan.folds)[scored]


def _plan(folder: str) -> tuple[Dataset, Plan]:
    data = load(folder)
    options = SearchOptions(working_point=naive.WORKING_POINT, ladder=Ladder.parse(LADDER), pruner="halving")
    return data, make_plan(data, SPACE, options)[0]


def _until(
    target: float, most: int, study: optuna.Study, run: Callable[[int], object], cost: Callable[[FrozenTrial], int]
) -> Found:
    """Run trials until a complete one reaches the target, or so many have run."""
    cores, clock = time.process_time(), time.perf_counter()
    for number in range(most):
        run(number)
        trials = study.get_trials(deepcopy=False)
        held = trials[-1].state == TrialState.COMPLETE and (trials[-1].value or 0.0) >= target
        if held or number == most - 1:
            break
    return Found(time.process_time() - cores, time.perf_counter() - clock, sum(map(cost, trials)), len(trials), held)


def _best_known(folder: str, trials: int) -> float:
    """Search long, without pruning, train the best few configurations again, and give the best mean acceptance.

    The best of many noisy values flatters; trained again from other seeds it is what the configuration is good for.
    """
    data, plan = _plan(folder)
    with TemporaryDirectory() as place:
        options = SearchOptions(ladder=Ladder.parse(LADDER), pruner="none", audit=0.0)
        study = launch(data, SPACE, options, budget=Budget(trials), storage=f"sqlite:///{place}/studies.db")
        complete = study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        best = sorted(complete, key=lambda trial: trial.value or 0.0)[-BEST:]
    configs = [Config.from_dict(Recipe.demand(trial).config) for trial in best]
    jobs = [(number, config, seed) for number, config in enumerate(configs) for seed in range(AGAIN)]
    found = np.zeros(len(configs))
    for number, acceptance in parallel_map(partial(_acceptance, plan, data), jobs, cpu_count()):
        found[number] += acceptance / AGAIN
    return float(found.max())


def _acceptance(plan: Plan, data: Dataset, job: tuple[int, Config, int]) -> tuple[int, float]:
    """Cross-validate a configuration of this number, from a seed, to the end; give the mean acceptance of its folds."""
    number, config, seed = job
    ladder = Ladder.parse(LADDER)
    with one_thread():
        task = make_task(plan.search_set(data), config, epochs=ladder.epochs, working_point=plan.options.working_point)
        validation = CrossValidation(task, np.array(plan.folds), 1_000_000 + seed)
        validation.advance(ladder.folds, ladder.epochs)
        return number, float(np.mean([result.score.acceptance for result in validation.results()]))


def measure(rounds: int = SEEDS, scale: float = 1.0) -> list[Table]:
    """Search with so many seeds on each side, in turns. `scale`: of the pits and trials."""
    pits, known, most = max(150, round(PITS * scale)), max(3, round(KNOWN * scale)), max(2, round(MOST * scale))
    with TemporaryDirectory() as folder:
        foils = str(Path(folder) / "foils")
        synthesise(Path(foils), SyntheticFoils(seed=3, counts=scaled_counts(pits)))
        best = _best_known(foils, known)
        pairs = []
        for seed in range(rounds):
            with workers(1) as pool:  # a process each, so that what one side sets does not reach the other
                pairs.append(
                    (
                        pool.submit(_naively, foils, best - WITHIN, seed, most).result(),
                        pool.submit(_ours, foils, best - WITHIN, seed, most).result(),
                    )
                )
    measures = ("core_s", "wall_s", "fold_epochs", "trials")
    naively, ours = ([pair[side] for pair in pairs] for side in (0, 1))

    def values(side: list[Found], measure: str) -> list[float]:
        return [float(getattr(outcome, measure)) for outcome in side]

    rows = [
        [name, *(str(Spread.of(values(side, each))) for each in measures), f"{sum(outcome.found for outcome in side)}/{rounds}"]
        for name, side in (("naive", naively), ("ours, 1 worker", ours))
    ]
    ratios = [str(ratio(values(naively, each), values(ours, each))) for each in measures]
    return [
        Table(
            f"Until a configuration within {WITHIN:.2f} of the best known acceptance, {best:.3f}, is held",
            ["", "core-seconds", "seconds", "fold-epochs", "trials", "searches that found one"],
            [*rows, ["naive / ours", *ratios, ""]],
            [
                f"{pits} pits of 28 x 28 x 10, {rounds} seeds; the best known is the best of {known} unpruned "
                f"trials, trained again from {AGAIN} other seeds; a search ends after {most} trials at the latest"
            ],
        )
    ]
