"""What happens in a search, as JSON: a line for each event, for programs that watch. docs/events.md describes every field.

Knows nothing of when events happen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import ClassVar, TextIO

from optuna.trial import FrozenTrial

from search.analysis.status import Status, acceptance, configuration
from search.report.viewers import Viewer
from search.statistics.intervals import Share
from search.studies.study import Study
from search.trials.records import ERROR, STOPPED, RungResult, is_interrupted, is_paused

# Seconds between two events that say how the search stands.
STATUS_S = 10.0


@dataclass(frozen=True)
class Interval:
    """A number with its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Climb:
    """How far a trial that runs has come."""

    trial: int
    worker: str
    # The last rung that it reached; None before the first.
    reached: str | None
    # The rung that it climbs to; None, as the rest, until its worker has said so.
    rung: str | None
    # From 1; None where folds train together.
    fold: int | None
    epoch: int | None
    # Validation losses of that fold, the last one at the end.
    losses: Sequence[float]


@dataclass(frozen=True)
class StudyEvent:
    """The search begins, or begins to be watched."""

    event: ClassVar[str] = "study"

    study: str
    data: str
    fingerprint: str
    ladder: str
    working_point: float
    notes: Sequence[str]


@dataclass(frozen=True)
class TrialEvent:
    """A trial has ended or is paused: complete, pruned, paused, fail, or interrupted."""

    event: ClassVar[str] = "trial"

    trial: int
    state: str
    # The last rung that it reached; None, as acceptance, before the first.
    rung: str | None
    acceptance: Interval | None
    # Trainings by verdict.
    verdicts: Mapping[str, int]
    # Epochs and seconds that it has cost.
    epochs: int
    seconds: float
    config: str
    # What broke it, or why it was interrupted.
    reason: str | None


@dataclass(frozen=True)
class RungEvent(TrialEvent):
    """A trial has reached a rung and climbs on."""

    event: ClassVar[str] = "rung"


@dataclass(frozen=True)
class StatusEvent:
    """How the search stands."""

    event: ClassVar[str] = "status"

    # Trials that are complete, pruned or paused, of how many; None where as many run as fit into the time.
    done: int
    target: int | None
    complete: int
    pruned: int
    paused: int
    running: int
    interrupted: int
    failed: int
    # The best trial; None before one is complete.
    best: int | None
    acceptance: Interval | None
    # Of the best above the network in use; None while that is unknown, or where that is the best.
    gain: Interval | None
    # Trainings by verdict.
    verdicts: Mapping[str, int]
    # Trials that reached each rung.
    rungs: Mapping[str, int]
    # Trials that are paused on each rung.
    queue: Mapping[str, int]
    # Share of the epochs of whole cross-validations that pausing and pruning spared.
    spared: float | None
    # Seconds; None where that is not known.
    left: float | None
    climbing: Sequence[Climb]


@dataclass(frozen=True)
class NoteEvent:
    """Something happened that a person should read."""

    event: ClassVar[str] = "note"

    text: str


@dataclass(frozen=True)
class StopEvent:
    """The search was asked to stop."""

    event: ClassVar[str] = "stop"


@dataclass(frozen=True)
class EndEvent:
    """The search has ended."""

    event: ClassVar[str] = "end"

    # What was found, and whether more trials pay.
    sentence: str
    # The command to be typed next.
    next: str
    # Whether it was asked to stop.
    stopped: bool


Event = StudyEvent | TrialEvent | RungEvent | StatusEvent | NoteEvent | StopEvent | EndEvent
EVENTS: tuple[type[Event], ...] = (StudyEvent, TrialEvent, RungEvent, StatusEvent, NoteEvent, StopEvent, EndEvent)


class JsonLines(Viewer):
    """Write a line of JSON for each event."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._due = monotonic()

    def write(self, event: Event) -> None:
        """Write an event, with its kind and the time."""
        self.stream.write(event_line(event) + "\n")
        self.stream.flush()

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        plan = study.plan
        where = str(plan.folder), plan.fingerprint, str(plan.ladder), plan.options.working_point
        self.write(StudyEvent(study.name, *where, tuple(notes)))

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self.write(trial_event(trial))

    def on_rung(self, trial: FrozenTrial) -> None:
        self.write(RungEvent(**vars(trial_event(trial))))

    def on_status(self, status: Status) -> None:
        if monotonic() >= self._due:
            self._due = monotonic() + STATUS_S
            self.write(status_event(status))

    def on_note(self, text: str) -> None:
        self.write(NoteEvent(text))

    def on_stop(self) -> None:
        self.write(StopEvent())


def event_line(event: Event) -> str:
    """Give an event as a line of JSON, with its kind and the time."""
    head = {"event": event.event, "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({**head, **asdict(event)}, allow_nan=False)


def trial_event(trial: FrozenTrial) -> TrialEvent:
    """Say how a trial stands."""
    reached, interrupted = RungResult.read(trial), is_interrupted(trial)
    state = "interrupted" if interrupted else "paused" if is_paused(trial) else trial.state.name.lower()
    return TrialEvent(
        trial=trial.number,
        state=state,
        rung=reached.rung if reached else None,
        acceptance=_interval(acceptance(trial)),
        verdicts=dict(Counter(reached.verdicts)) if reached else {},
        epochs=reached.epochs_run if reached else 0,
        seconds=reached.seconds if reached else 0.0,
        config=configuration(trial),
        reason=STOPPED.read(trial) if interrupted else ERROR.read(trial),
    )


def status_event(status: Status) -> StatusEvent:
    """Say how a search stands."""
    best, comparison = status.best, status.comparison
    return StatusEvent(
        done=status.done,
        target=status.target,
        complete=status.complete,
        pruned=status.pruned,
        paused=status.paused,
        running=status.running,
        interrupted=status.waiting,
        failed=status.failed,
        best=best.number if best else None,
        acceptance=_interval(acceptance(best)) if best else None,
        gain=_interval(comparison.gain) if comparison else None,
        verdicts=status.verdicts,
        rungs=dict(status.rungs),
        queue=dict(status.queue),
        spared=status.spared,
        left=status.left_s,
        climbing=_climbing(status),
    )


def _climbing(status: Status) -> tuple[Climb, ...]:
    climbs = []
    for one in status.running_trials:
        progress, who = one.progress, (one.trial.number, one.worker, one.rung)
        if progress is None:
            climbs.append(Climb(*who, None, None, None, ()))
        else:
            fold = None if progress.fold is None else progress.fold + 1
            climbs.append(Climb(*who, progress.rung, fold, progress.epoch, progress.losses))
    return tuple(climbs)


def _interval(share: Share | None) -> Interval | None:
    return None if share is None else Interval(share.value, share.low, share.high)
