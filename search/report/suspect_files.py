"""Write suspects down: as CSV, to be corrected and read back, and as a page of HTML with their images, to be looked at.

Knows nothing of how suspects are chosen.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foils import Dataset
from foils.atomic_write import write_whole
from foils.greys import stretch_of
from foils.open_image import Grey
from pitsearch.csv_text import csv_text
from pitsearch.errors import reason
from search.analysis.suspects import Suspect
from search.errors import StudyError
from search.report.out_files import try_out
from search.report.pages import render_page
from search.report.pit_images import png_text
from search.text import counted

COLUMNS = ("pit", "label", "suggested", "sure", "repeats", "reason", "corrected")
# Pixels of the page for one pixel of a pit.
ENLARGED = 3


@dataclass(frozen=True)
class SuspectImage:
    """A pit under one light, as the page shows it."""

    light: str
    # In pixels of the page.
    width: int
    height: int
    # The file's content, in base64.
    png: str


@dataclass(frozen=True)
class SuspectRow:
    """A row of the page."""

    pit: str
    label: str
    suggested: str
    sure: str
    repeats: str
    reason: str
    # Foil and slide.
    place: str
    images: tuple[SuspectImage, ...]


def write_suspects(suspects: Sequence[Suspect], data: Dataset, path: Path, title: str) -> Path:
    """Write suspects.csv, and beside it the page; gives the page's path.

    `corrected` is left empty for a person to fill in. Cells hold labels and names as labels.csv does. Where a person has filled
    in an earlier list of this name, since `check_out`, both files get the first free number: suspects.1.csv. Raises StudyError
    where a file cannot be written.
    """
    _check_name(path)
    stem, number = path.stem, 0
    while _filled_in(path):
        number += 1
        path = path.with_stem(f"{stem}.{number}")
    page = path.with_suffix(".html")
    text = csv_text(COLUMNS, ([*cells(suspect, data), ""] for suspect in suspects))
    try:
        write_whole(path, lambda stream: stream.write(text.encode("utf-8")))
        write_whole(page, lambda stream: stream.write(page_of(suspects, data, path.name, title).encode("utf-8")))
    except OSError as error:
        raise StudyError(f"{path}: the suspects must be written, but: {reason(error)}; choose another --out.") from None
    return page


def check_out(path: Path) -> None:
    """Raise StudyError, before anything is trained, where the suspects cannot be written there."""
    _check_name(path)
    try_out(path)
    try_out(path.with_suffix(".html"))
    filled = _filled_in(path)
    if filled:
        raise StudyError(
            f"{path}: suspects must not be written over what a person filled in, but this list has "
            f"{counted(filled, 'corrected label')}; run `pitsearch relabel`, then move it, or choose another --out."
        )


def _check_name(path: Path) -> None:
    if path.suffix == ".html":
        raise StudyError(
            f"--out must not end in .html, for that is the page beside it, but got {path}; write e.g. suspects.csv."
        )
    if not path.parent.is_dir():
        raise StudyError(f"--out must lie in an existing folder, but got {path}; make the folder first.")


def _filled_in(path: Path) -> int:
    """Count the rows of an earlier list that a person filled in. Raises StudyError for a file that is no list of suspects."""
    if not path.is_file():
        return 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if not {*COLUMNS} <= {*(reader.fieldnames or ())}:
                raise StudyError(
                    f"{path}: --out must be a new file or an earlier list of suspects, but this is another file; choose "
                    "another --out."
                )
            return sum(bool((row["corrected"] or "").strip()) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(
            f"{path}: --out must be a new file or an earlier list of suspects, but: {reason(error)}; choose another --out."
        ) from None


def cells(suspect: Suspect, data: Dataset) -> list[str]:
    """Give a suspect as text: pit, label, suggested, sure, repeats, reason."""
    return [
        data.pits[suspect.index].pit,
        suspect.label,
        suspect.suggested,
        "" if suspect.sure is None else f"{suspect.sure:.3f}",
        f"{suspect.agreed} of {suspect.judged}",
        suspect.reason,
    ]


def page_of(suspects: Sequence[Suspect], data: Dataset, file: str, title: str) -> str:
    """Draw the page, which needs nothing else; whatever comes from the data set is escaped."""
    crops = data.crops()
    stretch = stretch_of(crops)
    rows = [_row(suspect, stretch.greys(crops[suspect.index]), data) for suspect in suspects]
    return render_page("suspects", title=title, file=file, rows=rows)


def _row(suspect: Suspect, greys: Grey, data: Dataset) -> SuspectRow:
    name, label, suggested, sure, repeats, reason = cells(suspect, data)
    pit = data.pits[suspect.index]
    images = tuple(_image(grey, channel.name) for grey, channel in zip(greys, data.description.channels, strict=True))
    return SuspectRow(name, label, suggested, sure, repeats, reason, f"{pit.foil}:{pit.slide}", images)


def _image(grey: Grey, light: str) -> SuspectImage:
    """Enlarge an image and give it with its pixels."""
    height, width = grey.shape
    return SuspectImage(light, width * ENLARGED, height * ENLARGED, png_text(grey))
