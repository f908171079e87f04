"""Why something failed is one line, whatever the error says, and the first cause is found through the layers above it."""

from __future__ import annotations

import pytest

from pitsearch.errors import first_cause, reason


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
