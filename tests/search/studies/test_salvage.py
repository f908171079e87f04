"""What can be read of a damaged database is saved: a file cut short, pages of junk, records that are none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from search.analysis.status import summarise
from search.errors import StudyError, refusal
from search.studies.copy import copy_study
from search.studies.salvage import salvage_study
from search.studies.study import Study, find_study
from search.trials.stored_curves import read_curves


def file_of(study: Study) -> Path:
    return Path(study.storage.removeprefix("sqlite:///"))


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/saved.db"


def page_size(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[16:18], "big")


@pytest.mark.slow
def test_a_whole_study_is_saved_whole(finished: Study, target: str) -> None:
    saved = salvage_study(None, finished.storage, target)
    assert (saved.study, saved.trials, saved.lost, saved.faults) == (Study("tiny", target), 3, (), ())
    assert saved.study.plan == finished.plan
    assert [trial.params for trial in saved.study.optuna.trials] == [trial.params for trial in finished.optuna.trials]
    assert [read_curves(trial) for trial in saved.study.optuna.trials] == list(map(read_curves, finished.optuna.trials))
    assert summarise(find_study("tiny", target)).complete == 3


@pytest.mark.slow
@pytest.mark.parametrize("bytes_left", [-1, -4096])
def test_a_file_that_was_cut_is_saved(finished: Study, target: str, bytes_left: int) -> None:
    path = file_of(finished)
    path.write_bytes(path.read_bytes()[:bytes_left])
    saved = salvage_study("tiny", finished.storage, target)
    assert saved.trials + len(saved.lost) == 3
    assert saved.trials >= 2


def junk_pages(path: Path) -> Iterator[int]:
    """Put junk in one page after the other, all but the first."""
    content, size = path.read_bytes(), page_size(path)
    junk = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    for page in range(1, len(content) // size, 2):
        path.write_bytes(content[: page * size] + junk + content[(page + 1) * size :])
        yield page


@pytest.mark.slow
def test_whichever_page_is_junk_the_rest_is_saved_or_the_fault_is_one_line(finished: Study, tmp_path: Path) -> None:
    path, counts = file_of(finished), []
    for page in junk_pages(path):
        fresh = tmp_path / f"{page}.db"
        fresh.write_bytes(path.read_bytes())
        try:
            summarise(find_study("tiny", f"sqlite:///{fresh}", whole=False))
        except (StudyError, SQLAlchemyError, StorageInternalError) as error:
            assert len(refusal(error)) == 1
        try:
            counts.append(salvage_study("tiny", f"sqlite:///{fresh}", f"sqlite:///{tmp_path}/to{page}.db").trials)
        except StudyError as error:
            assert len(str(error).splitlines()) == 1
    assert counts.count(3) > len(counts) / 2


def test_a_damaged_record_leaves_a_failed_trial_and_the_rest_goes_on(finished: Study, target: str) -> None:
    params = finished.trial(2).params
    with sqlite3.connect(file_of(finished)) as connection:
        connection.execute("update trial_user_attributes set value_json = '{' where key = 'recipe' and trial_id = 2")
    connection.close()
    with pytest.raises(StudyError, match="trial 1 has rows that are not Optuna's"):
        copy_study("tiny", finished.storage, target)
    saved = salvage_study("tiny", finished.storage, target)
    assert (saved.trials, saved.lost, len(saved.faults)) == (2, (1,), 1)
    trials = saved.study.optuna.trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert trials[1].user_attrs["error"].startswith("lost with a damaged database: ")
    assert trials[2].params == params
    with pytest.raises(StudyError, match="the rows of a study must be as Optuna wrote them"):
        finished.backend.get_all_trials(finished.id)
    assert summarise(find_study("tiny", target)).complete == 2


@pytest.mark.slow
def test_what_cannot_be_saved_is_refused(finished: Study, target: str, tmp_path: Path) -> None:
    for content, message in (
        (b"", "must begin as one"),
        (b"no database at all", "must begin as one"),
        (b"SQLite format 3\x00" + b"\xff" * 5000, "restore"),
    ):
        (tmp_path / "odd.db").write_bytes(content)
        with pytest.raises(StudyError, match=message):
            salvage_study(None, f"sqlite:///{tmp_path}/odd.db", f"sqlite:///{tmp_path}/{len(content)}.db")
    with pytest.raises(StudyError, match="this file does not"):
        salvage_study(None, f"sqlite:///{tmp_path}/none.db", target)
    salvage_study("tiny", finished.storage, target)
    with pytest.raises(StudyError, match="is there already"):
        salvage_study("tiny", finished.storage, target)
