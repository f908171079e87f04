"""How a command ends at a signal, from its first moment on.

Imports next to nothing, for until it is imported Python itself answers, with a traceback. Knows nothing of workers
(`pitsearch/process.py`).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections import namedtuple
from types import FrameType

# Signals that reach every process of a terminal: workers end when the process that started them asks.
TERMINAL = (signal.SIGINT, signal.SIGHUP)
# Those that end a command; and the exit code of Ctrl-C, whichever it was.
ENDING = (*TERMINAL, signal.SIGTERM)
INTERRUPTED = 130


def is_command() -> bool:
    """Tell whether this process was started as the `pitsearch` command, and is not a user's that imports us."""
    words = sys.orig_argv
    module = words[words.index("-m") + 1 :][:1] if "-m" in words else [word.rpartition("/")[2] for word in words[1:2]]
    return module == ["pitsearch"]


def exit_on_signals() -> None:
    """End this process at once, without a word, at any signal that ends a command."""
    _handle(_exit)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt at any signal that ends a command: SIGTERM and SIGHUP end it as Ctrl-C does."""
    _handle(_interrupt)


def ignore_signals_at_last() -> None:
    """Ignore signals once all that is to be done at the end is done, and Python takes itself apart.

    Python has no handlers any more then: a second Ctrl-C would kill it there, with another exit code than the command's.
    """
    atexit.register(_handle, signal.SIG_IGN)


def keep_exit_code() -> None:
    """Let Python exit with the code that it is given, though a command was interrupted.

    Python kills itself by SIGINT where KeyboardInterrupt has left a text that it ran, as the library's dataclasses are, also
    where it was caught outside. Running another text undoes that: a named tuple is made from one.
    """
    namedtuple("Text", ())


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _handle(handler: object) -> None:
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, handler)  # type: ignore[arg-type]
