"""What is mapped over the jobs of a cluster is as if it were mapped here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import distributed
import pytest

from search.errors import StudyError
from search.launcher.dask_map import DaskMap, dask_map


def halved(value: int) -> int:
    """Halve an even number."""
    if value % 2:
        raise StudyError(f"`value` must be even, but got {value}; double it.")
    return value // 2


def drawn_ahead(most: int, drawn: list[int], given: list[int]) -> Iterator[int]:
    """Give even numbers, and hold that no more are drawn than have been given back and wait."""
    for value in range(0, 40, 2):
        assert len(drawn) - len(given) <= most
        drawn.append(value)
        yield value


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a Dask scheduler with two workers in this process."""
    with distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as cluster:
        yield cluster.scheduler_address


def test_all_is_mapped_and_no_more_is_drawn_than_is_needed(scheduler: str, tmp_path: Path) -> None:
    drawn: list[int] = []
    given: list[int] = []
    with dask_map(scheduler, 2, tmp_path) as mapped:
        for value in mapped(halved, drawn_ahead(5, drawn, given)):
            given.append(value)
        assert sorted(given) == list(range(20))
        assert sorted(mapped(halved, [8, 6])) == [3, 4]
        with pytest.raises(StudyError, match="must be even, but got 3"):
            list(mapped(halved, [3]))


def test_a_cluster_is_opened_for_work_alone(tmp_path: Path) -> None:
    with dask_map("tcp://127.0.0.1:9", 2, tmp_path) as mapped:
        assert list(mapped(halved, [])) == []


def test_a_scheduler_that_goes_is_told_and_what_it_gave_is_kept(tmp_path: Path) -> None:
    given: list[int] = []
    cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    )

    def run(mapped: DaskMap) -> None:
        for value in mapped(halved, range(0, 400, 2)):
            given.append(value)
            cluster.close()

    with (
        pytest.raises(StudyError, match=r"the Dask scheduler must stay reachable, but: .*; what finished is kept"),
        dask_map(cluster.scheduler_address, 1, tmp_path) as mapped,
    ):
        run(mapped)
    assert given
