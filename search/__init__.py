"""Studies: objective, ladder, pruning, launching, selection, export, the command line.

The names below are imported when they are first used: the command line need not wait for torch to print its help.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.confirming import Terms, confirm
    from search.errors import StudyError
    from search.exporting import export
    from search.launching import launch
    from search.predicting import predict
    from search.selection import select
    from search.studies import Study

_PLACES = {
    "Study": "search.studies",
    "StudyError": "search.errors",
    "Terms": "search.confirming",
    "confirm": "search.confirming",
    "export": "search.exporting",
    "launch": "search.launching",
    "predict": "search.predicting",
    "select": "search.selection",
}

__all__ = ["Study", "StudyError", "Terms", "confirm", "export", "launch", "predict", "select"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
