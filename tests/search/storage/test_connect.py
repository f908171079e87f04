"""A storage is a database that can be used, made whole, or it is refused without its address."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import optuna
import pytest

from search.errors import StudyError
from search.storage.connect import open_storage


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "a storage must be a database address"),
        ("sqlite://", "an SQLite storage must be a file that workers share, but got none"),
        ("sqlite:///:memory:", "an SQLite storage must be a file that workers share, but got none"),
        ("sqlite:///{folder}/none.db", "a storage must be there, but this file is not; run `pitsearch launch DATA` first"),
        ("nodb://user@host/name", "the storage's driver must be installed, but 'nodb' is not"),
    ],
)
def test_a_storage_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        open_storage(address.format(folder=tmp_path))
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"studies.db: the storage must be a writable database, but: unable to open"):
        open_storage(f"sqlite:///{tmp_path}/file/studies.db", create=True)


def test_a_new_database_is_never_seen_half_made(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    opened: list[int] = []

    def watch() -> None:
        # Opens the file as soon as it is there, as `pitsearch status` might.
        while not opened:
            with suppress(StudyError):
                opened.append(len(optuna.get_all_study_names(open_storage(storage))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = "import sys; from search.storage.connect import open_storage; open_storage(sys.argv[1], create=True)"
    starters = [subprocess.Popen([sys.executable, "-c", code, storage]) for _ in range(3)]
    assert [starter.wait(timeout=60) for starter in starters] == [0, 0, 0]
    watcher.join(timeout=60)
    assert opened == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["studies.db"]
