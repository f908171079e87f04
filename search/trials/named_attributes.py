"""How a trial stands, as user attributes of plain values: what Optuna's tables and its dashboard show a column of each.

The record `reached` is what pitsearch reads; these repeat some of it for people, and nothing but the dashboard reads them.
A study that an older pitsearch made has none. Knows nothing of what shows them.
"""

from __future__ import annotations

from collections.abc import Mapping

from optuna.trial import BaseTrial

from search.trials.records import RungResult
from search.trials.reliability import tally

# In the order of a table's columns.
NAMES = (
    *("rung", "acceptance", "acceptance_low", "acceptance_high", "rejection_at_high_acceptance", "auc", "accuracy"),
    *("verdicts", "learned", "trainings", "epochs", "seconds"),
)
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


def stored_named(trial: BaseTrial) -> dict[str, str | int | float] | None:
    """Give how a trial stands by name as it was written; None where that was not, or not of the last rung.

    Reading the record takes ten times as long. An older pitsearch that went on with the trial has left the names as they were.
    """
    attributes, record = trial.user_attrs, trial.user_attrs.get(RungResult.name)
    if not isinstance(record, Mapping) or any(name not in attributes for name in NAMES):
        return None
    if (attributes["rung"], attributes["epochs"]) != (record.get("rung"), record.get("epochs_run")):
        return None
    return {name: attributes[name] for name in NAMES}


def write_named(trial: BaseTrial, reached: RungResult) -> None:
    """Write by name how a trial stands, into the trial that runs here."""
    for name, value in named_attributes(reached).items():
        trial.set_user_attr(name, value)
