"""Count the steps of something that takes long, for whoever waits: a bar on a terminal, elsewhere a line for each step.

Knows nothing of what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

# Called with how much is finished, of how much.
Step = Callable[[int, int], None]


@contextmanager
def counting(console: Console, what: str) -> Iterator[Step]:
    """Give what to call after each step."""
    if not console.is_terminal:
        said = ""

        def line(finished: int, of: int) -> None:
            nonlocal said
            text = f"{what}: {finished} of {of}"
            if finished and text != said:
                said = text
                console.print(Text(text), soft_wrap=True)

        yield line
        return
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda finished, of: progress.update(bar, completed=finished, total=of)


@contextmanager
def shown(progress: bool | Step, what: str) -> Iterator[Step]:
    """Give what to call after each step of a call from Python: it is shown on stderr, or nowhere, or by the caller's own."""
    if progress is True:
        with counting(Console(stderr=True, highlight=False, markup=False, emoji=False), what) as step:
            yield step
    else:
        yield progress or (lambda finished, of: None)
