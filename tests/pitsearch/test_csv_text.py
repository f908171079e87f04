"""Tables are written alike: a line feed ends a line, and cells that hold separators, quotes or lines are quoted."""

from __future__ import annotations

import csv
import io

from pitsearch.csv_text import csv_text


def test_a_table_comes_back() -> None:
    rows = [["p1", "a,b", 'say "no"'], ["p2", "two\nlines", ""]]
    text = csv_text(("pit", "label", "note"), rows)
    assert text == 'pit,label,note\np1,"a,b","say ""no"""\np2,"two\nlines",\n'
    assert [*csv.reader(io.StringIO(text, newline=""))][1:] == rows


def test_numbers_are_written_as_text_gives_them() -> None:
    assert csv_text(["n"], [[1], [0.5], [True]]) == "n\n1\n0.5\nTrue\n"
