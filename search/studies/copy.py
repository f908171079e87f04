"""Copy a study from one storage to another, whole or not at all: its plan, every trial under its number, every attribute.

Checkpoints stay where they are, and the copy goes on with them. Knows nothing of what trials hold.
"""

from __future__ import annotations

from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.errors import StudyError
from search.storage.connect import backend_of, open_storage
from search.storage.lease_table import remove_rows
from search.storage.leases import requeue_stale_trials
from search.storage.optuna_internals import storage_of, study_id_of
from search.studies.study import Study, find_study


def copy_study(name: str | None, source: str, target: str) -> tuple[Study, int]:
    """Copy a study, and give the copy and the number of its trials.

    Raises StudyError where a trial runs, or the target has a study of this name.
    """
    study = find_study(name, source)  # whose rows are all whole
    requeue_stale_trials(study.backend, study.id)
    opened = study.optuna
    trials = opened.get_trials(deepcopy=False)
    running = [trial.number for trial in trials if trial.state == TrialState.RUNNING]
    if running:
        raise StudyError(
            f"a study must have no running trial while it is copied, but trial {running[0]} of {study.name!r} is running; end "
            "its workers, then run this again."
        )
    storage = backend_of(open_storage(target, create=True))
    system = storage_of(opened).get_study_system_attrs(study_id_of(opened))

    def write(session: Session) -> None:
        new_id = storage.add_study(session, study.name, opened.directions, opened.user_attrs, system)
        if new_id is None:
            raise StudyError(
                f"a study must not be in the storage that it is copied to, but {study.name!r} is there already; choose another."
            )
        for trial in trials:
            remove_rows(session, trial_id=storage.insert_trial(new_id, trial, session))

    storage.transact(write)
    return Study(study.name, target), len(trials)
