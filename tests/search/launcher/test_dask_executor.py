"""A study on a Dask cluster: the same trials, and nothing on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import LocalCluster
from optuna.trial import TrialState

from foils import Dataset
from search.errors import StudyError
from search.launcher.executors import Cluster
from search.trials.records import TrialOrigin
from tests.support.studies import SHORT, start


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a Dask scheduler with two workers."""
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options) as cluster:  # type: ignore[no-untyped-call]
        yield cluster.scheduler_address


@pytest.mark.slow
def test_a_study_runs_on_a_cluster_to_the_same_numbers(
    scheduler: str, tiny: Dataset, tmp_path: Path, postgres_url: str
) -> None:
    options: dict[str, Any] = {"trials": 5, "ladder": SHORT, "pruner": "none", "working_point": 0.4}
    study = start(tiny, tmp_path, executor=Cluster(scheduler, jobs=2), storage=postgres_url, runs=tmp_path / "runs", **options)
    found = study.optuna.trials
    assert [trial.state for trial in found] == [TrialState.COMPLETE] * 5
    assert len({TrialOrigin.demand(trial).worker for trial in found}) == 2
    alike = start(tiny, tmp_path, **options).optuna.trials
    assert [trial.values for trial in found[:2]] == [trial.values for trial in alike[:2]]
    assert not list((tmp_path / "runs" / "tiny").glob("[0-9]*"))


def test_a_clusters_workers_cannot_share_a_file(tiny: Dataset, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"a cluster's workers must share a database server, but got the file .*; give"):
        start(tiny, tmp_path, executor=Cluster("slurm"))
    assert not list(tmp_path.iterdir())


def test_a_scheduler_that_does_not_answer_is_told(tiny: Dataset, tmp_path: Path, postgres_url: str) -> None:
    refused = pytest.raises(StudyError, match=r"a Dask scheduler must answer at tcp://127\.0\.0\.1:9, but")
    with dask.config.set({"distributed.comm.timeouts.connect": "2s"}), refused:
        start(tiny, tmp_path, executor=Cluster("tcp://127.0.0.1:9"), storage=postgres_url, runs=tmp_path)
