"""Addresses of databases: no password in them, whatever its form, and none in what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyError
from search.storage.urls import PASSWORD, PASSWORD_FILE, parse_url, place_of, read_password

SECRET = "s3cret"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://me:{SECRET}@db/studies",
        f"postgresql+psycopg://me:{SECRET}@{SECRET}@db/studies",
        f"postgresql+psycopg://me@{SECRET}@db/studies",
        f"postgresql+psycopg://db/studies?user=me&password={SECRET}",
        f"postgresql+psycopg://me@db/studies?passfile=/{SECRET}",
        f"mysql+pymysql://me:{SECRET}@db/studies",
        f"mysql+pymysql://me@db/studies?passwd={SECRET}",
        f"nodb://me:{SECRET}@db/studies",
    ],
)
def test_a_password_in_an_address_is_refused_and_never_shown(address: str) -> None:
    with pytest.raises(StudyError, match="a storage's address must hold no password, but got one for") as caught:
        parse_url(address)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["", "studies.db", f"postgresql//me:{SECRET}@db", "sqlite:studies.db"])
def test_what_is_no_address_is_refused_and_never_shown(address: str) -> None:
    with pytest.raises(
        StudyError, match=r"a storage must be a database address, but got none; write e\.g\. sqlite:///"
    ) as caught:
        parse_url(address)
    assert SECRET not in str(caught.value)


def test_a_database_is_named_by_its_file_or_its_host() -> None:
    assert place_of(parse_url("sqlite:///a/studies.db")) == "a/studies.db"
    assert place_of(parse_url("postgresql+psycopg://me@db:5432/studies")) == "postgresql at db"
    assert place_of(parse_url("postgresql+psycopg:///studies")) == "postgresql at this machine"


def test_a_password_comes_from_the_environment_or_from_a_file_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (PASSWORD, PASSWORD_FILE):
        monkeypatch.delenv(name, raising=False)
    assert read_password() is None
    file = tmp_path / "password"
    file.write_text(f"{SECRET} \n")
    monkeypatch.setenv(PASSWORD_FILE, str(file))
    file.chmod(0o640)
    with pytest.raises(StudyError, match=f"readable by you alone, but .* has mode 640; run chmod 600 {file}.") as caught:
        read_password()
    assert SECRET not in str(caught.value)
    file.chmod(0o600)
    assert read_password() == f"{SECRET} "
    monkeypatch.setenv(PASSWORD_FILE, str(tmp_path / "none"))
    with pytest.raises(StudyError, match=r"must name a readable file, but .*: No such file or directory; correct it"):
        read_password()
    monkeypatch.setenv(PASSWORD, "first")
    assert read_password() == "first"
