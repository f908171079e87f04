"""Whether racing and pruning cheat: the selected configuration against the best that its search tried, and the best by value.

The best trial by value is what a plain script would take. A configuration's true acceptance is that of fresh trainings, which
no search and no race has seen, each scored alone on fresh pits: what a training of it is to be expected to reach, the failing
ones included. All of a search's complete trials are so measured; what was pruned is not among them.

Which trial is truly the best is known only by these trainings. The best by all of them looks better than it is; the best by all
but one, scored on that one, and so for each in turn, is at most as good as the best there is: the truth lies between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count
from optuna.trial import FrozenTrial, TrialState

from benchmarks.statistics.coverage import COUNTS, mean, search_and_select, true_acceptances
from benchmarks.support.measure import Table
from benchmarks.support.truth import FEWEST, Truth, draw_truth
from foils import Dataset
from models.process import one_thread
from search.selection.candidates import GIVEN_UP
from search.selection.confirm import ConfirmOptions
from search.selection.confirmations import confirmation_request
from search.studies.plan import Plan
from search.training.fold_cache import FoldKey
from search.training.pool import parallel_map
from search.trials.configuration import config_of
from search.trials.ranking import rank_trials

SEARCHES, TRIALS, FRESH = 30, 8, 3000
TERMS = ConfirmOptions(top=4, repeats=4, reliability=0.5)
# The numbers of repeats that no race comes to: their splits and seeds are fresh.
UNSEEN = (1000, 1001)


@dataclass(frozen=True)
class Searched:
    """True acceptances of what a search could have given: the selected configuration, the best there was, the best by value."""

    selected: float
    # By the trainings that it is measured on.
    best: float
    # By others.
    chosen_best: float
    by_value: float
    # Whether the selected one is the best by value.
    same: bool
    # What it costs to use, over what that does.
    cost: float
    # Whether the best there was lost the race.
    best_lost: bool


def search(truth: Truth, seed: int) -> Searched | None:
    """Search fresh foils and select; None where nothing could be kept."""
    with TemporaryDirectory() as folder, one_thread():
        ended = search_and_select(folder, seed, TRIALS, TERMS)
        if ended is None:
            return None
        data, selection = ended
        study = selection.study
        plan, complete = study.plan, rank_trials(study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        searched = plan.search_set(data)
        alone = {trial.number: true_acceptances(fresh_trainings(trial, searched, plan), truth) for trial in complete}
        means = {number: float(np.mean(each)) for number, each in alone.items()}
        best = max(means, key=means.__getitem__)
        by_value = max(complete, key=lambda trial: trial.value or 0.0).number
        costs = {candidate.number: candidate.cost for candidate in selection.candidates}
        lost = [one.number for one in selection.candidates if "lost the race" in one.reason]
        chosen = selection.winner.number
        return Searched(
            selected=means[chosen],
            best=means[best],
            chosen_best=best_by_others(alone),
            by_value=means[by_value],
            same=chosen == by_value,
            cost=costs[chosen] / costs[by_value],
            best_lost=best in lost,
        )


def fresh_trainings(trial: FrozenTrial, data: Dataset, plan: Plan) -> list[FoldKey]:
    """Name ten trainings of a trial's configuration that nobody has seen; none is started again."""
    asks = [confirmation_request(plan, data, config_of(trial), trial.number, repeat) for repeat in UNSEEN]
    folds = max(plan.folds) + 1
    return [FoldKey(ask, (0,) * folds, fold) for ask in asks for fold in range(folds)]


def best_by_others(alone: Mapping[int, Sequence[float]]) -> float:
    """Give the mean over the trainings of what the best trial by all other trainings reaches in each."""
    each = np.array([*alone.values()])
    others = each.sum(axis=1, keepdims=True) - each
    return float(each[others.argmax(axis=0), np.arange(each.shape[1])].mean())


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run the searches. `scale`: of their number, and of the fresh pits; `rounds` changes nothing: each is a fresh one."""
    workers, count = cpu_count(), max(2, round(SEARCHES * scale))
    with TemporaryDirectory() as folder:
        truth = draw_truth(Path(folder), max(FEWEST, round(FRESH * min(scale, 1.0))), COUNTS, workers)
        searches = list(parallel_map(partial(search, truth), range(count), workers))
    return [table([one for one in searches if one is not None], count, len(truth.is_signal))]


def table(searches: Sequence[Searched], count: int, fresh: int) -> Table:
    """Compare the selected configuration with the others."""
    names = "selected", "best", "chosen_best", "by_value"
    selected, best, chosen_best, by_value = ([getattr(one, name) for one in searches] for name in names)
    cost = float(np.exp(np.mean(np.log([one.cost for one in searches]))))
    return Table(
        "The selected configuration against the best that its search tried, and against the best trial by value",
        ["configuration", "true acceptance of a training of it", "selected minus this, paired"],
        [
            ["selected", mean(selected), ""],
            ["best of the search, by these trainings", mean(best), mean(list(np.subtract(selected, best)))],
            ["best of the search, by others", mean(chosen_best), mean(list(np.subtract(selected, chosen_best)))],
            ["best trial by value", mean(by_value), mean(list(np.subtract(selected, by_value)))],
        ],
        [
            f"{len(searches)} of {count} searches of {TRIALS} trials kept a model; the best {TERMS.top} were confirmed "
            f"{TERMS.repeats} times; truth by ten fresh trainings each, on {fresh} fresh pits: the best by these trainings "
            "looks better than it is, the best by all but the one that it is scored on is no better than the best there is",
            f"selected and best by value are the same in {sum(one.same for one in searches)}; the truly best one lost the race "
            f"in {sum(one.best_lost for one in searches)}; for a cheaper network up to {GIVEN_UP:g} is given up: the selected "
            f"one costs {cost:.2f} times as much as the best by value, geometric mean",
        ],
    )
