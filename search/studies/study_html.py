"""Lay a study out as HTML, as a notebook shows it: what it was made for, how its trials ended, and the best of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from search.errors import StudyError
from search.notebooks import facts, listing
from search.storage.urls import parse_url, place_of
from search.studies.plan import Plan
from search.trials.configuration import config_of
from search.trials.ranking import rank_trials
from search.trials.records import RungResult, is_interrupted, is_paused
from search.trials.reliability import tally

# Of its complete trials.
BEST = 5


def study_html(name: str, storage: str, plan: Plan, trials: Sequence[FrozenTrial]) -> str:
    """Give a study as HTML. `storage`: its address; `trials`: those that can be read."""
    options, best = plan.options, rank_trials(trials)[:BEST]
    ends = Counter(map(_state, trials))
    rows = [
        ("storage", _place(storage)),
        ("data", f"{plan.folder}, fingerprint {plan.fingerprint[:12]}"),
        ("search", f"{', '.join(options.objectives)}; working point {options.working_point:g}, ladder {plan.ladder}"),
        ("trials", ", ".join(f"{count} {state}" for state, count in ends.most_common()) or "none yet"),
    ]
    rows += [] if best else [("best", "no trial has climbed the whole ladder yet")]
    table = listing(("trial", "acceptance [90 %]", "reliability [90 %]", "configuration"), map(_row, best)) if best else ""
    return facts(f"study {name}", rows) + table


def unreadable_html(name: str, storage: str, why: str) -> str:
    """Give what is shown of a study that cannot be read."""
    return facts(f"study {name}", [("storage", _place(storage)), ("cannot be read", why)])


def _place(storage: str) -> str:
    """Name a storage; an address that is none, or that holds a password, is not shown."""
    try:
        return place_of(parse_url(storage))
    except StudyError:
        return "its address cannot be shown"


def _state(trial: FrozenTrial) -> str:
    return "paused" if is_paused(trial) else "interrupted" if is_interrupted(trial) else trial.state.name.lower()


def _row(trial: FrozenTrial) -> tuple[str, ...]:
    reached, config = RungResult.demand(trial), config_of(trial)
    return str(trial.number), str(reached.quoted.share), str(tally([reached])), config.describe()
