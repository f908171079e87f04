"""Studies: objective, ladder, pruning, launching, selection, export, the command line.

The names below are imported when they are first used: the command line need not wait for torch to print its help.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.errors import StudyError
    from search.launcher.launch import launch
    from search.selection.confirm import ConfirmOptions, confirm
    from search.selection.export import export
    from search.selection.predict import predict
    from search.selection.select import select
    from search.studies.study import Study

_PLACES = {
    "Study": "search.studies.study",
    "StudyError": "search.errors",
    "ConfirmOptions": "search.selection.confirm",
    "confirm": "search.selection.confirm",
    "export": "search.selection.export",
    "launch": "search.launcher.launch",
    "predict": "search.selection.predict",
    "select": "search.selection.select",
}

__all__ = ["ConfirmOptions", "Study", "StudyError", "confirm", "export", "launch", "predict", "select"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
