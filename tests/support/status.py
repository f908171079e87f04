"""A study of six trials, one of every kind, as status and its tables see them."""

from __future__ import annotations

import optuna
from optuna.trial import TrialState, create_trial

from search.trials.records import TrialOrigin
from spaces import Config
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE
from tests.support.trials import reached, recipe, written

CONFIG = Config(network=Network("pitnet", depth=4, width=16))


def trial_of(
    number: int,
    state: TrialState,
    rungs: int,
    audited: bool = False,
    would_prune: str | None = None,
    note: str | None = None,
    **remarks: str,
) -> optuna.trial.FrozenTrial:
    """Make a trial that stands on a rung of three, none where it stands on no rung; `remarks` are further attributes."""
    folds = 1 if rungs == 1 else 5
    verdict = "learned" if state == TrialState.COMPLETE else "unfinished"
    height = reached(
        folds,
        rung=["1x3", "5x9", "5x30"][rungs - 1],
        accepted=(30 + number,) * folds,
        signals=(42,) * folds,
        verdicts=(verdict,) * folds,
        reseeds=(number % 2, *(0,) * (folds - 1)),
        would_prune=would_prune,
        note=note,
    )
    start = TrialOrigin("launch", "host:1", None if number else BASELINE)
    records = written(start, recipe(CONFIG, audited=audited), height) if rungs else {}
    trial = create_trial(
        state=state,
        value=(30 + number) / 42 if state == TrialState.COMPLETE else None,
        user_attrs={**records, **remarks},
        intermediate_values=dict.fromkeys((3, 45, 150)[:rungs], 0.5),
    )
    trial.number = number
    return trial


TRIALS = [
    trial_of(0, TrialState.COMPLETE, 3, audited=True, would_prune="1x3"),
    trial_of(1, TrialState.COMPLETE, 3, audited=True),
    trial_of(2, TrialState.PRUNED, 1),
    trial_of(3, TrialState.FAIL, 0, error="RuntimeError: no such kernel"),
    trial_of(4, TrialState.WAITING, 2, stopped="stopped by hand"),
    trial_of(5, TrialState.RUNNING, 2),
]
