"""A study is copied whole, from any storage to any other, and goes on there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial

from foils import Dataset
from search.errors import StudyError
from search.storage.leases import claim
from search.studies.copy import copy_study
from search.studies.study import Study
from search.trials.records import TrialOrigin
from tests.support.studies import job_of, one_more


def told(study: Study) -> list[FrozenTrial]:
    trials = study.optuna.get_trials()
    for trial in trials:
        trial._trial_id = 0  # of a database, not of a study
    return trials


def test_all_of_a_study_is_copied_and_the_original_stays(finished: Study, storage_url: str, tmp_path: Path) -> None:
    target = storage_url.replace("studies.db", "copy.db")
    before = told(finished)
    copied, trials = copy_study(None, finished.storage, target)
    assert (copied, trials) == (Study("tiny", target), 3)
    assert told(copied) == before == told(finished)
    assert copied.plan == finished.plan
    assert copied.uid == finished.uid
    opened, original = copied.optuna, finished.optuna
    assert (opened.user_attrs, opened.metric_names, opened.directions) == (
        original.user_attrs,
        original.metric_names,
        original.directions,
    )


def test_a_copy_goes_on_as_the_original_would(finished: Study, tiny: Dataset, tmp_path: Path, storage_url: str) -> None:
    copied, _ = copy_study("tiny", finished.storage, storage_url.replace("studies.db", "copy.db"))
    found = [one_more(job_of(study, tiny, tmp_path)) for study in (finished, copied)]
    assert found == [3, 3]
    first, second = finished.trial(3), copied.trial(3)
    assert (first.params, first.value) == (second.params, second.value)


def test_what_cannot_be_copied_is_refused_and_nothing_written(finished: Study, tiny: Dataset, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"
    copy_study("tiny", finished.storage, target)
    with pytest.raises(StudyError, match="must not be in the storage that it is copied to, but 'tiny' is there already"):
        copy_study("tiny", finished.storage, target)
    job = job_of(finished, tiny, tmp_path)
    assert claim(job.study.backend, job.study.id, TrialOrigin("", "host:1"))
    with pytest.raises(StudyError, match=re.escape("while it is copied, but trial 3 of 'tiny' is running")):
        copy_study("tiny", finished.storage, f"sqlite:///{tmp_path}/other.db")
    assert not (tmp_path / "other.db").exists()
