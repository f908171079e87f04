"""The addresses that `--log-to` takes, and those that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyError
from search.report.mirrors.log_to import log_to
from search.report.mirrors.mirror import hidden


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("tensorbord:runs", "perhaps tensorboard was meant"),
        ("runs", "correct it"),
        ("tensorboard:", "write what stands behind the colon"),
        ("tensorboard", "write what stands behind the colon"),
        ("", "correct it"),
    ],
)
def test_what_is_no_address_is_refused(address: str, remedy: str) -> None:
    with pytest.raises(StudyError) as refused:
        log_to(address)
    assert str(refused.value) == f"--log-to must be tensorboard:DIR or mlflow:URI, but got {address!r}; {remedy}."


def test_a_note_goes_to_stderr_unless_told_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror = log_to(f"tensorboard:{tmp_path}/board")
    mirror._say("[red] is a word")
    assert capsys.readouterr() == ("", "note: [red] is a word\n")


def test_passwords_are_never_shown() -> None:
    assert hidden("mlflow:postgresql://me:secret@db/runs") == "mlflow:postgresql://***@db/runs"
    assert hidden("mlflow:http://server:5000/a@b") == "mlflow:http://server:5000/a@b"
