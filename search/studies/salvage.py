"""Save what can be read of a damaged study into another storage: whole trials under their numbers, attributes that are JSON.

A trial that cannot be read leaves a failed trial in its place, so that the others keep their numbers. Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.orm import Session

from search.errors import StudyError
from search.storage.connect import backend_of, open_storage
from search.storage.optuna_internals import check_trial, models
from search.storage.raw_rows import study_names
from search.storage.salvage import rescue
from search.storage.urls import is_file, parse_url
from search.studies.damage import Damage
from search.studies.plan import PLAN
from search.studies.study import Study, find_study
from search.trials.records import ERROR


@dataclass(frozen=True)
class Salvage:
    """What was saved of a study."""

    study: Study
    # Trials that were saved, and the numbers of those that were not.
    trials: int
    lost: tuple[int, ...]
    # What could not be read, a line each.
    faults: tuple[str, ...]


def salvage_study(name: str | None, source: str, target: str) -> Salvage:
    """Copy what can be read of a study from a damaged storage to another. The damaged one stays as it is.

    Raises StudyError where nothing of it can be read, or the target has a study of this name.
    """
    url = parse_url(source)
    if not is_file(url):
        return _copy(find_study(name, source, whole=False), target)
    path = Path(str(url.database))
    if not path.is_file():
        raise StudyError(f"{path}: a storage must exist to be saved, but this file does not; correct the address.")
    with TemporaryDirectory(prefix="pitsearch-salvage-") as scratch:
        rescued = Path(scratch) / "rescued.db"
        rescue(path, rescued)
        address = f"sqlite:///{rescued}"
        if not study_names(backend_of(open_storage(address))):
            raise StudyError(f"{path}: a study must be readable to be saved, but none is; restore the file from a copy.")
        return _copy(find_study(name, address, whole=False), target)


def _copy(study: Study, target: str) -> Salvage:
    damage, storage = study.damage, backend_of(open_storage(target, create=True))
    # Trials that ran when the database was damaged have no worker any more.
    saved = {number: trial for number, trial in damage.whole.items() if trial.state != TrialState.RUNNING and _fits(trial)}
    numbers = {*damage.raw.trials, *damage.raw.trial_faults, *range(max(saved, default=-1))} - {-1}
    lost = tuple(sorted(numbers - saved.keys()))
    directions = _directions(study, saved)

    def write(session: Session) -> None:
        attributes, system = dict(damage.raw.attributes), dict(damage.raw.system)
        new_id = storage.add_study(session, study.name, directions, attributes, system)
        if new_id is None:
            raise StudyError(
                f"a study must not be in the storage that it is copied to, but {study.name!r} is there already; choose another."
            )
        for number in range(max(numbers, default=-1) + 1):
            storage.insert_trial(new_id, saved.get(number) or _placeholder(damage, number), session)

    storage.transact(write)
    faults = (*damage.faults, *(() if PLAN in damage.raw.attributes else (f"its attribute {PLAN!r} is lost",)))
    return Salvage(Study(study.name, target), len(saved), lost, faults)


def _fits(trial: FrozenTrial) -> bool:
    """Tell whether Optuna takes a trial as it is."""
    try:
        check_trial(trial)
    except Exception:  # whatever is wrong with it
        return False
    return True


def _placeholder(damage: Damage, number: int) -> FrozenTrial:
    reason = damage.raw.trial_faults.get(number, "its records could not be read")
    attributes: Mapping[str, Any] = {ERROR.name: f"lost with a damaged database: {reason}"}
    return create_trial(state=TrialState.FAIL, user_attrs=dict(attributes))


def _directions(study: Study, saved: Mapping[int, FrozenTrial]) -> list[StudyDirection]:
    """Read the directions of a study's objectives; acceptance is maximised, and that of a lost one follows no trial."""

    def read(session: Session) -> list[StudyDirection]:
        rows: Any = session.query(models.StudyDirectionModel).filter_by(study_id=study.id)
        return [row.direction for row in rows.order_by(models.StudyDirectionModel.objective)]

    try:
        directions = study.backend.transact(read, reads=True)
    except LookupError:
        directions = []
    return directions or [StudyDirection.MAXIMIZE]
