"""Run the workers of a launch to their end, and tell the callbacks of every trial that ends, whoever ran it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from optuna.trial import FrozenTrial

from search.launcher.callbacks import Callback
from search.launcher.executors import Executor, Run
from search.storage.leases import requeue_stale_trials
from search.studies.launch_record import begin_no_more
from search.studies.study import deletion_refused
from search.trials.news import TrialNews
from search.trials.outlook import outlook, outlook_line
from search.workers.stop_signal import ANY_SIGNAL, stop_on_signal

# The share of its time that a launch looks at its trials, where reading them takes long.
SHARE = 0.02


def run_workers(executor: Executor, run: Run, callback: Callback) -> None:
    """Run workers until the budget is done, the time is up, or a request to stop; no trial of a dead worker stays running.

    Raises StudyGone where the study is deleted meanwhile.
    """
    with deletion_refused(run.study, Path(run.record.runs)), _stop_file(callback) as stop:
        monitor = _Monitor(run, callback)
        workers = executor.run(run, stop, callback.on_note)
        try:
            with closing(workers):
                for _ in workers:
                    monitor.look()
        finally:
            requeue_stale_trials(run.study.backend, run.study.id)
            monitor.update(interrupted=True)


@contextmanager
def _stop_file(callback: Callback) -> Iterator[Path]:
    """Give a file whose existence asks workers to stop: it is made at the first Ctrl-C or SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="pitsearch-") as folder:
        file = Path(folder) / "stop"

        def stop() -> None:
            file.touch()
            callback.on_stop()

        with stop_on_signal(stop, interrupting=ANY_SIGNAL):
            yield file


class _Monitor:
    """Tell a callback which trials of a study have ended, or were paused on a rung, since it was made.

    Lets no further trials begin where the budget has it so and they would hardly bring anything.
    """

    def __init__(self, run: Run, callback: Callback) -> None:
        self.run, self.callback = run, callback
        self.is_closed, self.next_look = run.budget.stop_when_sure is None, 0.0
        trials = self._read()
        self.news = TrialNews(trials)
        self._close_when_sure(trials)

    def _read(self) -> list[FrozenTrial]:
        return self.run.study.optuna.get_trials(deepcopy=False)

    def look(self) -> None:
        """Update, unless looking at as many trials would take more than its share of the time."""
        if time.monotonic() >= self.next_look:
            started = time.thread_time()  # on a machine whose cores are all busy a look takes long, and costs no more
            self.update()
            self.next_look = time.monotonic() + (time.thread_time() - started) / SHARE

    def update(self, *, interrupted: bool = False) -> None:
        """Report trials that have ended or were paused, and with `interrupted` those that wait to go on."""
        trials = self._read()
        for trial in self.news.new(trials, interrupted=interrupted):
            self.callback.on_trial_end(trial)
        self._close_when_sure(trials)

    def _close_when_sure(self, trials: Sequence[FrozenTrial]) -> None:
        if self.is_closed:
            return
        gain, least = outlook(trials), self.run.budget.stop_when_sure
        if gain is not None and least is not None and gain.bound < least:
            self.is_closed = True
            begin_no_more(self.run.study, self.run.record, trials)
            self.callback.on_note(f"{outlook_line(gain)}: less than {least:g}, so no more begin; the best climb to the top")
