"""The time until a search is good enough is read off its regret, and compared."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay import within
from benchmarks.replay.within import first_within, within_table
from benchmarks.table.recorded import Recorded
from tests.support.recorded_tables import made_up


@pytest.mark.parametrize(
    ("regret", "place"),
    [([0.5, 0.009, 0.0], 1), ([0.0, 0.0], 0), ([0.0, 0.5, 0.01], 2), ([0.5, 0.02], 2)],
)
def test_the_time_is_that_from_which_on_the_regret_stays_small(regret: list[float], place: int) -> None:
    assert first_within(np.array(regret)) == place


def test_a_search_that_starts_with_the_best_is_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "MINUTES", (2.0, 6.0, 40.0))
    # The sound recipe is the best, and the portfolio's first by the other table; a whole trial takes 150 s. The naive script
    # does not try it.
    table = within_table(alike([0.5, 0.9, *[0.3] * 20], seeds=2), 3)
    assert table.rows == [[name, "> 40", "6", "> 9.4 [9.4, 9.4]"] for name in ("easy", "hard")]


def test_where_neither_gets_there_no_ratio_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "MINUTES", (0.1, 0.2))
    table = within_table(alike([0.5, 0.9, *[0.3] * 20], seeds=1), 2)
    assert table.rows == [[name, "> 0.2", "> 0.2", ""] for name in ("easy", "hard")]


def alike(truths: list[float], seeds: int) -> dict[str, Recorded]:
    return {name: made_up(truths, seeds=seeds, name=name) for name in ("easy", "hard")}
