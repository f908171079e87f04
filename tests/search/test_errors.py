"""What users are told of an error, and what is left to fail aloud."""

from __future__ import annotations

import sqlite3

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from foils import DataError
from search.errors import StudyError, refusal


def test_refusals_are_told_as_they_are() -> None:
    assert refusal(StudyError("a rule; a remedy.")) == ["a rule; a remedy."]
    assert refusal(DataError(["first", "second"])) == ["first", "second"]


def test_a_database_that_fails_is_told_in_its_drivers_words_without_statements() -> None:
    with pytest.raises(StorageInternalError) as caught:
        try:
            try:
                raise sqlite3.OperationalError("attempt to write a readonly database")
            except sqlite3.OperationalError as bottom:
                raise OperationalError("INSERT INTO studies VALUES ('secret')", {}, bottom) from bottom
        except OperationalError as middle:
            raise StorageInternalError("An exception is raised during the commit.") from middle
    (line,) = refusal(caught.value)
    assert line.startswith("the storage must stay writable, but: attempt to write a readonly database; finished trials")
    assert "secret" not in line


def test_a_fault_of_ours_is_told_to_nobody() -> None:
    assert refusal(ValueError("a bug")) == []
    assert refusal(KeyError("a bug")) == []
