"""Watch a search: read its study again and again, and show viewers how it stands and what happened.

A launch is watched from a thread of its own, for the launch itself may be busy training. Knows nothing of how trials are run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event, RLock, Thread
from time import monotonic, sleep, thread_time
from types import TracebackType

from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from search.analysis.status import Status, summarise, summarise_whole
from search.errors import StudyError
from search.launcher.callbacks import Callback, CallbackList
from search.report.viewers import Viewer
from search.storage.leases import requeue_stale_trials
from search.storage.places import open_places
from search.studies.launch_record import last_launch
from search.studies.standings import chooser
from search.studies.study import Study
from search.trials.news import TrialNews
from search.trials.records import RungResult

# Seconds between two looks. Reading a study grows with its trials: it is left alone this many times what reading cost.
LOOK_S, PAUSE = 1.0, 20
# Seconds that the end of a launch waits for a look that does not end, and between two looks for workers that died.
PATIENT_S, STALE_S = 10.0, 10.0
# What a study that was deleted, or a storage that is away, raises: the launch says so itself.
AWAY = (KeyError, StudyError, SQLAlchemyError, StorageInternalError)


class Watched(Callback):
    """A callback that has viewers watch the launch."""

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self.viewers, self.callbacks = tuple(viewers), CallbackList(viewers)
        self.interrupted = False
        self.study: Study | None = None
        self.rungs = RungNews()
        self.whole = False  # whether all of the study was read at the last look
        self.fault: Exception | None = None
        self._lock, self._ended = RLock(), Event()
        self._thread = Thread(target=self._watch, name="watches the launch", daemon=True)

    def __enter__(self) -> Watched:
        self.callbacks.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(PATIENT_S)
        if error is None and self.study is not None and self.viewers:
            self._look(self.study)  # what stays on the screen is how it ended
        self.callbacks.__exit__(kind, error, trace)
        if error is None:
            self._tell(lambda: None)

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.study = study
        self._tell(lambda: self.callbacks.on_start(study, notes))
        if self.viewers:
            self._thread.start()

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self._tell(lambda: self.callbacks.on_trial_end(trial))

    def on_note(self, text: str) -> None:
        self._tell(lambda: self.callbacks.on_note(text))

    def on_stop(self) -> None:
        self.interrupted = True
        self._tell(self.callbacks.on_stop)

    def _tell(self, call: Callable[[], None]) -> None:
        """Call viewers, one at a time; raise what they raised in the thread that watches, an output that is gone, say."""
        with self._lock:
            fault, self.fault = self.fault, None
            if fault is not None:
                raise fault
            call()

    def _watch(self) -> None:
        assert self.study is not None  # started with one
        pause = 0.0
        while not self._ended.wait(pause):
            started = thread_time()
            try:
                self._look(self.study)
            except Exception as error:  # raised again where the launch is told the next time
                self.fault = error
                return
            # The first look imports what it needs: later ones cost less.
            pause = max(LOOK_S, PAUSE * (thread_time() - started)) if pause else LOOK_S

    def _look(self, study: Study) -> None:
        try:
            status = summarise_whole(study) if self.whole else summarise(study)
        except AWAY:
            self.whole = False
            return
        self.whole = not status.unreadable
        with self._lock:
            show(self.viewers, status, self.rungs)


class RungNews:
    """Which trials have reached a rung and climb on: those that stand on it when one looks a second time."""

    def __init__(self) -> None:
        self._seen: dict[int, str] = {}
        self._told: set[tuple[int, str]] = set()

    def new(self, status: Status) -> list[FrozenTrial]:
        """Give the trials that have reached a rung, and run on, since one last looked."""
        rungs = {one.trial.number: one.rung for one in status.running_trials if one.rung and not _is_over(one.trial, status)}
        stood = {(number, rung) for number, rung in rungs.items() if self._seen.get(number) == rung}
        news = stood - self._told
        self._seen = rungs
        self._told |= news
        return [one.trial for one in status.running_trials if (one.trial.number, one.rung) in news]


def _is_over(trial: FrozenTrial, status: Status) -> bool:
    """Tell whether a trial that runs is about to end."""
    reached = RungResult.read(trial)
    return reached is not None and (reached.pruned or reached.rung == str(status.plan.ladder.rungs[-1]))


def show(viewers: Sequence[Viewer], status: Status, rungs: RungNews) -> None:
    """Tell viewers of trials that climb on, and how the search stands."""
    climbing = rungs.new(status)
    for viewer in viewers:
        for trial in climbing:
            viewer.on_rung(trial)
        viewer.on_status(status)


def watch(study: Study, viewers: Sequence[Viewer]) -> Status:
    """Watch a study that others run until nothing runs and its budget is done, and give how it ended.

    Trials of workers that died wait for others. Raises StudyGone where the study is deleted, KeyboardInterrupt at Ctrl-C.
    """
    study = study.pinned()
    rungs, due = RungNews(), monotonic()
    status = summarise(study)
    news = TrialNews(status.trials)
    with ExitStack() as stack:
        for viewer in viewers:
            stack.enter_context(viewer)
            viewer.on_start(study, ())
        while True:
            started = thread_time()
            if monotonic() >= due:
                requeue_stale_trials(study.backend, study.id)
                due = monotonic() + STALE_S
            status = summarise(study) if status.unreadable else summarise_whole(study)
            for trial in news.new(status.trials):
                for viewer in viewers:
                    viewer.on_trial_end(trial)
            show(viewers, status, rungs)
            if not status.running and not _has_work(study):
                return status
            sleep(max(LOOK_S, PAUSE * (thread_time() - started)))


def _has_work(study: Study) -> bool:
    """Tell whether the last launch of a study leaves something to be done."""
    launched = last_launch(study)
    if launched is None:
        return False
    left_s = launched.left_s(study)
    return (left_s is None or left_s > 0) and open_places(study.backend, study.id, chooser(study.plan, study.id)) > 0
