"""Read once all of a study that its report is about. Knows nothing of how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import FrozenTrial

from foils import DataError, Dataset
from search.analysis.status import Status, summarise
from search.errors import StudyError
from search.selection.confirmations import Confirmation, read_confirmations
from search.selection.held_out import Opening, recall
from search.selection.race_record import JudgedRecord, RaceRecord, read_judged, read_race
from search.selection.selection_record import SELECTION, ModelKey, selected_key
from search.studies.environment import Environment, read_environment
from search.studies.plan import Plan
from search.studies.study import Study, study_data


@dataclass(frozen=True)
class Subject:
    """A study at one moment, as its report shows it."""

    study: Study
    # What it was made for.
    plan: Plan
    # Those that can be read, in the order of their numbers.
    trials: tuple[FrozenTrial, ...]
    status: Status
    # By trial and repeat.
    confirmations: Mapping[tuple[int, int], Confirmation]
    # What the last launch ran with; None where an older version launched.
    environment: Environment | None
    # The last race; None before there is one.
    race: RaceRecord | None
    # The winner of the last selection; None before there is one.
    selection: ModelKey | None
    # How that selection judged the candidates; None before, and where an older version selected.
    judged: JudgedRecord | None
    # What the held-out set showed of that winner; None before.
    opening: Opening | None
    # All pits of the data set, held-out ones too; None where its folder is gone or holds other data.
    data: Dataset | None
    # Why there is none, as one sentence; empty where there is.
    data_fault: str


def read_subject(study: Study, folder: Path | None = None) -> Subject:
    """Read a study, also one that runs; `folder`: where its data is now, if it has moved.

    Without its data a study has a report still, of less. Raises StudyError where pitsearch did not make it, or where `folder`
    does not hold its data.
    """
    damage = study.damage
    if damage.plan_is_lost:
        damage.refuse()
    opened, trials = study.optuna, sorted(damage.whole.values(), key=lambda trial: trial.number)
    selection = selected_key(study) if SELECTION in opened.user_attrs else None
    data, data_fault = _data(study, folder)
    return Subject(
        study=study,
        plan=study.plan,
        trials=tuple(trials),
        status=summarise(study, damage),
        confirmations=read_confirmations(opened),
        environment=read_environment(study),
        race=read_race(study),
        selection=selection,
        judged=None if selection is None else read_judged(study, selection.sha256),
        opening=None if selection is None else recall(study, selection),
        data=data,
        data_fault=data_fault,
    )


def _data(study: Study, folder: Path | None) -> tuple[Dataset | None, str]:
    try:
        return study_data(study, folder), ""
    except (StudyError, DataError) as error:
        if folder is not None:
            raise
        return None, str(error)
