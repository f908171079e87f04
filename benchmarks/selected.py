"""Whether racing and pruning cheat: the selected configuration against the best that its search tried, and the best by value.

The best trial by value is what a plain script would take. A configuration's true acceptance is that of fresh trainings, which
no search and no race has seen, each scored alone on fresh pits: what a training of it is to be expected to reach, the failing
ones included. All of a search's complete trials are so measured; what was pruned is not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count
from optuna.trial import FrozenTrial, TrialState

from benchmarks.coverage import Truth, draw_truth, expected, mean, search_and_select
from benchmarks.measure import Table
from foils import Dataset
from models.process import one_thread
from search.candidates import GIVEN_UP
from search.confirmations import ask_for
from search.confirming import Terms, by_search, config_of
from search.members import Piece
from search.studies import Plan
from search.working import spread

SEARCHES, TRIALS, FRESH = 30, 8, 3000
TERMS = Terms(top=4, repeats=4, reliability=0.5)
# The number of a repeat that no race comes to: its split and seeds are fresh.
UNSEEN = 1000


@dataclass(frozen=True)
class Searched:
    """True acceptances of what a search could have given: the selected configuration, the best there was, the best by value.

    `same`: whether the first is the last; `cost`: what it costs to use, over what that does; `best_lost`: whether the best
    there was lost the race.
    """

    selected: float
    best: float
    by_value: float
    same: bool
    cost: float
    best_lost: bool


def search(truth: Truth, seed: int) -> Searched | None:
    """Search fresh foils and select; None where nothing could be kept."""
    with TemporaryDirectory() as folder, one_thread():
        ended = search_and_select(folder, seed, TRIALS, TERMS)
        if ended is None:
            return None
        data, selection = ended
        study = selection.study
        plan, complete = study.plan, by_search(study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        searched = plan.searched(data)
        found = {trial.number: expected(fresh_trainings(trial, searched, plan), truth) for trial in complete}
        best = max(found, key=found.__getitem__)
        by_value = max(complete, key=lambda trial: trial.value or 0.0).number
        costs = {candidate.number: candidate.cost for candidate in selection.candidates}
        lost = [one.number for one in selection.candidates if "lost the race" in one.reason]
        chosen = selection.winner.number
        return Searched(
            found[chosen], found[best], found[by_value], chosen == by_value, costs[chosen] / costs[by_value], best in lost
        )


def fresh_trainings(trial: FrozenTrial, data: Dataset, plan: Plan) -> list[Piece]:
    """Name five trainings of a trial's configuration that nobody has seen; none is started again."""
    ask = ask_for(plan, data, config_of(trial), trial.number, UNSEEN)
    folds = max(plan.folds) + 1
    return [Piece(ask, (0,) * folds, fold) for fold in range(folds)]


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run the searches. `scale`: of their number, and of the fresh pits; `rounds` changes nothing: each is a fresh one."""
    workers, count = cpu_count(), max(2, round(SEARCHES * scale))
    with TemporaryDirectory() as folder:
        truth = draw_truth(Path(folder), max(1000, round(FRESH * min(scale, 1.0))), workers)
        found = list(spread(partial(search, truth), range(count), workers))
    return [table([one for one in found if one is not None], count, len(truth.is_signal))]


def table(kept: Sequence[Searched], count: int, fresh: int) -> Table:
    """Compare the selected configuration with the others."""
    selected, best, by_value = ([getattr(one, name) for one in kept] for name in ("selected", "best", "by_value"))
    cost = float(np.exp(np.mean(np.log([one.cost for one in kept]))))
    return Table(
        "The selected configuration against the best that its search tried, and against the best trial by value",
        ["configuration", "true acceptance of a training of it", "selected minus this, paired"],
        [
            ["selected", mean(selected), ""],
            ["best of the search", mean(best), mean(list(np.subtract(selected, best)))],
            ["best trial by value", mean(by_value), mean(list(np.subtract(selected, by_value)))],
        ],
        [
            f"{len(kept)} of {count} searches of {TRIALS} trials kept a model; the best {TERMS.top} were confirmed "
            f"{TERMS.repeats} times; truth by five fresh trainings each, on {fresh} fresh pits: the best of the search is the "
            "best by that noisy truth, and so looks better than it is",
            f"selected and best by value are the same in {sum(one.same for one in kept)}; the truly best one lost the race in "
            f"{sum(one.best_lost for one in kept)}; for a cheaper network up to {GIVEN_UP:g} is given up: the selected one "
            f"costs {cost:.2f} times as much as the best by value, geometric mean",
        ],
    )
