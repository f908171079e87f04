"""Read `labels.csv`: the pits, what people called them, and where they lie.

Knows nothing of pixels. Every fault is collected with its line.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from foils.description import Description, broken_rule
from foils.label_rules import check_labels
from foils.label_table import SEPARATORS, Table, read_table
from foils.pit import Pit
from pitsearch.plain_word import broken_word
from pitsearch.toml_text import shown

REQUIRED = ("pit", "label", "foil", "slide")
# The pit's place on the foil, where the microscope's stage gives it.
STAGE = ("stage_x_um", "stage_y_um")
KNOWN = (*REQUIRED, "x", "y", "style", *STAGE)


def read_labels(
    folder: Path,
    description: Description,
    faults: list[str],
    *,
    labelled: bool = True,
    notes: list[str] | None = None,
) -> list[Pit]:
    """Read `labels.csv`; with `labelled=False` the label column may be missing or empty (foil to be scored).

    `notes`: what is odd but was read all the same is added to them.
    """
    try:
        table = read_table(folder / "labels.csv", KNOWN, faults)
    except FileNotFoundError:
        faults.append(f"labels.csv: a data set needs this file, but {folder} has none; write {','.join(REQUIRED)} lines.")
        return []
    if table is None or not _check_header(table, description, faults, labelled):
        return []
    if not table.rows:
        faults.append("labels.csv:1: at least one pit must be listed, but got none; add a line for each pit.")
    if notes is not None and table.form.separator != ",":
        separators = SEPARATORS.get(table.form.separator, repr(table.form.separator))
        notes.append(f"labels.csv is separated by {separators}, and commas in its numbers are read as decimal points")
    pits: list[Pit] = []
    first_line: dict[str, int] = {}
    for line, row in table.rows:
        pit = _read_row(line, row, table, description, faults, labelled)
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
    if labelled and pits:
        check_labels(pits, first_line, description, faults)
    return pits


def _check_header(table: Table, description: Description, faults: list[str], labelled: bool) -> bool:
    place = f"labels.csv:{table.header_line}"
    required: Iterable[str] = REQUIRED if labelled else [column for column in REQUIRED if column != "label"]
    if not description.by_pit:
        required = (*required, "x", "y")
    missing = [column for column in required if column not in table.header]
    for column in missing:
        faults.append(
            f"{place}: the columns {', '.join(required)} must be there, but `{column}` is missing "
            f"(got {table.shown_header()}); add it."
        )
    for column in sorted(column for column, count in Counter(table.header).items() if column and count > 1):
        faults.append(f"{place}: columns must differ, but got `{column}` twice; rename one.")
        missing.append(column)
    for number in [number for number, column in enumerate(table.header) if not column]:
        if any(len(cells) > number and cells[number].strip() for _, cells in table.rows):
            faults.append(f"{place}: a column that is used must have a name, but got none for column {number + 1}; name it.")
            missing.append("")
    return not missing


def _read_row(
    line: int, row: Sequence[str], table: Table, description: Description, faults: list[str], labelled: bool
) -> Pit | None:
    width = len(table.header)
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        faults.append(
            f"labels.csv:{line}: a line must have as many cells as the header; count its "
            f"{SEPARATORS.get(table.form.separator, 'separators')}."
        )
        return None
    cells = {column: value.strip() for column, value in zip(table.header, row, strict=False) if column}
    before = len(faults)
    for column in ("pit", "foil", "slide"):
        if rule := broken_rule(cells[column]):
            why = " (it becomes part of a file name)" if "letters" in rule else ""
            faults.append(f"labels.csv:{line}: `{column}` must be {rule}{why}, but got {shown(cells[column])}; correct it.")
    for column in ("label", "style"):
        if rule := broken_word(cells.get(column, "")):
            faults.append(f"labels.csv:{line}: `{column}` must be {rule}, but got {shown(cells[column])}; rename it.")
    label = cells.get("label", "")
    if labelled and not label:
        faults.append(f"labels.csv:{line}: `label` must not be empty (pit {cells['pit']!r}); label it or remove the line.")
    elif label and description.labels and label not in description.labels:
        faults.append(
            f"labels.csv:{line}: `label` must be one of {', '.join(description.labels)}, but got {shown(label)}; "
            "correct it, or add it to `labels` in foil.toml."
        )
    decimal = table.form.separator != ","
    place = [_read_number(line, column, cells, faults, decimal, needed=not description.by_pit) for column in ("x", "y")]
    stage = [_read_number(line, column, cells, faults, decimal, needed=False) for column in STAGE]
    for columns, numbers in ((("x", "y"), place), (STAGE, stage)):
        if len(faults) == before and (numbers[0] is None) != (numbers[1] is None):
            faults.append(
                f"labels.csv:{line}: {columns[0]} and {columns[1]} must be given together (pit {cells['pit']!r}), but one is "
                "empty; add it."
            )
    if len(faults) == before and stage[0] is not None and description.pixel_um is None:
        faults.append(
            f"labels.csv:{line}: places on the stage must come with the size of a pixel, but `pixel_um` is not in foil.toml "
            f"(pit {cells['pit']!r}); add it, or rename the columns {' and '.join(STAGE)}."
        )
    if len(faults) > before:
        return None
    further = tuple((column, value) for column, value in cells.items() if column not in KNOWN)
    on_stage = None if stage[0] is None or stage[1] is None else (stage[0], stage[1])
    return Pit(
        cells["pit"], label, cells["foil"], cells["slide"], place[0], place[1], cells.get("style", ""), further, on_stage
    )


def _read_number(
    line: int, column: str, cells: dict[str, str], faults: list[str], decimal_comma: bool, *, needed: bool
) -> float | None:
    text = cells.get(column, "")
    if not text and not needed:
        return None
    try:
        value = float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        unit = "micrometres" if column in STAGE else "pixels"
        faults.append(f"labels.csv:{line}: `{column}` must be a number of {unit}, but got {shown(text)}; correct it.")
        return None
    return value
