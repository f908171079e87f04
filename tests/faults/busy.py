"""Let so many processes run trials that do nothing to the end of a budget; each prints how many of them were its own."""

from __future__ import annotations

import os
import sys

import optuna

from search.storage.connect import backend_of, open_storage
from search.storage.leases import claim, require_lease
from search.trials.records import TrialOrigin


def work(address: str) -> int:
    """Run trials of the study `busy`; give their number."""
    storage = open_storage(address)
    backend = backend_of(storage)
    study = optuna.load_study(study_name="busy", storage=storage, sampler=optuna.samplers.RandomSampler())
    mine = 0
    while (lease := claim(backend, study._study_id, TrialOrigin("busy", "host:1"))) is not None:
        study.get_trials(deepcopy=False)  # Optuna's cache knows a trial from there
        trial = optuna.Trial(study, lease.trial_id)
        with backend.transaction(require_lease(lease)):
            x = trial.suggest_float("x", 0, 1)
            trial.report(x, 1)
        with backend.transaction(require_lease(lease)):
            study.tell(trial, x)
        mine += 1
    return mine


if __name__ == "__main__":
    workers = int(sys.argv[2])
    # Forked when everything is imported and no database is open: they begin at once.
    if all(os.fork() for _ in range(workers)):
        for _ in range(workers):
            os.wait()
    else:
        print(f"{work(sys.argv[1])}\n", end="")  # in one piece
