"""Callbacks: what a launch calls when it starts, when a trial ends, when there is something to say, and when it is to stop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from optuna.trial import FrozenTrial

from search.studies.study import Study


class Callback:
    """See a launch from outside. A context: entered before the first trial is taken, left when the launch has ended.

    Every method does nothing; a class of one's own inherits from this one and overrides what it needs.
    """

    def __enter__(self) -> Callback:
        """Enter the launch."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the launch, however it ended."""

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        """Take the study and the notes of the data and the plan, once."""

    def on_trial_end(self, trial: FrozenTrial) -> None:
        """Take a trial that has ended, is paused on a rung, or waits to go on when the launch ends, whoever ran it."""

    def on_note(self, text: str) -> None:
        """Take a line about something that happened."""

    def on_stop(self) -> None:
        """Take the first request to stop."""


class CallbackList(Callback):
    """Call several callbacks in their order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.callbacks = tuple(callbacks)
        self._entered = ExitStack()

    def __enter__(self) -> CallbackList:
        """Enter every callback; those that were entered are left if one fails."""
        with ExitStack() as stack:
            for callback in self.callbacks:
                stack.enter_context(callback)
            self._entered = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave every callback, the last first."""
        self._entered.__exit__(kind, error, trace)

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        """Pass on the study and the notes."""
        for callback in self.callbacks:
            callback.on_start(study, notes)

    def on_trial_end(self, trial: FrozenTrial) -> None:
        """Pass on a trial."""
        for callback in self.callbacks:
            callback.on_trial_end(trial)

    def on_note(self, text: str) -> None:
        """Pass on a line."""
        for callback in self.callbacks:
            callback.on_note(text)

    def on_stop(self) -> None:
        """Pass on the request to stop."""
        for callback in self.callbacks:
            callback.on_stop()
