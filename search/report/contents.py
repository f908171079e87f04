"""What a report holds: sections of paragraphs, figures, tables, galleries and plain text. Knows no study and no HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import plotly.graph_objects as go


@dataclass(frozen=True)
class Drawing:
    """A figure with what belongs to it on the page."""

    # Of its template, `report_drawing.html.j2`.
    kind: ClassVar[str] = "drawing"

    # Its id on the page, and the name of a file that it is saved as: lower-case words with hyphens.
    name: str
    title: str
    figure: go.Figure
    # What to see, and what not to conclude.
    caption: str


@dataclass(frozen=True)
class Listing:
    """A table of words."""

    kind: ClassVar[str] = "listing"

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    # What its columns mean.
    note: str = ""


@dataclass(frozen=True)
class GalleryItem:
    """A pit under its lights."""

    # Its name in the data set.
    pit: str
    # Its label, its score and the like.
    words: str
    # A data URI of PNG for each channel.
    images: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Pits side by side, at all lights."""

    kind: ClassVar[str] = "gallery"

    title: str
    # What to see, and what not to conclude.
    caption: str
    # The names of the channels, in the order of the images.
    channels: tuple[str, ...]
    items: tuple[GalleryItem, ...]


@dataclass(frozen=True)
class PlainText:
    """Text that is copied as it stands: a command, a file."""

    kind: ClassVar[str] = "text"

    title: str
    text: str


Part: TypeAlias = Drawing | Listing | Gallery | PlainText


@dataclass(frozen=True)
class Section:
    """A section of a report."""

    # Its id on the page.
    name: str
    title: str
    # Plain words; what stands between backticks is shown as code.
    paragraphs: tuple[str, ...]
    parts: tuple[Part, ...]
    # What the reader must know before believing a number, a sentence each.
    warnings: tuple[str, ...] = ()
