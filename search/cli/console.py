"""What the commands print with, and what they say when stopped or to be typed next. Knows nothing of what they do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from search import defaults

# Where no terminal says how wide it is, tables keep this width and lines are not wrapped.
WIDE = 140
# Nor is any choice of `spaces`, for whoever looks for one with grep.
ONE_LINE = 250


def make_console(width: int = WIDE) -> Console:
    """Make a console for plain lines and tables; without a terminal it has this width."""
    # Labels and file names are shown as they are, also those that look like rich's markup.
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    return console


def say(text: str) -> None:
    """Print a line as it is, never wrapped where no terminal shows it."""
    make_console().print(Text(text), soft_wrap=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Count something that takes long: a bar on a terminal, elsewhere a line for each step.

    Gives what to call with how much is done, of how much.
    """
    from rich.progress import Progress

    console = make_console()
    if not console.is_terminal:
        said = ""

        def line(finished: int, of: int) -> None:
            nonlocal said
            text = f"{what}: {finished} of {of}"
            if finished and text != said:
                said = text
                say(text)

        yield line
        return
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda finished, of: progress.update(bar, completed=finished, total=of)


@contextmanager
def on_stop(left: str) -> Iterator[None]:
    """Say what Ctrl-C left behind, and exit with 130. Typer alone would exit without a word."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"stopped at once; {left}", file=sys.stderr)
        raise typer.Exit(130) from None


def where(storage: str) -> str:
    """Name a storage in a command to be typed next, unless it is the default; its password stays out of sight."""
    from sqlalchemy.engine import make_url

    return "" if storage == defaults.STORAGE else f" --storage {make_url(storage).render_as_string(hide_password=True)}"
