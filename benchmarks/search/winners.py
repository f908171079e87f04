"""What a search brings: the winner of every ready-made space against the network in use, on pits that neither has seen.

Every search has the same time. Both networks are trained on the same pits and scored on the same held-out ones.
BENCHMARK_DATA in the environment names a further data set's folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import stats

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
from search.trials.baseline import is_baseline
from search.trials.ranking import rank_trials
from search.trials.records import Recipe, RungResult, is_done
from spaces import Config
from spaces.named_spaces import READY

PITS, MINUTES, HOLDOUT, RATES = 1393, 5.0, 0.3, (0.05, 0.01)
# More than a search of some minutes can finish.
TRIALS = 1000
IN_USE = "network in use"


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


def search(data: Dataset, space: str, seed: int, minutes: float, folder: Path) -> tuple[Held, Held]:
    """Search a space, and look at the network in use and at the winner."""
    storage = f"sqlite:///{folder}/{space}.db"
    options = SearchOptions(seed=seed, holdout=Holdout(HOLDOUT))
    # The network in use is the first trial: it ends whatever the minutes, or there would be nothing to compare with.
    for budget, executor in ((Budget(1), Processes(1)), (Budget(TRIALS, minutes), Processes())):
        study = launch(data, space, options, study=space, storage=storage, budget=budget, executor=executor)
    ended = study.optuna.get_trials(deepcopy=False)
    baseline = next(trial.number for trial in ended if is_baseline(trial))
    # Where nothing converged, a search has nothing better to offer than what there was.
    sound = (trial.number for trial in rank_trials(ended) if set(RungResult.demand(trial).verdicts) == {Verdict.LEARNED})
    winner = next(sound, baseline)
    outcome = look(study, data, winner)
    tried = sum(map(is_done, ended))
    return look(study, data, baseline), replace(outcome, described=f"{outcome.described} ({tried} trials)")


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
    """Search every ready-made space, on synthetic foils once a round and on the data set given. `scale`: pits and minutes."""
    pits, minutes = max(250, round(PITS * scale)), max(0.05, MINUTES * scale)
    outcomes: list[list[tuple[Held, Held]]] = [[] for _ in READY]
    for seed in range(rounds):
        with synthetic(seed, pits) as (data, folder):
            for pairs, space in zip(outcomes, READY, strict=True):
                pairs.append(search(data, space, seed, minutes, folder))
    tables = [table(f"synthetic foils of {pits} pits, {rounds} seeds, {minutes:g} minutes a search", outcomes)]
    if path := os.environ.get(DATA):
        with given(path) as (data, folder):
            pairs_of = [[search(data, space, 0, minutes, folder)] for space in READY]
            tables.append(table(f"{data.description.name}, {len(data)} pits, {minutes:g} minutes a search", pairs_of))
    return tables


def table(title: str, outcomes: Sequence[Sequence[tuple[Held, Held]]]) -> Table:
    """Draw the table of one kind of data: a row for the network in use, one for the winner of every space."""
    rows = [_row(IN_USE, [in_use for in_use, _ in outcomes[0]], None)]
    for space, pairs in zip(READY, outcomes, strict=True):
        rows.append(_row(f"winner of {space}", [winner for _, winner in pairs], [in_use for in_use, _ in pairs]))
    signals = sum(len(in_use.accepted[0]) for in_use, _ in outcomes[0])
    chosen = [(space, "; ".join(winner.described for _, winner in pairs)) for space, pairs in zip(READY, outcomes, strict=True)]
    return Table(
        f"Held-out acceptance of the network in use and of every space's winner: {title}",
        [
            "network",
            *(column for rate in RATES for column in (f"acceptance at {rate:.0%}", f"above the network in use at {rate:.0%}")),
            "reliability",
        ],
        rows,
        [
            f"{signals} held-out signal pits; intervals of {LEVEL:.0%}, the gains' paired over pits",
            *(f"winner of {space}: {names}" for space, names in chosen),
        ],
    )


def _row(name: str, ours: Sequence[Held], others: Sequence[Held] | None) -> list[str]:
    cells = [name]
    for number in range(len(RATES)):
        accepted = np.concatenate([held.accepted[number] for held in ours])
        cells.append(str(wilson(int(accepted.sum()), len(accepted))))
        before = None if others is None else np.concatenate([held.accepted[number] for held in others])
        cells.append("" if before is None else _gain(accepted, before))
    return [*cells, str(wilson(sum(held.learned for held in ours), sum(held.trained for held in ours)))]


def _gain(accepted: Flags, before: Flags) -> str:
    """Give the mean difference over the same pits, with the normal interval of paired differences."""
    differences = accepted.astype(float) - before
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * float(differences.std(ddof=1)) / len(differences) ** 0.5
    mean = float(differences.mean())
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"
