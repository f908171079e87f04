"""Callbacks: what a launch calls when it starts, when a trial ends, and when it is asked to stop. Shows nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from optuna.trial import FrozenTrial

from search.studies.study import Study


class Callback(Protocol):
    """Sees a launch from outside: told of its start, of every trial that ends, of incidents, and of a request to stop."""

    def started(self, study: Study, notes: Sequence[str]) -> None: ...
    def finished(self, trial: FrozenTrial) -> None: ...
    def noted(self, text: str) -> None: ...
    def stopping(self) -> None: ...


class NullCallback:
    """A watcher that shows nothing."""

    def started(self, study: Study, notes: Sequence[str]) -> None:
        """Show nothing."""

    def finished(self, trial: FrozenTrial) -> None:
        """Show nothing."""

    def noted(self, text: str) -> None:
        """Show nothing."""

    def stopping(self) -> None:
        """Show nothing."""
