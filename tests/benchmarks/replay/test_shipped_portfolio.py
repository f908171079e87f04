"""The portfolio that searches start from is the one that the recorded table gives."""

from __future__ import annotations

from benchmarks.replay.shipped_portfolio import FILE, portfolio_text
from benchmarks.table.recorded import read_all


def test_the_shipped_file_is_what_the_table_gives() -> None:
    wrong = "it must follow from the table; run `python -m benchmarks.replay.shipped_portfolio`."
    assert FILE.read_text(encoding="utf-8") == portfolio_text(read_all()), wrong
