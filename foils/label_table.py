"""Read a table that a spreadsheet wrote as text: whatever its separator, its encoding's mark, and its empty rows and columns.

Knows no column by name but those that it is told to look for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pitsearch.errors import reason
from pitsearch.regular_file import read_regular

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# A million pits have some 50 MB.
MOST_BYTES = 2**28
MOST_COLUMNS = 1000
# Of the columns that are there, so many are named in a fault.
SHOWN = 20


@dataclass(frozen=True)
class Form:
    """How a table is written down."""

    separator: str
    # utf-8, or utf-16 where the file begins with its mark.
    encoding: str
    # A line such as `sep=;`, which stands before the table.
    first_line: str
    # Whether the file begins with a byte-order mark.
    marked: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a table, without those that are empty."""

    form: Form
    header: tuple[str, ...]
    # The header's line in the file, counted from 1.
    header_line: int
    # The line on which each row begins, and its cells as they are.
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def shown_header(self) -> str:
        """Name the columns in a fault."""
        more = ", ..." if len(self.header) > SHOWN else ""
        return (", ".join(name[:SHOWN] for name in self.header[:SHOWN]) or "nothing") + more


def read_form(path: Path, columns: Sequence[str]) -> tuple[Form, str]:
    """Tell how a table is written down, and give its text. Raises OSError or UnicodeDecodeError."""
    content = read_regular(path, MOST_BYTES)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = content.decode(encoding)
    if "\0" in text or (encoding == "utf-16" and not text.removeprefix("\ufeff").strip()[:1].isascii()):
        raise UnicodeDecodeError(encoding, content[:16], 0, 2, "the text is no table")
    form, body = _form(text.removeprefix("\ufeff"), encoding, columns)
    return replace(form, marked=text.startswith("\ufeff")), body


def written(form: Form, body: str) -> bytes:
    """Give the bytes of a file with this table, written down as it was."""
    return (("\ufeff" if form.marked else "") + form.first_line + body).encode(form.encoding)


def read_table(path: Path, columns: Sequence[str], faults: list[str]) -> Table | None:
    """Read a table; None, with faults added, where it cannot be read. `columns`: which tell one separator from another.

    Raises FileNotFoundError where there is no file.
    """
    name = path.name or str(path)
    try:
        form, body = read_form(path, columns)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        remedy = "save it as CSV UTF-8" if isinstance(error, UnicodeDecodeError) else "correct it"
        faults.append(f"{name}: the file must be readable UTF-8 CSV, but: {reason(error)}; {remedy}.")
        return None
    offset = 1 if form.first_line else 0
    rows: list[tuple[int, tuple[str, ...]]] = []
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=form.separator, strict=True)
    for line, cells in _numbered(reader, name, offset, faults):
        if cells is None:
            return None
        if len(cells) > MOST_COLUMNS and any(cell.strip() for cell in cells[MOST_COLUMNS:]):
            faults.append(
                f"{name}:{line}: a line may have {MOST_COLUMNS} cells at the most, but got {len(cells)}; remove some."
            )
            return None
        if rows and _swallows(cells, form.separator, len(rows[0][1])):
            faults.append(_unclosed(name, line, "it takes in the lines that follow"))
            return None
        if any(cell.strip() for cell in cells):
            rows.append((line, tuple(cells[:MOST_COLUMNS])))
    if not rows:
        return Table(form, (), 1, ())
    (header_line, header), *others = rows
    return Table(form, _trimmed(tuple(cell.strip() for cell in header)), header_line, tuple(others))


def _form(text: str, encoding: str, columns: Sequence[str]) -> tuple[Form, str]:
    """Tell the separator: what a first line `sep=` says, or what parts the header into the most columns that are looked for."""
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    if said.lower().startswith("sep=") and len(said) == 5:
        return Form(said[4], encoding, first + "\n"), rest
    if said.lower().startswith("sep=") and len(first.rstrip("\r\n")) == 5:  # a tab, which stripping takes away
        return Form(first[4], encoding, first + "\n"), rest
    header = next((line for line in io.StringIO(text) if line.strip(' \t\r\n,;|"')), "")[: 2**16]
    wanted = set(columns)
    best = max(SEPARATORS, key=lambda separator: len(wanted & {cell.strip(' \t\r\n"') for cell in header.split(separator)}))
    return Form(best, encoding, ""), text


def _numbered(reader: Iterator[list[str]], name: str, offset: int, faults: list[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Give each row with the line on which it begins; None, with a fault added, where a quote is never closed."""
    while True:
        line = getattr(reader, "line_num", 0) + 1 + offset
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.append(_unclosed(name, line, str(error)))
            yield line, None
            return


def _unclosed(name: str, line: int, why: str) -> str:
    return f"{name}:{line}: a quote must be closed at the end of its cell, but one that opens here is not ({why}); correct it."


def _swallows(cells: Sequence[str], separator: str, columns: int) -> bool:
    """Tell whether a cell holds whole lines of the table: its quote was closed by the next one, lines below."""
    return (
        any("\n" in cell and any(line.count(separator) >= columns - 1 for line in cell.splitlines()[1:]) for cell in cells)
        and columns > 1
    )


def _trimmed(header: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the empty columns at the end."""
    while header and not header[-1]:
        header = header[:-1]
    return header
