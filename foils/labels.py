"""Read `labels.csv`: the pits, what people called them, and where they lie.

Knows nothing of pixels. Every fault is collected with its line.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from foils.description import NAME, Description

REQUIRED = ("pit", "label", "foil", "slide")
KNOWN = (*REQUIRED, "x", "y", "style")
# A label on fewer pits than folds cannot be learned; where foil.toml lists no labels it is taken for a slip of the pen.
RARE = 5


@dataclass(frozen=True)
class Pit:
    """One labelled or candidate object."""

    pit: str
    label: str
    foil: str
    slide: str
    # `x`, `y`: pixels of the slide's frame, from its top-left corner, x to the right, y downwards.
    x: float | None = None
    y: float | None = None
    # The labelling campaign.
    style: str = ""
    # The columns of labels.csv that pitsearch does not use.
    further: tuple[tuple[str, str], ...] = field(default=(), compare=False)


def read_labels(folder: Path, description: Description, faults: list[str], *, labelled: bool = True) -> list[Pit]:
    """Read `labels.csv`; with `labelled=False` the label column may be missing or empty (foil to be scored)."""
    path = folder / "labels.csv"
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            header = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = header
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        faults.append(f"labels.csv: a data set needs this file, but {folder} has none; write {','.join(REQUIRED)} lines.")
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(f"labels.csv: the file must be readable UTF-8 CSV, but: {error}; correct it.")
        return []
    if not _check_header(header, description, faults, labelled):
        return []
    if not rows:
        faults.append("labels.csv:1: at least one pit must be listed, but got none; add a line for each pit.")
    pits: list[Pit] = []
    first_line: dict[str, int] = {}
    for line, row in rows:
        pit = _read_row(line, row, description, faults, labelled)
        if pit is None:
            continue
        if pit.pit in first_line:
            faults.append(
                f"labels.csv:{line}: pit ids must be unique, but got {pit.pit!r} again (first on line "
                f"{first_line[pit.pit]}); rename or remove one."
            )
            continue
        first_line[pit.pit] = line
        pits.append(pit)
    if labelled:
        _check_labels(pits, first_line, description, faults)
    return pits


def _check_header(header: list[str], description: Description, faults: list[str], labelled: bool) -> bool:
    required: Iterable[str] = REQUIRED if labelled else [column for column in REQUIRED if column != "label"]
    if not description.by_pit:
        required = (*required, "x", "y")
    missing = [column for column in required if column not in header]
    for column in missing:
        faults.append(
            f"labels.csv:1: the columns {', '.join(required)} must be there, but `{column}` is missing "
            f"(got {', '.join(header) or 'nothing'}); add it."
        )
    for column in sorted(column for column, count in Counter(header).items() if count > 1):
        faults.append(f"labels.csv:1: columns must differ, but got `{column}` twice; rename one.")
        missing.append(column)
    return not missing


def _read_row(line: int, row: dict[str, str], description: Description, faults: list[str], labelled: bool) -> Pit | None:
    if None in row or None in row.values():
        faults.append(f"labels.csv:{line}: a line must have as many cells as the header; count its commas.")
        return None
    cells = {column: value.strip() for column, value in row.items()}
    before = len(faults)
    for column in ("pit", "foil", "slide"):
        if not NAME.fullmatch(cells[column]):
            faults.append(
                f"labels.csv:{line}: `{column}` must be letters, digits, '.', '_' or '-' (it becomes part of a file "
                f"name), but got {cells[column]!r}; correct it."
            )
    label = cells.get("label", "")
    if labelled and not label:
        faults.append(f"labels.csv:{line}: `label` must not be empty (pit {cells['pit']!r}); label it or remove the line.")
    elif label and description.labels and label not in description.labels:
        faults.append(
            f"labels.csv:{line}: `label` must be one of {', '.join(description.labels)}, but got {label!r}; "
            "correct it, or add it to `labels` in foil.toml."
        )
    place = [_read_number(line, column, cells, description, faults) for column in ("x", "y")]
    if len(faults) == before and (place[0] is None) != (place[1] is None):
        faults.append(f"labels.csv:{line}: x and y must be given together (pit {cells['pit']!r}), but one is empty; add it.")
    if len(faults) > before:
        return None
    further = tuple((column, value) for column, value in cells.items() if column not in KNOWN)
    x, y = place if None not in place else (None, None)
    return Pit(cells["pit"], label, cells["foil"], cells["slide"], x, y, cells.get("style", ""), further)


def _read_number(line: int, column: str, cells: dict[str, str], description: Description, faults: list[str]) -> float | None:
    text = cells.get(column, "")
    if not text and description.by_pit:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        faults.append(f"labels.csv:{line}: `{column}` must be a number of pixels, but got {text!r}; correct it.")
        return None
    return value


def _check_labels(pits: list[Pit], line_of: dict[str, int], description: Description, faults: list[str]) -> None:
    """Check that there is signal to find, and that an unlisted label is no slip of the pen."""
    counts = Counter(pit.label for pit in pits)
    if pits and not counts[description.signal]:
        faults.append(
            f"labels.csv: at least {RARE} pits must carry the signal label {description.signal!r}, but got 0 "
            f"(labels found: {', '.join(sorted(counts))}); label some, or correct `signal` in foil.toml."
        )
    elif pits and counts[description.signal] < RARE:
        faults.append(
            f"labels.csv: there must be at least as many signal pits as folds ({RARE}), but got "
            f"{counts[description.signal]} pits labelled {description.signal!r}; label more."
        )
    if description.labels:
        return
    for pit in pits:
        if counts[pit.label] < RARE and pit.label not in (description.signal, *description.ignore):
            faults.append(
                f"labels.csv:{line_of[pit.pit]}: a label not listed in foil.toml must be on at least {RARE} pits, but "
                f"got {pit.label!r} on {counts[pit.label]}; correct it, or list it: labels = [...] in foil.toml."
            )
