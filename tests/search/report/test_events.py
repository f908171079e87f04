"""Events as lines of JSON: every field is documented, and says of a study what its tables say."""

from __future__ import annotations

import io
import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from search.analysis.running import RunningTrial
from search.analysis.status import of_trials
from search.report import events
from search.report.events import EVENTS, Climb, EndEvent, Interval, JsonLines, status_event, trial_event
from search.studies.study import Study
from search.trials.progress import TrialProgress
from tests.support.status import TRIALS, trial_of
from tests.support.trials import PLAN

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
STATUS = of_trials("craters", PLAN, TRIALS)


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("kind", [*EVENTS, Climb, Interval], ids=lambda kind: kind.__name__)
def test_every_event_and_field_is_documented(kind: type) -> None:
    name = getattr(kind, "event", kind.__name__.lower())
    section = re.search(rf"^## `{name}`$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, name
    documented = re.findall(r"^- `(\w+)`: ", section[1], re.MULTILINE)
    assert documented == [field.name for field in fields(kind)] or name == "rung"


def test_a_search_is_written_a_line_an_event(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    now, stream = 100.0, io.StringIO()
    monkeypatch.setattr(events, "monotonic", lambda: now)
    lines = JsonLines(stream)
    lines.on_start(finished, ["3 pits left out"])
    for now in (100.0, 101.0, 109.0, 111.0):  # noqa: B007  # the clock
        lines.on_status(STATUS)
    for trial in finished.optuna.trials[:1]:
        lines.on_rung(trial)
        lines.on_trial_end(trial)
    lines.on_note("a note")
    lines.on_stop()
    lines.write(EndEvent("found", "pitsearch select", True))
    read = written(stream)
    kinds = ["study", "status", "status", "rung", "trial", "note", "stop", "end"]
    assert [line["event"] for line in read] == kinds
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]) for line in read)
    assert read[0]["notes"] == ["3 pits left out"]
    assert read[0]["fingerprint"] == finished.plan.fingerprint
    assert {**read[3], "event": "trial"} == read[4]


def test_a_trial_is_written_as_it_stands() -> None:
    event = trial_event(trial_of(1, TrialState.COMPLETE, 3))
    assert (event.state, event.rung, event.verdicts, event.reason) == ("complete", "5x30", {"learned": 5}, None)
    assert event.acceptance is not None
    assert f"{event.acceptance.value:.3f}" == "0.738"
    assert trial_event(TRIALS[3]).reason == "RuntimeError: no such kernel"
    assert (trial_event(TRIALS[4]).state, trial_event(TRIALS[4]).reason) == ("interrupted", "stopped by hand")
    assert trial_event(trial_of(7, TrialState.WAITING, 2, paused="5x9")).state == "paused"


def test_how_a_search_stands_is_written_with_what_runs() -> None:
    far = TrialProgress("5x30", 2, 17, 97, 12.5, (0.5, 0.25))
    starts, runs = RunningTrial(TRIALS[5], "h:1", None, None), RunningTrial(TRIALS[5], "h:2", "5x9", far)
    event = status_event(replace(STATUS, running_trials=[starts, runs], queue=[("5x9", 2)]))
    assert (event.done, event.best, event.rungs, event.queue) == (3, 1, {"1x3": 5, "5x9": 4, "5x30": 2}, {"5x9": 2})
    assert event.gain is not None
    assert f"{event.gain.value:+.3f}" == "+0.024"
    assert event.climbing == (
        Climb(5, "h:1", None, None, None, None, ()),
        Climb(5, "h:2", "5x9", "5x30", 3, 17, (0.5, 0.25)),
    )
    empty = status_event(of_trials("craters", PLAN, []))
    assert (empty.best, empty.acceptance, empty.gain, empty.left) == (None, None, None, None)
