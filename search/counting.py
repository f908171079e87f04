"""Count the steps of something that takes long, with the time left, for whoever waits.

On a terminal and in a notebook that is a bar, elsewhere a line at the beginning, at the end, and every few seconds between
them. Knows nothing of what is counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from search.notebooks import NotebookOutput, bar
from search.text import duration
from search.time_left import TimeLeft

# Called with how much is finished, of how much: at first, and after each step.
Step = Callable[[int, int], None]
# Without a terminal a line is printed at most every so many seconds, but for the first and the last of a part.
EVERY_S = 10.0


def no_step(finished: int, of: int) -> None:
    """Count for nobody."""


class Counter(ABC):
    """Shows how far something has come that is done in one part or several, each with steps that cost alike."""

    what = ""
    left: TimeLeft | None = None
    _workers = 1

    def begin(self, what: str, workers: int = 1) -> None:
        """Begin a part; `what`: its steps are called that; `workers` make so many of them at the same time."""
        self.what, self._workers, self.left = what, workers, None

    def __call__(self, finished: int, of: int) -> None:
        """Count: at first what was finished before, then after each step."""
        if self.left is None:
            self.left = TimeLeft(self._workers, finished, of, monotonic())
        else:
            self.left.count(finished, of, monotonic())
        self.show()

    @property
    def words(self) -> str:
        """How many steps are finished, of how many, and the time left."""
        if self.left is None:
            return ""
        seconds, unfinished = self.left.seconds(monotonic()), self.left.finished < self.left.of
        # Steps differ: one that takes longer than those before has no time left that anyone knows.
        told = f", about {duration(seconds)} left" if unfinished and seconds is not None and seconds >= 0.5 else ""
        return f"{self.left.finished} of {self.left.of}{told}"

    @abstractmethod
    def show(self) -> None:
        """Show the steps that are finished now."""


class _Lines(Counter):
    """Prints lines."""

    def __init__(self, console: Console) -> None:
        self._console, self._due, self._said = console, 0.0, ""

    def begin(self, what: str, workers: int = 1) -> None:
        super().begin(what, workers)
        self._due, self._said = 0.0, ""

    def show(self) -> None:
        assert self.left is not None
        now, count = monotonic(), f"{self.left.finished} of {self.left.of}"
        if count != self._said and (now >= self._due or self.left.finished >= self.left.of):
            self._due, self._said = now + EVERY_S, count
            self._console.print(Text(f"{self.what}: {self.words}"), soft_wrap=True)


class _Words(ProgressColumn):
    """The words of a counter, whose time left goes down between the steps."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def render(self, task: Task) -> Text:
        """Give the words."""
        return Text(self._counter.words)


class _Bar(Counter):
    """Draws a bar on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._progress.columns = (TextColumn("{task.description}", markup=False), BarColumn(), _Words(self))
        self._task = progress.add_task("", total=None)

    def begin(self, what: str, workers: int = 1) -> None:
        super().begin(what, workers)
        self._progress.reset(self._task, description=what, total=None)

    def show(self) -> None:
        assert self.left is not None
        self._progress.update(self._task, completed=self.left.finished, total=self.left.of)


class _NotebookBar(Counter):
    """Draws a bar in the output of a notebook's cell, one for each part."""

    def begin(self, what: str, workers: int = 1) -> None:
        super().begin(what, workers)
        self._output = NotebookOutput()

    def show(self) -> None:
        assert self.left is not None
        self._output.show(bar(self.what, self.left.finished, self.left.of, self.words), f"{self.what}: {self.words}")


@contextmanager
def counting(console: Console) -> Iterator[Counter]:
    """Give what to call at first and after each step, once its part has begun."""
    if console.is_jupyter:
        yield _NotebookBar()
    elif console.is_terminal:
        with Progress(console=console, transient=True, refresh_per_second=2) as progress:
            yield _Bar(progress)
    else:
        yield _Lines(console)


@contextmanager
def shown(progress: bool | Step, what: str, workers: int = 1) -> Iterator[Step]:
    """Give what to call at first and after each step of a part of a call from Python.

    It is shown on stderr or in the notebook, or nowhere, or by the caller's own. `workers`: as for `Counter.begin`.
    """
    if progress is True:
        with counting(Console(stderr=True, highlight=False, markup=False, emoji=False)) as counter:
            counter.begin(what, workers)
            yield counter
    elif isinstance(progress, Counter):
        progress.begin(what, workers)
        yield progress
    else:
        yield progress or no_step
