"""Faults played against real processes: each keeps every promise. `make faults` prints the lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.findings import LINE
from tests.faults.lab import Lab, Table
from tests.faults.table import FAULTS, Fault, play
from tests.support.tiny import write_dataset

COUNTS = {"candidate": 40, "top": 40, "bottom": 40, "misc": 20}


@pytest.fixture(scope="session")
def lab_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("lab") / "data", counts=COUNTS)


@pytest.fixture(scope="session")
def undisturbed(lab_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Table]:
    """What gives the table of a run of so many trials, or of more, that nothing happens to."""
    tables: dict[int, Table] = {}

    def run(trials: int) -> Table:
        if max(tables, default=0) < trials:
            folder = tmp_path_factory.mktemp("undisturbed")
            lab = Lab(folder, lab_data, f"sqlite:///{folder}/studies.db", trials)
            lab.finish()
            tables[trials] = Table.of(lab.read())
        return tables[max(tables)]

    return run


CASES = [
    pytest.param(fault, storage, id=f"{fault.name}, {storage}", marks=[] if storage in fault.fast else [pytest.mark.slow])
    for fault in FAULTS
    for storage in fault.storages
]


@pytest.mark.parametrize(("fault", "storage"), CASES)
def test_every_promise_is_kept(
    fault: Fault,
    storage: str,
    lab_data: Path,
    undisturbed: Callable[[int], Table],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / "lab"
    address = f"sqlite:///{folder}/studies.db" if storage == "sqlite" else request.getfixturevalue("postgres_url")
    engine = None if fault.engine is None else request.getfixturevalue(fault.engine)
    finding = play(fault, storage, address, folder, lab_data, undisturbed(fault.trials), engine)
    record_property(LINE, str(finding))
    assert not finding.broken
