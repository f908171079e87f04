"""Errors and reasons are one line, whatever stands in the names and values that they tell."""

from __future__ import annotations

import pickle

import pytest

from foils import DataError
from pitsearch.errors import PitsearchError, first_cause, on_one_line, reason
from scan import ScanError
from search.errors import StudyError, StudyGone


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("crops/é_µm 日.png", "crops/é_µm 日.png"),
        ("a\nb\r\n", r"a\nb\r\n"),
        ("a\x1eb\u2028c\x85d", r"a\x1eb\u2028c\x85d"),
        ("\x1b[2Jgone\x07", r"\x1b[2Jgone\x07"),  # which would clear the screen
        ("name\udcff\u202etxt\0", r"name\udcff\u202etxt\x00"),
        ("it's", "it's"),
    ],
)
def test_what_a_terminal_acts_upon_is_written_as_an_escape(text: str, line: str) -> None:
    assert on_one_line(text) == line
    for kind in (PitsearchError, ScanError, StudyError, DataError):
        assert str(kind(text)) == line


def test_what_another_library_says_is_given_in_short() -> None:
    assert reason(ValueError("first\nsecond.")) == "first"
    assert reason(OSError(2, "No such file or directory")) == "No such file or directory"
    assert reason(MemoryError()) == reason(MemoryError("\n ")) == "MemoryError"
    assert reason(ValueError("9" * 300)) == "9" * 300
    assert reason(ValueError("9" * 5000)) == "9" * 297 + "..."


def test_every_fault_is_a_line_of_its_own() -> None:
    error = DataError(["labels.csv:2: a\nb", "labels.csv:3: c"])
    assert error.faults == (r"labels.csv:2: a\nb", "labels.csv:3: c")
    assert str(error).splitlines() == list(error.faults)


@pytest.mark.parametrize("error", [ScanError("a\nb"), DataError(["a\nb", "c"]), StudyGone("d\ne"), StudyError("f")])
def test_an_error_of_another_process_is_the_same(error: PitsearchError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- as joblib does
    assert (type(again), str(again), again.args) == (type(error), str(error), error.args)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("a rule.\nand more"), "a rule"),
        (ValueError(""), "ValueError"),
        (ValueError(" \n "), "ValueError"),
        (ValueError("\n\nlate"), "late"),
        (FileNotFoundError(2, "No such file or directory", "/a/b"), "No such file or directory"),
        (OSError("it is a pipe"), "it is a pipe"),
    ],
)
def test_a_reason_is_one_line_and_never_empty(error: Exception, said: str) -> None:
    assert reason(error) == said


def test_the_first_cause_is_below_all_layers() -> None:
    lowest = KeyError("x")
    try:
        try:
            raise ValueError from lowest
        except ValueError as middle:
            raise RuntimeError from middle
    except RuntimeError as error:
        assert first_cause(error) is lowest
    assert first_cause(lowest) is lowest
