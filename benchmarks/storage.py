"""What the sampler and the storage take of a trial, in a study that holds many trials already."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from benchmarks.measure import Spread, Table
from foils import Dataset, load
from foils.synthetic import SyntheticFoils, scaled_counts, synthesise
from search import defaults
from search.ladder import Ladder
from search.objective import Job, ask, open_study
from search.records import Reached, Recipe, Start
from search.studies import Plan, make_plan, open_or_create
from spaces import Space, suggest

THERE, TRIAL_S = 1000, 10.0
# The share of trials that end on each rung, roughly as successive halving leaves them.
ENDS = (0.6, 0.2, 0.1, 0.1)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run trials that train nothing in studies that hold none and many. `scale`: of how many."""
    many = max(10, round(THERE * scale))
    with TemporaryDirectory() as folder:
        synthesise(Path(folder) / "foils", SyntheticFoils(seed=0, counts=scaled_counts(100)))
        data = load(Path(folder) / "foils")
        rows = []
        for there in (0, many):
            found = _trials(data, f"sqlite:///{folder}/{there}.db", there, rounds)
            whole = [sum(parts[number] for parts in found.values()) for number in range(rounds)]
            share = Spread.of([seconds / TRIAL_S * 100 for seconds in whole])
            spreads = [Spread.of([1e3 * seconds for seconds in seconds_each]) for seconds_each in found.values()]
            rows.append([str(there), *map(str, spreads), str(Spread.of([1e3 * seconds for seconds in whole])), str(share)])
    return [
        Table(
            "Sampler and storage (SQLite) of a trial that climbs the whole ladder, in milliseconds",
            ["trials there", *found, "together", f"% of a trial of {TRIAL_S:.0f} s"],
            rows,
        )
    ]


def _trials(data: Dataset, storage: str, there: int, rounds: int) -> dict[str, list[float]]:
    ladder = Ladder.parse(defaults.LADDER)
    plan, _ = make_plan(
        data,
        Space(),
        ladder,
        pruner="halving",
        audit=defaults.AUDIT,
        seed=0,
        working_point=0.05,
        holdout_share=0.2,
        holdout_slides=(),
    )
    study = open_or_create("bench", storage, plan)
    _fill(study.optuna, plan, there)
    job = Job(study, plan, data, "bench", None, Path("never"))
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        seconds: dict[str, float] = defaultdict(float)

        @contextmanager
        def part(name: str, seconds: dict[str, float] = seconds) -> Iterator[None]:
            started = time.perf_counter()
            yield
            seconds[name] += time.perf_counter() - started

        with part("ask"):
            opened = open_study(job, 7000 + number)
            trial = ask(opened, job.study.storage, Start("bench", "host:1"))
        with part("suggest"):
            config = suggest(trial, Space.from_dict(json.loads(plan.space)))
        with part("records"):
            Recipe(config.to_dict(), 1, audited=False).write(trial)
        for rung in ladder.rungs:
            with part("report and prune"):
                trial.report(0.9, rung.cost)
                if rung is not ladder.rungs[-1]:
                    trial.should_prune()
            with part("records"):
                _reached(str(rung), rung.folds).write(trial)
        with part("tell"):
            opened.tell(trial, 0.9)
        if number:  # the first reads the study, as each worker does once
            for name, value in seconds.items():
                found[name].append(value)
    return found


def _reached(rung: str, folds: int) -> Reached:
    shares, counts = (0.9,) * folds, (50,) * folds
    pits = (counts,) * 4
    return Reached(rung, shares, shares, *pits, shares, shares, ("learned",) * folds, (0,) * folds, 9, 1.0)


def _fill(study: optuna.Study, plan: Plan, there: int) -> None:
    """Add finished trials with random values."""
    ladder, random = Ladder.parse(plan.ladder), np.random.default_rng(0)
    made = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=0))
    for _ in range(there):
        trial = made.ask()
        Recipe(suggest(trial, Space.from_dict(json.loads(plan.space))).to_dict(), 1, audited=False).write(trial)
        last = int(random.choice(len(ladder.rungs), p=ENDS))
        value = float(random.beta(8, 2))
        for rung in ladder.rungs[: last + 1]:
            trial.report(value, rung.cost)
        _reached(str(ladder.rungs[last]), ladder.rungs[last].folds).write(trial)
        whole = last == len(ladder.rungs) - 1
        made.tell(trial, value if whole else None, state=TrialState.COMPLETE if whole else TrialState.PRUNED)
    study.add_trials(made.get_trials(deepcopy=False))
