"""What the commands print with, and what they say when stopped or to be typed next. Knows nothing of what they do."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer
from rich.console import Console
from rich.text import Text

from pitsearch.errors import PitsearchError, reason
from search import defaults

if TYPE_CHECKING:
    from search.counting import Counter

# Where no terminal says how wide it is, tables keep this width and lines are not wrapped.
WIDE = 140
# Nor is any choice of `spaces`, for whoever looks for one with grep.
ONE_LINE = 250


class Output:
    """The output, which raises PitsearchError where it takes no more: a full disk, or a pipe whose reader is gone."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        with self._taking():
            return self.stream.write(text)

    def flush(self) -> None:
        """Bring to its place what was written."""
        with self._taking():
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    @contextmanager
    def _taking(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError, ValueError):  # the interpreter flushes once more when it ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            raise PitsearchError(
                f"standard output must take what is printed, but: {reason(error)}; give it a reader, or a disk with room."
            ) from None


def make_console(width: int = WIDE) -> Console:
    """Make a console for plain lines and tables; without a terminal it has this width."""
    # Labels and file names are shown as they are, also those that look like rich's markup.
    console = Console(file=cast(TextIO, Output(sys.stdout)), highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    return console


def say(text: str) -> None:
    """Print a line as it is, never wrapped where no terminal shows it."""
    make_console().print(Text(text), soft_wrap=True)


@contextmanager
def counting() -> Iterator[Counter]:
    """Count something that takes long, in parts, each with the time left."""
    from search.counting import counting as count

    with count(make_console()) as counter:
        yield counter


@contextmanager
def on_stop(left: str) -> Iterator[None]:
    """Say what Ctrl-C left behind, and exit with 130. Typer alone would exit without a word."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"stopped at once; {left}", file=sys.stderr)
        raise typer.Exit(130) from None


def typed(*words: object) -> str:
    """Give a command as it is to be typed next: words with blanks or characters of the shell are quoted."""
    return shlex.join(map(str, words))


def next_command(command: str, storage: str, *words: object, study: str | None = None) -> str:
    """Give a command on a study to be typed next; `words` stand at its end.

    The storage is named unless it is the default; its password stays out of sight.
    """
    from sqlalchemy.engine import make_url

    named = ["--study", study] if study is not None else []
    place = [] if storage == defaults.STORAGE else ["--storage", make_url(storage).render_as_string(hide_password=True)]
    return typed("pitsearch", *command.split(), *named, *place, *words)
