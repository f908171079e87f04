"""Audit the pruner: which trials it must leave alone, and how many good configurations it would have killed among them.

An audited trial climbs the whole ladder. The rung where the pruner would have ended it is kept, and from there on it is as dead
to halving and the median as a pruned trial. Which trials are audited follows from the study's seed and their numbers alone, so
they are a fair sample; whether the others were pruned rightly is not known, for they did not finish. Knows nothing of pruners
or training.

*Good* is a trial that has climbed the whole ladder, whose folds all learned, as a selection demands, and whose acceptance,
pooled over the folds, lies no more than one standard error under the best such trial's of the study (the one-standard-error
rule of Breiman et al. 1984). The pits cannot tell it from the winner, so ending it may have been ending the winner; what lies
lower is no loss. Of two objectives, only trials that are no worse in the other one count: a cheap trial is good beside those as
cheap. The *wrong-kill rate* is the share of good audited trials that the pruner would have ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from search import defaults
from search.seeds import audit_draw
from search.statistics.intervals import Share, wilson
from search.trials.objectives import OBJECTIVES, final_value, has_learned, second_of
from search.trials.records import Recipe, RungResult


@dataclass(frozen=True)
class Audit:
    """What the audited trials of a study show of its pruner."""

    # Those that climbed the whole ladder.
    audited: int
    # Those of them.
    good: int
    # The good ones that the pruner would have ended, by the rung where it would have.
    killed: Mapping[str, int]

    @property
    def wrong_kills(self) -> Share | None:
        """The share of the good that the pruner would have ended, with its interval; None where there is none good."""
        return wilson(sum(self.killed.values()), self.good) if self.good else None


def is_audited(study_seed: int, number: int, share: float) -> bool:
    """Tell whether a trial is one of the share that is never pruned."""
    return audit_draw(study_seed, number) < share


def measure(trials: Sequence[FrozenTrial], objectives: Sequence[str] = defaults.OBJECTIVES) -> Audit:
    """Count the good among the audited trials of a study, and those of them that the pruner would have ended."""
    audited = [trial for trial in trials if trial.state == TrialState.COMPLETE and _was_audited(trial)]
    good = [RungResult.demand(trial) for trial in good_trials(trials, objectives) if _was_audited(trial)]
    return Audit(len(audited), len(good), Counter(reached.would_prune for reached in good if reached.would_prune))


def good_trials(trials: Sequence[FrozenTrial], objectives: Sequence[str] = defaults.OBJECTIVES) -> list[FrozenTrial]:
    """Choose the good ones among the trials of a study."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    climbed = [(trial, reached) for trial in complete if (reached := RungResult.read(trial)) and has_learned(reached)]
    second = second_of(objectives)
    if second is None:
        bar = _bar([reached for _, reached in climbed])
        return [trial for trial, reached in climbed if reached.quoted.value >= bar]
    good = []
    for trial, reached in climbed:
        own = final_value(reached, second)
        rivals = [other for _, other in climbed if OBJECTIVES[second].no_worse(final_value(other, second), own)]
        if reached.quoted.value >= _bar(rivals):
            good.append(trial)
    return good


def _bar(climbed: Sequence[RungResult]) -> float:
    """Give the least acceptance that is good among these."""
    best = max((reached.quoted for reached in climbed), key=lambda quoted: quoted.value, default=None)
    return 0.0 if best is None else best.value - best.standard_error


def _was_audited(trial: FrozenTrial) -> bool:
    recipe = Recipe.read(trial)
    return recipe is not None and recipe.audited
