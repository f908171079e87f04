"""Passwords work from where they may stand, and are seen nowhere else: no command line, no message, no row of the database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from search.errors import StudyError
from search.storage.health import check_storage
from search.storage.urls import PASSWORD, PASSWORD_FILE
from tests.support.engines import Postgres
from tests.support.processes import need, run
from tests.support.studies import SHORT, SMALL_SPACE

SECRET = "s3cret@/:%41"


@pytest.fixture(scope="session")  # worksteal may come back to this file: a role is made once
def role(postgres: Postgres) -> str:
    """A role that enters by its password alone."""
    postgres.add_role("guarded", SECRET)
    return "guarded"


@pytest.fixture
def address(postgres: Postgres, role: str) -> str:
    return postgres.url(f"p{time.time_ns()}", role)


def ways(folder: Path) -> dict[str, dict[str, str]]:
    """Give the environment of each way to give a password."""
    own, pgpass = folder / "password", folder / "pgpass"
    own.write_text(f"{SECRET}\n", encoding="utf-8")
    pgpass.write_text("*:*:*:guarded:" + SECRET.replace(":", "\\:") + "\n", encoding="utf-8")
    for file in (own, pgpass):
        file.chmod(0o600)
    return {
        "variable": {PASSWORD: SECRET},
        "file": {PASSWORD_FILE: str(own)},
        "of the driver": {"PGPASSWORD": SECRET},
        "pgpass": {"PGPASSFILE": str(pgpass)},
    }


@pytest.mark.parametrize("way", ["variable", "file", "of the driver", "pgpass"])
def test_a_password_is_found_where_it_may_stand(
    way: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ways(tmp_path)[way].items():
        monkeypatch.setenv(name, value)
    assert check_storage(address).what.startswith("PostgreSQL")


def command(address: str, *words: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pitsearch", *words, "--storage", address],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_wrong_password_is_not_shown(address: str) -> None:
    process = command(address, "status", environment={PASSWORD: f"not {SECRET}"})
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: postgresql at 127.0.0.1: the storage must be a writable database, but:" in output
    assert "password authentication failed" in output
    assert SECRET not in output
    assert "Traceback" not in output


def test_a_missing_password_is_asked_for_by_the_variable_that_takes_it(address: str) -> None:
    with pytest.raises(StudyError, match=r"no password supplied; give it in PITSEARCH_DB_PASSWORD, or in a file"):
        check_storage(address)


@pytest.mark.slow
def test_a_password_leaves_no_trace(address: str, role: str, postgres: Postgres, tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(SMALL_SPACE.write(), encoding="utf-8")
    words = ["launch", str(tiny_folder), "--trials", "6", "--workers", "2", "--space", str(tmp_path / "space.toml")]
    words += ["--ladder", SHORT, "--runs", str(tmp_path / "runs")]
    process = command(address, *words, environment={PASSWORD: SECRET})
    seen: set[str] = set()
    while process.poll() is None:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        time.sleep(0.1)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert any("--process-name LokyProcess" in line for line in seen)
    assert not [line for line in seen if SECRET in line]
    assert SECRET not in output
    name = address.rpartition("/")[2]
    dump = [str(Path(run([need("pg_config", "postgresql-15"), "--bindir"])) / "pg_dump"), "-h", "127.0.0.1", "-U", "postgres"]
    rows = run([*dump, "-p", str(postgres.port), name])
    assert "pitsearch_leases" in rows
    assert SECRET not in rows
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
