"""TOML files of other people: read with or without a mark, and refused quickly where they are no description of anything."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pitsearch.toml_text import LONGEST_LINE, MOST_DEPTH, read_toml_text, shown

DEEP = "may lie 20 deep at the most"
LONG = "a line may have 4000 characters at the most"
HOSTILE = {
    "arrays 2,000 deep": ("a = " + "[" * 2000 + "]" * 2000, LONG),
    "arrays 2,000 deep, a line each": ("a = " + "[\n" * 2000 + "]\n" * 2000, DEEP),
    "tables 2,000 deep": ("a = " + "{a = " * 700 + "1" + "}" * 700, LONG),
    "tables 700 deep": ("a = " + "{a=" * 700 + "1" + "}" * 700, DEEP),
    "a key of 1,000 names": (".".join("a" * 1000) + " = 1", DEEP),
    "a key of 400,000 names": (".".join("a" * 400_000) + " = 1", LONG),
    "a table of 400,000 names": (f"[{'.'.join('a' * 400_000)}]", LONG),
    "5,000 digits": (f"a = [\n{'9' * 3900}]\nb = {'9' * 4500}", LONG),
    "3,900 digits": (f"a = {'9' * 3900}", "whole numbers must fit into 64 bits"),
    "3,900 hexadecimal digits": (f"a = 0x{'f' * 3900}", "whole numbers must fit into 64 bits"),
    "2 ** 63": (f"a = [1, {{b = {2**63}}}]", "whole numbers must fit into 64 bits"),
    "more than a megabyte": ("# remark\n" * 200_000, "it has 1800000 bytes, and at most 1048576 are read"),
    "no UTF-8": (b"a = '\xfc'", "'utf-8' codec can't decode"),
    "no TOML": ("a = [", "Invalid value"),
}


@pytest.mark.parametrize(("text", "clause"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_description_is_refused_in_a_clause_and_at_once(tmp_path: Path, text: str | bytes, clause: str) -> None:
    (tmp_path / "a.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    start = time.process_time()
    with pytest.raises((ValueError, OSError)) as caught:
        read_toml_text(tmp_path / "a.toml")
    assert clause in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - start < 1


def test_a_mark_at_the_start_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1\n")
    file = read_toml_text(tmp_path / "a.toml")
    assert (file.table, file.text) == ({"a": 1}, "a = 1\n")


def test_what_people_write_stays_within_the_bounds(tmp_path: Path) -> None:
    nested = "[" * (MOST_DEPTH - 2) + "1" + "]" * (MOST_DEPTH - 2)
    line = f"text = '{'x' * (LONGEST_LINE - 9)}'"
    (tmp_path / "a.toml").write_text(f"a = {nested}\nb = {2**63 - 1}\n{line}\n")
    assert read_toml_text(tmp_path / "a.toml").table["b"] == 2**63 - 1


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(OSError, match=r"^it is a pipe or a device, and a regular file is needed$"):
        read_toml_text(tmp_path / "a.toml")


def test_a_value_is_shown_on_part_of_a_line() -> None:
    assert shown("top") == "'top'"
    assert shown(["x"] * 1000) == repr(["x"] * 1000)[:76] + " ..."
