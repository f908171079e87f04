"""The studies of a database as Optuna's dashboard is to see them: an Optuna storage over another.

What is read goes through `search/dashboard/shown_trials.py`; what is written goes to the database as it is, and only where the
dashboard was started to write. Nothing that is shown is stored: the records that pitsearch reads stay as they are. Knows
nothing of HTTP.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence
from threading import Lock
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.dashboard.shown_trials import is_record, shown_study, shown_trial
from search.errors import StudyError
from search.storage.connect import forget_storages, open_storage
from search.storage.optuna_internals import CachedStorage, FrozenStudy, study_id_of, trial_id_of
from search.storage.places import UID


class StudyView(BaseStorage):
    """An Optuna storage that shows the trials of a database by name, and writes to it where it may."""

    def __init__(self, address: str, *, writes: bool = False) -> None:
        self.address, self.writes = address, writes
        self._lock = Lock()
        # By the id of an ended trial: the trial as it was recorded, and as it is shown.
        self._shown: dict[int, tuple[FrozenTrial, FrozenTrial]] = {}
        # By the id of a study.
        self._uids: dict[int, object] = {}

    @property
    def recorded(self) -> CachedStorage:
        """The database, with everything as it was recorded."""
        return open_storage(self.address)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Read a trial."""
        return self._show(self.recorded.get_trial(trial_id))

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Read all trials of a study."""
        shown = [self._show(trial) for trial in self.recorded.get_all_trials(study_id, deepcopy=False, states=states)]
        return copy.deepcopy(shown) if deepcopy else shown

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Read the trial with the best value."""
        return self._show(self.recorded.get_best_trial(study_id))

    def _show(self, trial: FrozenTrial) -> FrozenTrial:
        """Give a trial as it is shown; one that has ended is laid out once."""
        if not trial.state.is_finished():
            return shown_trial(trial)
        with self._lock:
            recorded, shown = self._shown.get(trial_id_of(trial), (None, None))
        if recorded is not trial or shown is None:
            shown = shown_trial(trial)
            with self._lock:
                self._shown[trial_id_of(trial)] = (trial, shown)
        return shown

    def get_all_studies(self) -> list[FrozenStudy]:
        """Read all studies, in the order in which they were made."""
        studies = sorted(self.recorded.get_all_studies(), key=study_id_of)
        uids = {study_id_of(study): study.user_attrs.get(UID) for study in studies}
        with self._lock:
            if any(self._uids.get(number, uid) != uid for number, uid in uids.items()):
                # The database has given the number of a deleted study to another: what was read is of the deleted one.
                forget_storages()
                self._shown.clear()
            self._uids = uids
        for study in studies:  # each was read for this call
            study.user_attrs = shown_study(study.study_name, study.user_attrs)
        return studies

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Read the attributes of a study."""
        return shown_study(self.get_study_name_from_id(study_id), self.recorded.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Read what Optuna and its dashboard keep of a study."""
        return self.recorded.get_study_system_attrs(study_id)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Find a study."""
        return self.recorded.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Name a study."""
        return self.recorded.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Say which way is better, for each objective."""
        return self.recorded.get_study_directions(study_id)

    @property
    def _writable(self) -> CachedStorage:
        """The database, to be written to. Raises StudyError where it is only to be read."""
        if not self.writes:
            raise StudyError("a dashboard that writes must be started so, but this one was not; start it with --write.")
        return self.recorded

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Raise StudyError: a study without a plan is none of ours."""
        raise StudyError("a study must be made by `pitsearch launch`, but a page asked for one; launch it.")

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Raise StudyError: a trial as it is shown is no trial to be copied, and ours have leases."""
        raise StudyError("a trial must be added by `pitsearch launch`, but a page asked for one; launch it with --enqueue.")

    def delete_study(self, study_id: int) -> None:
        """Delete a study."""
        self._writable.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep an attribute of a study."""
        self._writable.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep what the dashboard keeps with a study: notes, mostly."""
        self._writable.set_study_system_attr(study_id, key, value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute of a trial. Raises StudyError for one that pitsearch reads."""
        storage = self._writable
        if is_record(storage.get_trial(trial_id).user_attrs.get(key)):
            raise StudyError(f"a record of pitsearch must stay as it is, but {key!r} was to be written; choose another name.")
        storage.set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep what Optuna and its dashboard keep with a trial."""
        self._writable.set_trial_system_attr(trial_id, key, value)

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Keep a parameter of a trial."""
        self._writable.set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """End a trial."""
        return self._writable.set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Keep a value that a trial reports."""
        self._writable.set_trial_intermediate_value(trial_id, step, intermediate_value)
