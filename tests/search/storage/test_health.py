"""A storage is checked without being changed; what is not fit is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from search.errors import StorageAway, StudyError
from search.report.tables import storage_table
from search.storage import health
from search.storage.health import check_storage
from search.studies.study import Study
from tests.support.engines import Postgres
from tests.support.golden import render
from tests.support.processes import free_ports


def test_a_storage_says_what_it_is(finished: Study) -> None:
    found = check_storage(finished.storage)
    assert found.what.startswith("SQLite 3.")
    assert found.what.endswith("journal mode delete")
    assert (found.workers, found.studies, found.schema) == ("on one machine", ("tiny",), "v3.2.0.a")
    assert found.write_ms > 0
    assert found.read_ms > 0
    assert "on one machine" in render(storage_table(found))


def test_a_server_is_for_many_machines(postgres: Postgres, postgres_url: str) -> None:
    found = check_storage(postgres_url)
    assert found.what.startswith("PostgreSQL 15")
    assert (found.place, found.workers, found.studies) == ("postgresql at 127.0.0.1", "on any machine that reaches it", ())


def test_a_server_that_does_not_answer_is_asked_for_some_seconds_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 2.0)
    (port,) = free_ports(1)
    with pytest.raises(StorageAway, match="the storage must be a writable database, but: connection"):
        check_storage(f"postgresql+psycopg://nobody@127.0.0.1:{port}/none")
    assert "; it is asked again for 2 s; Ctrl-C ends that" in capsys.readouterr().err


def test_a_file_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    assert check_storage(f"sqlite:///{tmp_path}/studies.db").schema is None
    assert not list(tmp_path.iterdir())
    with pytest.raises(StudyError, match=f"{tmp_path}/none: an SQLite storage's folder must exist, but does not; make it, or"):
        check_storage(f"sqlite:///{tmp_path}/none/studies.db")


def test_a_network_file_system_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounted)
    with pytest.raises(StudyError, match="must be on a disk of this machine, but this is on nfs4, where its locks do not hold"):
        check_storage(f"sqlite:///{tmp_path}/studies.db")
    mounted[1].fstype = "xfs"
    assert check_storage(f"sqlite:///{tmp_path}/studies.db").workers == "on one machine"
