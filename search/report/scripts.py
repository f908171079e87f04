"""What a script or a notebook sees of a launch, unless it wants to see nothing. Knows nothing of how trials are run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from foils import Dataset
from search import defaults
from search.launcher.callbacks import Callback
from search.launcher.executors import Executor
from search.launcher.launch import launch as run
from search.report.notebook_view import NotebookView
from search.report.progress import Watched
from search.report.viewers import LiveTable, PlainLines, Viewer
from search.studies.options import Budget, SearchOptions
from search.studies.study import Study
from spaces import Space
from spaces.known_configs import KnownConfig


def launch(
    data: Dataset,
    space: Space | str | None = None,
    options: SearchOptions | None = None,
    *,
    study: str | None = None,
    storage: str = defaults.STORAGE,
    budget: Budget | None = None,
    executor: Executor | None = None,
    runs: str | Path | None = None,
    enqueue: Sequence[KnownConfig] = (),
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> Study:
    """Search a space on a data set until the study has the budget's finished trials, or its minutes are over.

    `space`: also the name of a ready-made one, or of a space file. `study`: its name, the data set's by default; a study of
    this name goes on where it stopped, without `space` or `options` with its own. `runs`: the folder of checkpoints, beside an
    SQLite storage by default. `enqueue`: configurations to try first. `progress`: show notes and trials on stderr, as the
    command does, or in the notebook.
    Raises DataError, SpaceError or StudyError where something does not fit, before anything is written.
    """
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    viewer: Viewer = (
        NotebookView() if console.is_jupyter else LiveTable(console) if console.is_terminal else PlainLines(console)
    )
    return run(
        data,
        space,
        options,
        study=study,
        storage=storage,
        budget=budget,
        executor=executor,
        runs=runs,
        enqueue=enqueue,
        callbacks=[*([Watched((viewer,))] if progress else []), *callbacks],
    )
