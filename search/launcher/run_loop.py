"""Run the workers of a launch to their end, and tell the callbacks of every trial that ends, whoever ran it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from optuna.trial import FrozenTrial

from search.launcher.callbacks import Callback
from search.launcher.executors import Executor, Run
from search.storage.leases import requeue_stale_trials
from search.studies.study import Study, deletion_refused
from search.trials.records import PAUSED, has_ended, is_interrupted, is_paused
from search.workers.stop_signal import ANY_SIGNAL, stop_on_signal


def run_workers(executor: Executor, run: Run, callback: Callback) -> None:
    """Run workers until the budget is done, the time is up, or a request to stop; no trial of a dead worker stays running.

    Raises StudyGone where the study is deleted meanwhile.
    """
    with deletion_refused(run.study, Path(run.record.runs)), _stop_file(callback) as stop:
        monitor = _Monitor(run.study, callback)
        workers = executor.run(run, stop, callback.on_note)
        try:
            with closing(workers):
                for _ in workers:
                    monitor.update()
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
    """Tell a callback which trials of a study have ended, or were paused on a rung, since it was made."""

    def __init__(self, study: Study, callback: Callback) -> None:
        self.study, self.callback = study, callback
        self.reported = {_moment(trial) for trial in self._ended()}

    def _ended(self, *, interrupted: bool = False) -> list[FrozenTrial]:
        trials = self.study.optuna.get_trials(deepcopy=False)
        return [trial for trial in trials if has_ended(trial) or (interrupted and is_interrupted(trial))]

    def update(self, *, interrupted: bool = False) -> None:
        """Report trials that have ended or were paused, and with `interrupted` those that wait to go on."""
        for trial in self._ended(interrupted=interrupted):
            if _moment(trial) not in self.reported:
                self.reported.add(_moment(trial))
                self.callback.on_trial_end(trial)


def _moment(trial: FrozenTrial) -> tuple[int, str | None]:
    """Tell a pause on one rung from that on another, and both from an end."""
    return trial.number, PAUSED.read(trial) if is_paused(trial) else None
