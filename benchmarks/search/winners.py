"""What a search brings: the winners of spaces against the network in use and the sound recipe, on pits that none has seen.

Every search has the same time. All are trained on the same pits and scored on the same held-out ones. BENCHMARK_DATA in the
environment names a further data set's folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import stats

from benchmarks.search.losses import gain
from benchmarks.support.measure import DATA, Table
from foils import Dataset, load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import Flags, threshold_at
from models.training.verdicts import Verdict
from search.launcher.executors import Processes
from search.launcher.launch import launch
from search.statistics.intervals import LEVEL, wilson
from search.studies.options import Budget, Holdout, SearchOptions
from search.studies.study import Study
from search.training.fold_cache import trial_members
from search.trials.ranking import rank_trials
from search.trials.records import Recipe, RungResult, is_done
from spaces import Config
from spaces.initial_configs import BASELINE, SOUND, sound
from spaces.known_configs import KnownConfig
from spaces.named_spaces import find_space

PITS, MINUTES, HOLDOUT, RATES = 1393, 10.0, 0.3, (0.05, 0.01)
# The spaces that a search of some minutes is for.
SPACES = ("standard", "angles")
# More than a search of some minutes can finish.
TRIALS = 1000
# What no search is needed for: the first two trials of every study.
FIXED = IN_USE, RECIPE = BASELINE, SOUND


@dataclass(frozen=True)
class Held:
    """How an ensemble did on held-out pits."""

    # `[signal pits]` for each of RATES, at the threshold that gives that false-positive rate on the held-out background itself,
    # so that both sides are compared at the same rate; `learned` of `trained` members.
    accepted: tuple[Flags, ...]
    learned: int
    trained: int
    described: str


def look(study: Study, data: Dataset, number: int) -> Held:
    """Train a trial's members, or find them where it kept them, and score the held-out pits with their mean."""
    plan, trial = study.plan, study.trial(number)
    ensemble, reached = trial_members(plan.search_set(data), trial, plan), RungResult.demand(trial)
    locked = plan.held_out_set(data)
    scores = ensemble.scores(locked.crops())[locked.is_scored]
    is_signal = locked.is_signal[locked.is_scored]
    accepted = tuple(scores[is_signal] >= threshold_at(scores, is_signal, rate) for rate in RATES)
    described = Config.from_dict(Recipe.demand(trial).config).describe()
    return Held(accepted, len(ensemble.members), len(reached.verdicts), described)


def compete(data: Dataset, seed: int, minutes: float, folder: Path) -> dict[str, Held]:
    """Search every space for so long, and look at the network in use, the sound recipe and each winner, by their names."""
    options, held = SearchOptions(seed=seed, holdout=Holdout(HOLDOUT)), dict[str, Held]()
    for space in SPACES:
        storage = f"sqlite:///{folder}/{space}.db"
        searched = partial(launch, data, space, options, study=space, storage=storage, executor=Processes())
        if not held:
            # The first two trials: they end whatever the minutes, or there would be nothing to compare with.
            recipe = sound(find_space(space).fit(tuple(data.counts()), data.description.channels))
            study = searched(budget=Budget(2), enqueue=[KnownConfig(recipe, RECIPE)])
            for name, trial in zip((IN_USE, RECIPE), study.optuna.get_trials(deepcopy=False), strict=True):
                held[name] = look(study, data, trial.number)
        study = searched(budget=Budget(TRIALS, minutes))
        trials = study.optuna.get_trials(deepcopy=False)
        # Where nothing converged, a search has nothing better to offer than what there was.
        converged = (one.number for one in rank_trials(trials) if set(RungResult.demand(one).verdicts) == {Verdict.LEARNED})
        winner = next(converged, None)
        outcome = held[IN_USE] if winner is None else look(study, data, winner)
        told = f"{outcome.described} ({sum(map(is_done, trials))} trials)"
        held[f"winner of {space}"] = replace(outcome, described=told)
    return held


@contextmanager
def synthetic(seed: int, pits: int) -> Iterator[tuple[Dataset, Path]]:
    """Make synthetic foils at the default difficulty, and a folder for studies of them."""
    with TemporaryDirectory() as folder:
        synthesise(Path(folder) / "foils", SyntheticFoils(seed=seed, counts=scaled_counts(pits)))
        yield load(Path(folder) / "foils"), Path(folder)


@contextmanager
def given(path: str) -> Iterator[tuple[Dataset, Path]]:
    """Load a data set's folder, and make a folder for studies of it."""
    with TemporaryDirectory() as folder:
        yield load(path), Path(folder)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Search on synthetic foils once a round, and on the data set given. `scale`: pits and minutes."""
    pits, minutes = max(250, round(PITS * scale)), max(0.05, MINUTES * scale)
    outcomes = []
    for seed in range(rounds):
        with synthetic(seed, pits) as (data, folder):
            outcomes.append(compete(data, seed, minutes, folder))
    tables = [table(f"synthetic foils of {pits} pits, {rounds} seeds, {minutes:g} minutes a search", outcomes)]
    if path := os.environ.get(DATA):
        with given(path) as (data, folder):
            outcomes = [compete(data, 0, minutes, folder)]
            tables.append(table(f"{data.description.name}, {len(data)} pits, {minutes:g} minutes a search", outcomes))
    return tables


def table(title: str, outcomes: Sequence[Mapping[str, Held]]) -> Table:
    """Draw the table of one kind of data; `outcomes`: of each seed, by name."""
    by_name = {name: [held[name] for held in outcomes] for name in outcomes[0]}
    columns = [f"{what}{rate:.0%}" for rate in RATES for what in ("at ", *(f"above the {other} at " for other in FIXED))]
    signals = sum(len(held.accepted[0]) for held in by_name[IN_USE])
    way = "over seeds" if len(outcomes) > 1 else "paired over pits"
    return Table(
        f"Held-out acceptance of what is fixed and of what a search finds: {title}",
        ["network", *columns, "reliability"],
        [[name, *_cells(name, by_name)] for name in by_name],
        [
            f"{signals} held-out signal pits; intervals of {LEVEL:.0%}, those of differences {way}",
            *(f"{name}: {'; '.join(one.described for one in held)}" for name, held in by_name.items() if name not in FIXED),
        ],
    )


def _cells(name: str, by_name: Mapping[str, Sequence[Held]]) -> list[str]:
    """Write acceptances, differences to what is fixed, and the reliability of one row."""
    cells, ours = [], by_name[name]
    for place in range(len(RATES)):
        accepted = np.concatenate([held.accepted[place] for held in ours])
        cells.append(str(wilson(int(accepted.sum()), len(accepted))))
        for other in FIXED:
            pairs = [(one.accepted[place], two.accepted[place]) for one, two in zip(ours, by_name[other], strict=True)]
            cells.append("" if name in (other, IN_USE) else _gain(pairs))
    return [*cells, str(wilson(sum(held.learned for held in ours), sum(held.trained for held in ours)))]


def _gain(pairs: Sequence[tuple[Flags, Flags]]) -> str:
    """Write the mean difference with its interval: over seeds, by which trainings and pits differ; of one seed, over pits."""
    if len(pairs) > 1:
        return gain(np.array([ours.mean() - others.mean() for ours, others in pairs]))
    differences = pairs[0][0].astype(float) - pairs[0][1]
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * float(differences.std(ddof=1)) / len(differences) ** 0.5
    mean = float(differences.mean())
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"
