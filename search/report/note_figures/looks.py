"""Words, colours, symbols and dashes of plotly as matplotlib takes them. Imports neither."""

from __future__ import annotations

import html
import re
from typing import Any, TypeAlias

# Pixels of a page on an inch of a note, and points on such a pixel.
PIXELS = 105.0
POINTS = 72 / PIXELS

# A colour, by name, or as shares of red, green and blue.
Ink: TypeAlias = str | tuple[float, float, float]
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
    "star": "*",
    "x-thin": "x",
    "line-ns": "|",
    "line-ew": "_",
}
# Markers that are strokes have no face.
STROKES = frozenset("x|_")
DASHES: dict[str, Any] = {
    "solid": "-",
    "dash": "--",
    "dot": ":",
    "dashdot": "-.",
    "longdash": (0, (8, 3)),
    "longdashdot": (0, (8, 3, 1, 3)),
}
HATCHES = {"": "", "/": "//", "\\": "\\\\", "x": "xx", "-": "--", "|": "||", "+": "++", ".": ".."}
ALIGNMENTS = {"auto": "center", "left": "left", "center": "center", "right": "right"}
HEIGHTS = {"auto": "center", "top": "top", "middle": "center", "bottom": "bottom"}
_RGB = re.compile(r"rgba?\(([^)]*)\)")
_CODE = re.compile(r"<[^>]*>")


def words(text: str | None) -> str:
    """Give the text of a figure without its markup: line breaks stay, and a dollar begins no formula."""
    if not text:
        return ""
    lines = re.sub(r"<br\s*/?>", "\n", text)
    return html.unescape(_CODE.sub("", lines)).replace("$", r"\$")


def colour(text: str | None, opacity: float | None = None) -> tuple[Ink, float]:
    """Give a colour and its opacity: `#0072B2`, `rgba(0,114,178,0.2)`, or a name."""
    share = 1.0 if opacity is None else float(opacity)
    match = _RGB.fullmatch(text or "black")
    if match is None:
        return text or "black", share
    red, green, blue, *rest = (float(part) for part in match[1].split(","))
    return (red / 255, green / 255, blue / 255), share * (rest[0] if rest else 1.0)


def marker(symbol: str | None) -> tuple[str, bool]:
    """Give a marker, and whether it is filled. Raises ValueError for one that is not in MARKERS."""
    name = (symbol or "circle").removesuffix("-open")
    return _of(MARKERS, name, "symbol"), name == (symbol or "circle")


def dash(name: str | None) -> Any:
    """Give the dashes of a line. Raises ValueError for others than those of DASHES."""
    return _of(DASHES, name or "solid", "dash")


def hatch(shape: str | None) -> str:
    """Give the pattern of a bar. Raises ValueError for others than those of HATCHES."""
    return str(_of(HATCHES, shape or "", "pattern"))


def _of(table: dict[str, Any], name: str, kind: str) -> Any:
    if name not in table:
        raise ValueError(f"a {kind} must be one of {', '.join(filter(None, table))}, but got {name!r}; add it to the table.")
    return table[name]
