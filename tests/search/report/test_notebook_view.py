"""What a notebook shows of a search that runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.analysis.status import of_trials
from search.report.notebook_view import NotebookView
from search.report.tables import trial_line
from search.report.viewers import STOPPING
from search.studies.study import Study
from tests.support.notebooks import notebook
from tests.support.status import TRIALS
from tests.support.trials import PLAN


def test_one_place_changes_as_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cells, view = notebook(monkeypatch), NotebookView()
    view.on_start(Study("craters"), ["3 pits <left> out"])
    for _ in range(3):
        view.on_status(of_trials("craters", PLAN, TRIALS))
    view.on_trial_end(TRIALS[2])
    view.on_stop()
    [cell] = cells
    assert len(cell.html) == 4  # what has not changed is not sent again
    assert "<progress aria-label" in cell.html[0]
    assert "3 pits &lt;left&gt; out" in cell.html[0]
    assert '<progress value="3" max="3"' in cell.html[1]
    assert "trial 2" in trial_line(TRIALS[2])
    assert trial_line(TRIALS[2]) in cell.html[2]
    assert STOPPING in cell.html[3]


def test_a_search_for_as_long_as_fits_has_a_bar_that_only_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    cells, view = notebook(monkeypatch), NotebookView()
    view.on_start(Study("craters"), [])
    view.on_status(replace(of_trials("craters", PLAN, TRIALS), target=None))
    [cell] = cells
    assert "<progress aria-label" in cell.html[-1]
    assert cell.text[-1].startswith("3 trials done")
