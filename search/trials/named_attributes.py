"""How a trial stands, as user attributes of plain values: what Optuna's tables and its dashboard show a column of each.

The record `reached` is what pitsearch reads; these repeat some of it for people, and nothing of ours reads them. A study that
an older pitsearch made has none. Knows nothing of what shows them.
"""

from __future__ import annotations

from optuna.trial import BaseTrial

from search.trials.records import RungResult
from search.trials.reliability import tally

# Digits behind the point, of shares.
DIGITS = 4


def named_attributes(reached: RungResult) -> dict[str, str | int | float]:
    """Give by name how a trial stands on the last rung that it reached."""
    quoted, high, trainings = reached.quoted.share, reached.quoted_high.share, tally([reached])
    return {
        "rung": reached.rung,
        "acceptance": round(quoted.value, DIGITS),
        "acceptance_low": round(quoted.low, DIGITS),
        "acceptance_high": round(quoted.high, DIGITS),
        "rejection_at_high_acceptance": round(high.value, DIGITS),
        "auc": round(sum(reached.auc) / len(reached.auc), DIGITS),
        "accuracy": round(sum(reached.accuracy) / len(reached.accuracy), DIGITS),
        "verdicts": ", ".join(reached.verdicts),
        "learned": trainings.learned,
        "trainings": trainings.trainings,
        "epochs": reached.epochs_run,
        "seconds": round(reached.seconds, 1),
    }


def write_named(trial: BaseTrial, reached: RungResult) -> None:
    """Write by name how a trial stands, into the trial that runs here."""
    for name, value in named_attributes(reached).items():
        trial.set_user_attr(name, value)
