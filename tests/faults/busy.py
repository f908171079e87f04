"""Run trials that do nothing, until a study has so many, and print how many of them were this process's; 0 makes the study."""

from __future__ import annotations

import sys

import optuna
from optuna.study import StudyDirection

from search.storage.connect import backend_of, open_storage
from search.storage.leases import claim, require_lease
from search.storage.places import LAUNCH
from search.trials.records import TrialOrigin


def main(address: str, trials: int) -> None:
    """Run trials of the study `busy`."""
    storage = open_storage(address, create=True)
    backend = backend_of(storage)
    if not trials:
        backend.create_whole_study("busy", [StudyDirection.MAXIMIZE], {LAUNCH: {"trials": 64, "failed": 0}}, {})
        return
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
    print(mine)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
