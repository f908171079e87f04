"""Repeat work with a database while its errors are transient: it restarts, is locked, is out of connections or of disk.

Pauses grow, and a line on stderr says once that the database is away. Knows nothing of what the work is.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay

from pitsearch.errors import first_cause, reason

Result = TypeVar("Result")

# How long a database may be away, and the pauses between attempts, in seconds: the first, and the longest.
PATIENCE_S, FIRST_S, LONGEST_S = 600.0, 0.1, 5.0
# Where something asks for less patience: its seconds.
_LESS: ContextVar[float | None] = ContextVar("less patience", default=None)
# Seconds after which a line on stderr says that the database is away.
TOLD_S = 1.0
# Parts of the drivers' messages for faults that do not pass by themselves.
FOR_GOOD = (
    "readonly",
    "no such table",
    "no such column",
    "unable to open",
    "malformed",
    "not a database",
    "password",
    "authentication",
    "permission denied",
    "does not exist",
    "name or service not known",
)


def repeat(work: Callable[[], Result]) -> Result:
    """Do some work with a database, and repeat it from the start while its errors are transient, for up to PATIENCE_S."""
    return Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_delay(_patience()),
        wait=_pause,
        before_sleep=_Announcement(),
        reraise=True,
    )(work)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Repeat what is done within for so many seconds only: for a question that a person can ask again."""
    before = _LESS.set(seconds)
    try:
        yield
    finally:
        _LESS.reset(before)


def _patience() -> float:
    less = _LESS.get()
    return PATIENCE_S if less is None else min(less, PATIENCE_S)


def _pause(state: RetryCallState) -> float:
    """Give the seconds before the next attempt. Many workers that lost the same database do not all come back at once."""
    return min(FIRST_S * 2.0 ** min(state.attempt_number - 1, 30), LONGEST_S) * (0.5 + random.random())


class _Announcement:
    """Says once, on stderr, that the storage is away, when that has lasted TOLD_S."""

    def __init__(self) -> None:
        self.said = False

    def __call__(self, state: RetryCallState) -> None:
        error = None if state.outcome is None else state.outcome.exception()
        if not self.said and error is not None and (state.seconds_since_start or 0.0) > TOLD_S:
            self.said = True
            seconds = _patience()
            most = f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} s"
            print(
                f"the storage is away ({reason_of(error)}); it is asked again for {most}; Ctrl-C ends that",
                file=sys.stderr,
                flush=True,
            )


def is_transient(error: BaseException) -> bool:
    """Tell whether what a database answered may be another answer in a while."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, PoolTimeout):
        return True
    if not isinstance(cause, DBAPIError):
        return False
    if not (cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)):
        return False
    return not any(words in str(cause.orig).lower() for words in FOR_GOOD)


def reason_of(error: BaseException) -> str:
    """Give what a driver said, on one line: the layers above it quote statements and their values."""
    cause = first_cause(error)
    return reason(getattr(cause, "orig", None) or cause)
