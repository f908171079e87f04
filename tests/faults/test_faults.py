"""Faults played against real processes: each keeps every promise. A line each is printed at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.findings import Finding
from tests.faults.lab import Lab, Table, said
from tests.faults.table import FAULTS, OUTAGES, SERVERS, Fault, jobs, of_server, outage, play
from tests.support.engines import Postgres, Slurm
from tests.support.lines import LINE
from tests.support.tiny import write_dataset

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]

COUNTS = {"candidate": 40, "top": 40, "bottom": 40, "misc": 20}


@pytest.fixture(scope="session")
def lab_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("lab") / "data", counts=COUNTS)


@pytest.fixture(scope="session")
def undisturbed(lab_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Table]:
    """What gives the table of a run of so many trials that nothing happens to."""
    found: dict[int, Table] = {}

    def run(trials: int) -> Table:
        if trials not in found:
            folder = tmp_path_factory.mktemp("undisturbed")
            lab = Lab(folder, lab_data, f"sqlite:///{folder}/studies.db", trials)
            out = said(lab.launch(2))
            assert lab.processes[0].returncode == 0, out
            found[trials] = Table.of(lab.read())
        return found[trials]

    return run


def keep(finding: Finding, record_property: Record) -> None:
    """Record a line, which is printed at the end, and fail where a promise is broken."""
    record_property(LINE, str(finding))
    assert not finding.broken


CASES = [pytest.param(fault, storage, id=f"{fault.name}, {storage}") for fault in FAULTS for storage in fault.storages]


@pytest.mark.parametrize(("fault", "storage"), CASES)
def test_every_promise_is_kept(
    fault: Fault,
    storage: str,
    lab_data: Path,
    undisturbed: Callable[[int], Table],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Record,
) -> None:
    folder = tmp_path / "lab"
    address = f"sqlite:///{folder}/studies.db" if storage == "sqlite" else request.getfixturevalue("postgres_url")
    keep(play(fault, storage, address, folder, lab_data, undisturbed(fault.trials)), record_property)


@pytest.mark.parametrize("seconds", OUTAGES)
def test_a_database_that_died_is_waited_for(
    seconds: int,
    lab_data: Path,
    undisturbed: Callable[[int], Table],
    tmp_path: Path,
    postgres: Postgres,
    postgres_url: str,
    record_property: Record,
) -> None:
    fault = outage(postgres, seconds)
    keep(play(fault, "postgresql", postgres_url, tmp_path / "lab", lab_data, undisturbed(fault.trials)), record_property)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_not_there_or_full_is_waited_for(
    name: str,
    lab_data: Path,
    undisturbed: Callable[[int], Table],
    tmp_path: Path,
    postgres: Postgres,
    postgres_url: str,
    record_property: Record,
) -> None:
    fault = of_server(name, postgres)
    keep(play(fault, "postgresql", postgres_url, tmp_path / "lab", lab_data, undisturbed(fault.trials)), record_property)


def test_a_study_survives_its_jobs(
    lab_data: Path,
    undisturbed: Callable[[int], Table],
    tmp_path: Path,
    slurm: Slurm,
    postgres_url: str,
    record_property: Record,
) -> None:
    fault = jobs(slurm)
    keep(play(fault, "postgresql", postgres_url, tmp_path / "lab", lab_data, undisturbed(fault.trials)), record_property)
