"""The trailing pruner: end a trial that stands below every good one on the same rung, beyond the chance of its pits.

Successive halving and the median end a fixed share of the trials on each rung, however many of them are good; where a third
of a space is good, they must kill good ones. This rule ends what no good configuration has ever looked like: a trial whose
acceptance, one standard error added, lies under the least that any good trial of the study had on this rung. If trials come
in no particular order, the next good one is the least of m + 1 with probability 1 / (m + 1); the standard error takes off most
of that, and the audited trials, which finish whatever the pruner says, bring the least down where it is too high. Until FEW
good ones are known, and on rungs before EARLY of a training, where the learning rate still decides, only the share SPARED of
the least is asked for.
"""

from __future__ import annotations

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from search.pruning.audit import good_trials
from search.statistics.fitted import from_counts
from search.trials.ladder import Ladder
from search.trials.records import RungResult

FEW, EARLY, SPARED = 3, 0.2, 0.5


class TrailingPruner(BasePruner):
    """Ends what trails all good trials. Made for a ladder, whose rungs' costs are the steps that trials report."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to be pruned on the rung that it reported last."""
        step = trial.last_step
        good = good_trials(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        if step is None or not good:
            return False
        rung = next(rung for rung in self.ladder.rungs if rung.cost == step)
        least = min(other.intermediate_values[step] for other in good)
        if len(good) < FEW or rung.epochs < EARLY * self.ladder.epochs:
            least *= SPARED
        pits, value = RungResult.demand(good[0]), trial.intermediate_values[step]
        signals, backgrounds = (sum(counts[: rung.folds]) for counts in (pits.signals, pits.backgrounds))
        standing = from_counts(value * signals, signals, backgrounds, pits.quoted.working_point)
        return value + standing.standard_error < least
