"""What as many trials again as a study has may still bring, in signal acceptance at the working point.

Taken from the complete trials, which are the best of all that started. Knows nothing of what is done about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from search.statistics.expected_gain import BEYOND, Gain, expected_gain
from search.trials.objectives import final_value
from search.trials.records import RungResult, is_done


def outlook(trials: Sequence[FrozenTrial]) -> Gain | None:
    """Give the gain; None where too few trials have ended or are complete."""
    complete = [RungResult.demand(trial) for trial in trials if trial.state == TrialState.COMPLETE]
    return expected_gain([final_value(one, "acceptance") for one in complete], sum(map(is_done, trials)))


def outlook_line(gain: Gain) -> str:
    """Say it on one line."""
    return (
        f"{gain.further} more trials are expected to bring {gain.expected:+.3f} in acceptance, with a chance of "
        f"{1 - BEYOND:.0%} at most {gain.bound:+.3f}"
    )
