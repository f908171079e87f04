"""Correct labels: read a list of suspects that a person went through, and write labels.csv anew beside the old one.

Every fault is reported at once, before anything is written. Knows nothing of how the suspects were found.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from foils.atomic_write import write_whole
from foils.description import Description, read_description
from foils.errors import DataError
from foils.label_table import read_form, read_table, written
from foils.labels import KNOWN, read_labels
from pitsearch.errors import reason
from pitsearch.toml_text import shown

# A list with a row for each of a million pits has fewer bytes.
MOST_BYTES = 64 * 2**20
# Characters of a header that an error shows.
MOST_SHOWN = 200
# What the list of suspects must have; `corrected` is the column that a person fills in.
COLUMNS = ("pit", "label", "corrected")


@dataclass(frozen=True)
class Correction:
    """One pit's new label."""

    pit: str
    label: str
    corrected: str
    # Of the list of suspects.
    line: int


@dataclass(frozen=True)
class Relabelled:
    """What was changed, and where the old labels are."""

    corrections: tuple[Correction, ...]
    # Pits whose label was right.
    confirmed: int
    # The file with the old labels.
    kept: Path


def relabel(folder: str | Path, suspects: str | Path) -> Relabelled:
    """Write labels.csv with the corrections of a list of suspects; the old one is kept as labels.1.csv, labels.2.csv, ...

    Every other cell, column and line stays as it is. Raises DataError with every fault, and nothing written, where a row
    does not fit labels.csv, a label is unknown, nothing is corrected, or the new labels would be no good data set.
    """
    folder, suspects = Path(folder), Path(suspects)
    faults: list[str] = []
    description = read_description(folder, faults)
    pits = read_labels(folder, description, faults, labelled=False) if description else []
    rows = _read_rows(suspects, faults)
    if description is None or faults:
        raise DataError(faults)
    now = {pit.pit: pit.label for pit in pits}
    filled = _check_rows(_name(suspects), rows, now, description, faults)
    corrections = [row for row in filled if row.corrected != row.label]
    if not faults and not corrections:
        faults.append(
            f"{_name(suspects)}: at least one row must have a `corrected` label that differs from `label`, but none has; "
            "fill some in."
        )
    if faults:
        raise DataError(faults)
    content = _rewritten(folder / "labels.csv", {row.pit: row.corrected for row in corrections})
    _check_content(content, description)
    try:
        backup = _keep(folder / "labels.csv")
        write_whole(folder / "labels.csv", lambda stream: stream.write(content))
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {reason(error)}; change its permissions.") from None
    return Relabelled(tuple(corrections), len(filled) - len(corrections), backup)


def _name(path: Path) -> str:
    """Name a file in a fault; what has no name of its own, as `.`, by its path."""
    return path.name or str(path)


def _read_rows(path: Path, faults: list[str]) -> list[Correction]:
    """Read the rows that a person filled in."""
    try:
        table = read_table(path, COLUMNS, faults)
    except FileNotFoundError:
        faults.append(f"{path}: a list of suspects must exist, but does not; run `pitsearch diagnose` first.")
        return []
    if table is None:
        return []
    missing = [column for column in COLUMNS if column not in table.header]
    if missing:
        faults.append(
            f"{_name(path)}:{table.header_line}: the columns {', '.join(COLUMNS)} must be there, but `{'`, `'.join(missing)}` "
            f"{'is' if len(missing) == 1 else 'are'} missing (got {table.shown_header()}); take the "
            "file that `pitsearch diagnose` wrote."
        )
        return []
    twice = next((column for column in COLUMNS if table.header.count(column) > 1), None)
    if twice is not None:
        faults.append(f"{path.name}:{table.header_line}: columns must differ, but got `{twice}` twice; rename one.")
        return []
    places = [table.header.index(column) for column in COLUMNS]
    rows = [(line, [row[place].strip() if place < len(row) else "" for place in places]) for line, row in table.rows]
    return [Correction(pit, label, corrected, line) for line, (pit, label, corrected) in rows if corrected]


def _check_rows(
    name: str, rows: Sequence[Correction], now: dict[str, str], description: Description, faults: list[str]
) -> list[Correction]:
    """Check the rows against labels.csv and give one for each pit; a pit may stand in several that agree."""
    known = description.labels or tuple(sorted({*now.values(), description.signal, *description.ignore}))
    first: dict[str, Correction] = {}
    for row in rows:
        if row.pit not in now:
            faults.append(
                f"{name}:{row.line}: `pit` must be in labels.csv, but got {shown(row.pit)}; is this list of other data?"
            )
            continue
        if row.label != now[row.pit]:
            faults.append(
                f"{name}:{row.line}: `label` must be what labels.csv says of pit {row.pit!r}, {now[row.pit]!r}, but got "
                f"{shown(row.label)}; was it corrected before? Diagnose again, or empty the cell under `corrected`."
            )
        if row.corrected not in known:
            faults.append(
                f"{name}:{row.line}: `corrected` must be one of {', '.join(known)}, but got {shown(row.corrected)}; "
                "correct it, or add it to `labels` in foil.toml."
            )
        before = first.setdefault(row.pit, row)
        if before.corrected != row.corrected:
            faults.append(
                f"{name}:{row.line}: a pit must be corrected to one label, but got {shown(row.corrected)} for {row.pit!r} and "
                f"{before.corrected!r} on line {before.line}; empty one."
            )
    return list(first.values())


def _rewritten(path: Path, corrected: dict[str, str]) -> bytes:
    """Give the bytes of labels.csv with other labels; what is not a label stays, also mark, line ends and blanks."""
    form, body = read_form(path, KNOWN)
    rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=form.separator))
    head = next(number for number, row in enumerate(rows) if any(cell.strip() for cell in row))
    header = [column.strip() for column in rows[head]]
    pit, label = header.index("pit"), header.index("label")
    for row in rows[head + 1 :]:
        if len(row) > max(pit, label) and row[pit].strip() in corrected:
            row[label] = corrected[row[pit].strip()]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=form.separator, lineterminator="\r\n" if "\r\n" in body else "\n").writerows(rows)
    return written(form, text.getvalue())


def _check_content(content: bytes, description: Description) -> None:
    """Raise DataError where the new labels would be no good data set, such as one without signal."""
    faults: list[str] = []
    with TemporaryDirectory() as place:
        (Path(place) / "labels.csv").write_bytes(content)
        read_labels(Path(place), description, faults)
    if faults:
        raise DataError([f"after these corrections: {fault}" for fault in faults])


def _keep(path: Path) -> Path:
    """Keep a copy of labels.csv under the first free number."""
    number = 1
    while True:
        backup = path.with_name(f"{path.stem}.{number}{path.suffix}")
        try:
            with backup.open("xb") as stream:  # never over another
                stream.write(path.read_bytes())
        except FileExistsError:
            number += 1
            continue
        return backup
