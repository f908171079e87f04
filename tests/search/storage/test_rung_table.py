"""How trials stand on rungs is looked up by the trial: by the study, every look would take time for all trials of the study."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sql
from sqlalchemy.orm import Session

from search.storage.connect import backend_of, open_storage
from search.storage.leases import _next_waiting
from search.storage.rung_table import count_trials, paused_heights, read_standings


@pytest.mark.parametrize("look", [read_standings, count_trials, paused_heights, _next_waiting])
def test_a_row_is_found_by_its_trial(storage_url: str, look: Callable[[Session, int], Any]) -> None:
    storage = backend_of(open_storage(storage_url, create=True))
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    sql.event.listen(storage.engine, "before_cursor_execute", note)
    storage.transact(lambda session: look(session, 1), reads=True)
    sql.event.remove(storage.engine, "before_cursor_execute", note)
    [(statement, parameters)] = [one for one in asked if "pitsearch_rungs" in one[0]]
    explain = "EXPLAIN QUERY PLAN" if storage.engine.dialect.name == "sqlite" else "EXPLAIN"
    with storage.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "pitsearch_rungs" in plan
    assert "ix_pitsearch_rungs_study_id" not in plan
    assert "left" not in plan.lower(), "an outer join compares every trial with every row where there are no statistics"
