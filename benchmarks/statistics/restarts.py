"""How many of the trainings that a rule would start again would have learned when left alone: P(learns | restarted).

Every training was left alone to its end, so that each rule is replayed on what it saw by then. Trains nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.search.trainings import Ended
from benchmarks.support.measure import Table
from models.training.verdicts import EARLIEST, GAIN, LEAST_STEPS
from search.statistics.intervals import wilson

# The rungs of the default ladder where a trial asks whether a fold is to be started again, in shares of its epochs.
RUNGS = (0.1, 0.3, 1.0)


def _collapsed(ended: Ended, epoch: int) -> bool:
    return epoch in ended.collapsed_at


def _stuck(ended: Ended, epoch: int) -> bool:
    return epoch in ended.stuck_at


RULES: dict[str, Callable[[Ended, int], bool]] = {"verdict collapsed": _collapsed, "stuck, as trials do": _stuck}


def restarts_table(trained: Sequence[Ended], learns: Callable[[Ended], bool]) -> Table:
    """Replay the rules on trainings that ran to their end; `learns`: whether held-out pits say so of one."""
    whole = [ended for ended in trained if ended.recipe.stopped is None]
    rows = []
    for name, restarts in RULES.items():
        for share in RUNGS:
            told = [learns(ended) for ended in whole if restarts(ended, _epoch(ended, share))]
            figure = str(wilson(sum(told), len(told))) if told else "none restarted"
            rows.append([name, f"{share:.0%}", f"{len(told)} of {len(whole)}", str(sum(told)), figure])
    return Table(
        "Trainings that would be started again, and P(learns | restarted) had they been left alone",
        ["rule", "after, of the epochs", "restarted", "of these learn when left alone", "share that learns"],
        rows,
        [
            f"stuck: collapsed, no sooner than after {EARLIEST:.0%} of the epochs and {LEAST_STEPS} steps, with a training "
            f"loss no more than {GAIN:.0%} under the constant predictor's; a trial restarts a fold once, where others learned"
        ],
    )


def _epoch(ended: Ended, share: float) -> int:
    """Give the epoch of a rung; a training that converged earlier is asked at its end."""
    return max(1, min(round(share * ended.recipe.epochs), len(ended.evidence.train_loss)))
