"""Damage of every kind for files that people and programs write: texts, bytes and plain values, the same in every run."""

from __future__ import annotations

import copy
import os
import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# What stands for nothing, too much, or something else in any format.
TOKENS = (
    *(
        "",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\x00",
        "\ufeff",
        "\u2028",
        '"',
        "'",
        '"""',
        ",",
        ";",
        "=",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
    ),
    *("#", "\\", "/", "..", "../x", "nan", "inf", "-inf", "-1", "0", "1e308", "1e999", "9" * 400, "9" * 5000, "true", "false"),
    *(
        "null",
        "None",
        "é",
        "\U0001f600",
        "%s",
        "{0}",
        "{pit}",
        "__class__",
        "a" * 300,
        "[" * 200,
        "{" * 200,
        "a." * 200 + "a = 1",
    ),
)
# Plain values of every type, in bounds and out of them.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 10**400, 0.0, -0.5, 0.5, 1e30, 1e308),
    *("", "a", "\n", "a" * 300, "0" * 64, "../x", "/dev/zero", [], [[]], [None], [1, 2], ["a", "a"], {}, {"a": {}}, {"": 0}),
)


# Examples of each test in place of its own number, and others in every run: `make fuzz`.
EXAMPLES = int(os.environ.get("PITSEARCH_FUZZ", 0))
# What reading a small file may take at the most.
MOST_S, MOST_BYTES = 60, 3 * 2**30


def bounded(examples: int) -> Callable[[Any], Any]:
    """Settings of a test that takes so many examples, the same in every run unless PITSEARCH_FUZZ asks for others."""
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=checks,
    )


@contextmanager
def frugal() -> Iterator[None]:
    """Let what is done here end within MOST_S, and take no more than MOST_BYTES beside what this process has."""

    def stop(*_: object) -> None:
        raise AssertionError(f"it takes more than {MOST_S} s")

    before = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (has + MOST_BYTES, before[1]))
    signal.alarm(MOST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGALRM, handler)


def assert_one_line(error: Exception, most: int = 2000) -> None:
    """Check that an error can be read: its lines, one for each fault, are short, and no control character is in them."""
    for line in getattr(error, "faults", None) or [str(error)]:
        assert line.strip() and len(line) <= most, line
        assert len(line.splitlines()) == 1, line


# Few examples in the fast suite, many in the slow one.
LENGTHS = [pytest.param("few", id="few"), pytest.param("many", id="many", marks=pytest.mark.slow)]


def edited_text(text: str) -> st.SearchStrategy[str]:
    """Give a text with a few edits: a part cut, doubled or moved, a token put in, a whole other text."""
    place = st.integers(0, len(text))
    edit = st.tuples(place, st.integers(0, 40), st.sampled_from(TOKENS) | st.text(max_size=5), st.sampled_from("cpdi"))
    return st.lists(edit, min_size=1, max_size=4).map(lambda edits: _apply(text, edits)) | st.text(max_size=60)


def edited_bytes(content: bytes) -> st.SearchStrategy[bytes]:
    """Give bytes with a few of them changed, cut or put in; those of the start more often, where headers are."""
    place = st.integers(0, min(len(content), 200)) | st.integers(0, len(content))
    edit = st.tuples(place, st.integers(0, 8), st.binary(max_size=8), st.sampled_from("oci"))
    return st.lists(edit, min_size=1, max_size=4).map(lambda edits: _apply_bytes(content, edits)) | st.binary(max_size=60)


def edited_values(values: Any) -> st.SearchStrategy[Any]:
    """Give plain values with one to three of them replaced by something else, or left out."""
    places = list(_places(values))
    edit = st.tuples(st.sampled_from(places), st.sampled_from(ODD), st.booleans())
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: _replace(values, edits))


def _apply(text: str, edits: Sequence[tuple[int, int, str, str]]) -> str:
    for place, length, token, kind in edits:
        part = text[place : place + length]
        middle = {"c": "", "p": token, "d": part + part, "i": token + part}[kind]
        text = text[:place] + middle + text[place + length :]
    return text


def _apply_bytes(content: bytes, edits: Sequence[tuple[int, int, bytes, str]]) -> bytes:
    for place, length, new, kind in edits:
        after = {"o": place + len(new), "c": place + length, "i": place}[kind]
        content = content[:place] + (b"" if kind == "c" else new) + content[after:]
    return content


def _places(values: Any, path: tuple[Any, ...] = ()) -> Any:
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _replace(values: Any, edits: Sequence[tuple[tuple[Any, ...], Any, bool]]) -> Any:
    changed = copy.deepcopy(values)
    for path, value, remove in edits:
        place = changed
        try:
            for key in path[:-1]:
                place = place[key]
            if remove and isinstance(place, dict):
                del place[path[-1]]
            else:
                place[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):  # gone with an edit before
            continue
    return changed
