"""Compare what users see with files that a person has read. `UPDATE_GOLDEN=1 make test` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console, RenderableType

FOLDER = Path(__file__).parents[1] / "search" / "golden"


def render(renderable: RenderableType, width: int = 140) -> str:
    """Render as on an output that is no terminal, without trailing blanks."""
    console = Console(width=width, highlight=False, markup=False, emoji=False, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def assert_golden(name: str, text: str) -> None:
    """Assert that a text is the golden file's."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; read the new text, then UPDATE_GOLDEN=1 make test"
