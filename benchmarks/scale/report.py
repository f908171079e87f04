"""What breaks first with 10,000 workers and a million pits: designs side by side, and memory and disk."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from benchmarks.scale.costs import Costs, measured
from benchmarks.scale.simulation import (
    ChosenAhead,
    Design,
    FewCompared,
    FewRead,
    Present,
    Scenario,
    mean_unknown,
    shares_of,
    simulate,
)
from benchmarks.support.measure import Table
from foils.groups import MOST_COMPARED
from foils.pit import Pit
from models.training.training_curve import VALUES, TrainingCurve
from search import defaults
from search.trials.ladder import Ladder
from search.trials.stored_curves import pack_curves
from search.trials.stored_scores import RungScores, pack_scores

DESIGNS: dict[str, type[Design]] = {
    "as it is": Present,
    "few compared": FewCompared,
    "few read": FewRead,
    "chosen ahead": ChosenAhead,
}
# Pits of a study, and the simulated seconds of a search over them.
PITS = {1400: 300.0, 30_000: 900.0, 1_000_000: 4 * 3600.0}
WORKERS = (100, 1000, 10_000)
LIGHTS, EDGE = 10, 28
RUNGS = Ladder.parse(defaults.LADDER).rungs
# Pits whose objects are weighed.
WEIGHED = 20_000


def measure(rounds: int = 1, scale: float = 1.0) -> list[Table]:
    """Simulate, and weigh. `scale`: of the workers."""
    costs = measured()
    rows = [
        row
        for pits, seconds in PITS.items()
        for workers in (max(2, round(count * scale)) for count in WORKERS)
        for row in _designs(costs, pits, workers, seconds)
    ]
    return [
        Table(
            "Simulated searches: where the time of the workers goes",
            [
                "pits", "workers", "design", "training, %", "waiting for a trial, %", "choosing, %", "writing, %",
                "trials a second", "lock held, %", "server busy, %", "unknown to a choice",
            ],
            rows,
            [
                "from costs of one worker on PostgreSQL (results.json); the ladder "
                f"{defaults.LADDER} and pitnet; the second half of {', '.join(f'{s / 60:.0f}' for s in PITS.values())} "
                "simulated minutes; a database of 32 cores",
                "few compared: TPE compares 3,000 trials; few read: a choice reads 1,000 trials that run and 1,000 that ended",
                "chosen ahead: one worker in 20, 64 at the most, chooses for all others, which take what waits",
                "lock, server: by what is asked of them in the second half; workers that stand in a queue ask for little",
                "unknown: trials that had begun and whose result a choice did not know, on average",
            ],
        ),
        _sizes(costs),
    ]  # fmt: skip


def _designs(costs: Costs, pits: int, workers: int, seconds: float) -> list[list[str]]:
    epochs = [rung.cost for rung in RUNGS]
    steps = tuple(count * costs.epoch * pits / 1000 for count in (epochs[0], *(high - low for low, high in pairwise(epochs))))
    scenario = Scenario(workers, steps, shares_of(epochs), seconds)
    rows = []
    for name, design in DESIGNS.items():
        outcome = simulate(design, costs, scenario)
        spent = outcome.training + outcome.waiting + outcome.choosing + outcome.writing
        shares = [
            100 * part / max(spent, 1e-9) for part in (outcome.training, outcome.waiting, outcome.choosing, outcome.writing)
        ]
        half = seconds / 2
        busy = 100 * outcome.lock / half, 100 * outcome.server / half / scenario.server_cores
        rows.append(
            [
                str(pits), str(workers), name, *(f"{share:.1f}" for share in shares), f"{outcome.trials / half:.3g}",
                *(f"{share:.1f}" for share in busy), f"{mean_unknown(outcome):.0f}",
            ]
        )  # fmt: skip
    return rows


def _sizes(costs: Costs) -> Table:
    """Weigh what grows with the pits, at what there is and at a million."""
    weight = _weight_of_a_pit()
    fold_bytes = len(json.dumps([0] * 1000)) / 1000
    most = _most_with_scores()
    scores = len(_packed_scores(1400)) / 1400
    curves = len(json.dumps(pack_curves([_curve(fold) for fold in range(5)])))
    lines: dict[str, Callable[[int], str]] = {
        "packed pixels, on disk and mapped, once a machine": lambda pits: _bytes(pits * LIGHTS * EDGE * EDGE),
        "list of pits, in each worker": lambda pits: _bytes(pits * weight),
        "folds in the plan, read by each command": lambda pits: _bytes(pits * fold_bytes),
        "scores of a trial on a rung, in the database": lambda pits: _bytes(pits * scores) if pits <= most else "not kept",
        "curves of a whole trial, in the database": lambda pits: _bytes(curves),
        "look-alikes are searched for": lambda pits: "yes" if pits <= MOST_COMPARED else "no",
        "an epoch of one fold, pitnet, one core": lambda pits: f"{costs.epoch * pits / 1000:.1f} s",
        "a trial on all rungs, one core": lambda pits: f"{costs.epoch * pits / 1000 * RUNGS[-1].cost / 3600:.2f} h",
        "a trial as the ladder leaves it on average": lambda pits: f"{costs.epoch * pits / 1000 * _mean_epochs() / 60:.1f} min",
    }
    rows = [[what, *(say(pits) for pits in PITS)] for what, say in lines.items()]
    note = (
        f"scores are kept up to {most} pits, what a text field of a database holds; pits of {LIGHTS} lights and {EDGE} pixels"
    )
    return Table("Memory, disk and time by the pits", ["what", *(f"{pits} pits" for pits in PITS)], rows, [note])


def _mean_epochs() -> float:
    """Give the fold-epochs that a trial takes where only the afforded share climbs from each rung."""
    costs = [rung.cost for rung in RUNGS]
    return costs[0] + sum((high - low) * costs[0] / high for low, high in pairwise(costs))


def _weight_of_a_pit() -> float:
    tracemalloc.start()
    pits = [Pit(f"p{n:07}", "bottom", "f1", str(n % 500), n * 0.5, n * 0.25, "new") for n in range(WEIGHED)]
    weight = tracemalloc.get_traced_memory()[0] / len(pits)
    tracemalloc.stop()
    return weight


def _packed_scores(pits: int) -> str:
    chance = np.random.default_rng(0)
    signal = chance.random(pits) < 0.2
    scores = RungScores(chance.random(pits), np.arange(pits) % 5, signal, np.ones(pits, np.bool_), signal.astype(np.int64))
    return json.dumps(pack_scores("5x30", scores)) if pack_scores("5x30", scores) else ""


def _most_with_scores() -> int:
    """Find the most pits, to a hundred, whose scores on a rung are kept."""
    low, high = 10, 1000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _packed_scores(100 * middle) else (low, middle)
    return 100 * low


def _curve(fold: int) -> TrainingCurve:
    chance = np.random.default_rng(fold)
    rows = chance.random((len(VALUES), 30)).tolist()
    return TrainingCurve(fold, 0, 0.69, 0.69, tuple(range(1, 31)), *map(tuple, rows))


def _bytes(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"
