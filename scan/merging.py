"""Merge: add the pits of a queue that a person labelled to a data set, as a new style, in a new folder.

The old data set stays as it is. What shows the plastic of a pit that is there already is left out. Knows nothing of hits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foils.dataset import Dataset, load
from foils.errors import DataError
from foils.folder_writer import WrittenPit, check_new, write_folder
from foils.groups import find_groups
from foils.held_out_log import LOGS
from foils.label_table import read_table
from foils.labels import REQUIRED
from foils.pit import Pit
from pitsearch.toml_text import shown
from scan.errors import ScanError


@dataclass(frozen=True)
class Merged:
    """What a merge wrote."""

    folder: Path
    # Pits added.
    added: tuple[Pit, ...]
    # Rows without a label.
    unlabelled: int
    # Pits left out, each with the pit that shows the same plastic already.
    known: tuple[tuple[Pit, Pit], ...]


def merge(
    data: str | Path, queue: str | Path, folder: str | Path, *, style: str | None = None, labels: Path | None = None
) -> Merged:
    """Write a new data set of all pits of `data` and those of `queue` that have a label.

    `style`: of the pits that are added, the queue's name by default; `labels`: the file that the gallery gave, where it was not
    put in the place of the queue's own. Raises DataError or ScanError, with nothing written, where the two do not go together.
    """
    folder, queue = Path(folder), Path(queue)
    check_new(folder)
    old, new = load(data), load(queue, labelled=False)
    _check_alike(old, new)
    if labels is not None:
        new = _labelled(new, labels)
    given = np.array([index for index, pit in enumerate(new.pits) if pit.label], np.int64)
    if not len(given):
        raise ScanError(f"{queue}: at least one pit must have a label, but got none of {len(new)}; label some in hits.html.")
    unlabelled, new = len(new) - len(given), new.take(given)
    _check_labels(old, new)
    known = _known(old, new)
    fresh = [index for index in range(len(new)) if index not in known]
    if not fresh:
        raise ScanError(f"{queue}: at least one labelled pit must be new, but {old.folder} has all {len(new)}; label others.")
    names = {pit.pit for pit in old.pits}
    added = [_renamed(new.pits[index], style or queue.resolve().name, names) for index in fresh]
    scale = old.description.crop / old.description.window

    def pits() -> Iterator[WrittenPit]:
        for pit, crop in zip(old.pits, old.pixels[old.rows], strict=True):
            # Crops stand as networks see them, and their places in the same pixels.
            yield WrittenPit(replace(pit, x=_times(pit.x, scale), y=_times(pit.y, scale)), crop)
        for pit, index in zip(added, fresh, strict=True):
            yield WrittenPit(replace(pit, x=_times(pit.x, scale), y=_times(pit.y, scale)), new.pixels[new.rows[index]])

    logs = sorted(old.folder.glob(LOGS))
    write_folder(folder, old.description, pits(), logs, finish=load)
    pairs = tuple(
        (new.pits[index], old.pits[other] if other < len(old) else new.pits[other - len(old)]) for index, other in known.items()
    )
    return Merged(folder, tuple(added), unlabelled, pairs)


def _times(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _check_alike(old: Dataset, new: Dataset) -> None:
    for what in ("channels", "crop", "signal"):
        mine, theirs = getattr(old.description, what), getattr(new.description, what)
        if mine != theirs:
            raise ScanError(
                f"{new.folder}: a queue must have the {what} of the data set ({_words(mine)}), but got ({_words(theirs)}); "
                "queue hits of a model of this data."
            )
    if old.full_scale != new.full_scale:
        raise ScanError(
            f"{new.folder}: a queue must have the full scale of the data set ({old.full_scale}), but got {new.full_scale}; "
            "queue hits of frames of the same camera."
        )


def _words(value: object) -> str:
    return ", ".join(light.name for light in value) if isinstance(value, tuple) else str(value)


def _labelled(new: Dataset, file: Path) -> Dataset:
    """Give the queue with the labels of a file, by the names of its pits."""
    faults: list[str] = []
    try:
        table = read_table(file, REQUIRED, faults)
    except FileNotFoundError:
        raise ScanError(f"{file}: a file of labels must exist, but does not; correct --labels.") from None
    if table is None:
        raise DataError(faults)
    if missing := [column for column in ("pit", "label") if column not in table.header]:
        raise ScanError(f"{file}: a file of labels must have the columns pit and label, but lacks {missing[0]}; correct it.")
    names = {pit.pit for pit in new.pits}
    pit_at, label_at = table.header.index("pit"), table.header.index("label")
    given: dict[str, str] = {}
    for line, row in table.rows:
        cells = [*(cell.strip() for cell in row), *[""] * (max(pit_at, label_at) + 1 - len(row))]
        if cells[pit_at] not in names:
            faults.append(f"{file.name}:{line}: `pit` must be in the queue, but got {shown(cells[pit_at])}; correct --labels.")
        given[cells[pit_at]] = cells[label_at]
    if faults:
        raise DataError(faults)
    return replace(new, pits=tuple(replace(pit, label=given.get(pit.pit, "") or pit.label) for pit in new.pits))


def _check_labels(old: Dataset, new: Dataset) -> None:
    """Refuse labels that the data set does not know: one of a slip would be a class of its own."""
    allowed = {*(old.description.labels or old.labels.tolist()), old.description.signal, *old.description.ignore}
    faults = [
        f"labels.csv: `label` must be one of {', '.join(sorted(allowed))}, but got {shown(pit.label)} for {pit.pit!r}; "
        "correct it, or add it to `labels` in the data set's foil.toml."
        for pit in new.pits
        if pit.label not in allowed
    ]
    if faults:
        raise DataError(faults)


def _known(old: Dataset, new: Dataset) -> dict[int, int]:
    """Give the new pits that show the plastic of another: of an old one, or of a new one before them, counted after the old."""
    pits = [*old.pits, *new.pits]
    pixels = np.concatenate([old.crops(), new.crops()])
    about = old.description
    # Crops overlap at less than a crop; hits of the same pit lie within half of one.
    numbers = find_groups(pits, pixels, max(about.window // 2, 1), about.channels, about.pixel_um).numbers
    first: dict[int, int] = {}
    known: dict[int, int] = {}
    for index, number in enumerate(numbers.tolist()):
        if index < len(old):
            first.setdefault(number, index)
        elif number in first:
            known[index - len(old)] = first[number]
        else:
            first[number] = index
    return known


def _renamed(pit: Pit, style: str, names: set[str]) -> Pit:
    """Give a pit its style, and another name where the data set has one of its name."""
    name = pit.pit
    if name in names:
        name = f"{name}-{style}"
    number = 2
    while name in names:
        name, number = f"{pit.pit}-{style}-{number}", number + 1
    names.add(name)
    return replace(pit, pit=name, style=style)
