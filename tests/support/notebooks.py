"""A notebook in place of a terminal: what its cells show is kept. Of IPython only `display` is stood in for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest


class Cell:
    """One place in the output of a cell, with all that it has shown, the last at the end."""

    def __init__(self, content: Mapping[str, str]) -> None:
        self.html = [content["text/html"]]
        self.text = [content["text/plain"]]

    def update(self, content: Mapping[str, str], *, raw: bool) -> None:
        """Replace what is shown."""
        assert raw
        self.html.append(content["text/html"])
        self.text.append(content["text/plain"])


def notebook(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Make this process look like the kernel of a notebook, and give what its cells show."""
    cells: list[Cell] = []

    def display(content: Mapping[str, str], *, raw: bool, display_id: bool) -> Cell:
        assert raw
        assert display_id
        cells.append(Cell(content))
        return cells[-1]

    modules: dict[str, Any] = {name: ModuleType(name) for name in ("IPython", "IPython.display")}
    modules["IPython.display"].display = display
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    return cells
