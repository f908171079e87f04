"""Save what can be read of a damaged SQLite database: every row of Optuna's tables that a healthy page holds.

The damaged file is never opened itself: its copy is filled up to whole pages, for SQLite refuses a file that was cut. Knows
nothing of what rows mean; a row of a damaged page may have been read wrongly, and is checked by whoever reads it next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from search.errors import StudyError
from search.storage.connect import open_storage
from search.storage.optuna_internals import models

MAGIC = b"SQLite format 3\x00"
# The tables of studies and trials, parents first.
TABLES = tuple(
    str(model.__tablename__)
    for model in (
        models.StudyModel,
        models.StudyDirectionModel,
        models.StudyUserAttributeModel,
        models.StudySystemAttributeModel,
        models.TrialModel,
        models.TrialUserAttributeModel,
        models.TrialSystemAttributeModel,
        models.TrialParamModel,
        models.TrialValueModel,
        models.TrialIntermediateValueModel,
    )
)
# Rows of one damaged page, and of some beside it, are asked for one by one.
MOST_LOST = 100_000


def rescue(damaged: Path, target: Path) -> int:
    """Copy all rows that can be read into a new database, and give their number.

    Raises StudyError where the file is no SQLite database, or its first page, which names the tables, cannot be read.
    """
    open_storage(f"sqlite:///{target}", create=True)
    with TemporaryDirectory(dir=target.parent, prefix=".pitsearch-salvage-") as scratch:
        copy = Path(scratch) / "copy.db"
        _copy_whole_pages(damaged, copy)
        try:
            with closing(_open(copy)) as source, closing(sqlite3.connect(target)) as whole:
                rows = sum(_rescue_table(source, whole, table) for table in TABLES)
                whole.commit()
        except sqlite3.DatabaseError as error:
            raise StudyError(
                f"{damaged}: the first page of a database must be whole for its tables to be read, but: {error}; restore it "
                "from a copy."
            ) from None
    return rows


def _copy_whole_pages(damaged: Path, copy: Path) -> None:
    """Copy a file, and fill up what its header says is missing at its end."""
    content = damaged.read_bytes()
    if not content.startswith(MAGIC):
        raise StudyError(f"{damaged}: an SQLite database must begin as one, but this file does not; restore it from a copy.")
    size = int.from_bytes(content[16:18], "big")
    size = 65536 if size == 1 else max(size, 512)
    pages = max(int.from_bytes(content[28:32], "big"), -(-len(content) // size))
    copy.write_bytes(content.ljust(min(pages * size, len(content) + 2**20), b"\x00"))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def _rescue_table(source: sqlite3.Connection, whole: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in whole.execute(f'pragma table_info("{table}")')]
    listed = ", ".join(f'"{column}"' for column in columns)
    insert = f'insert or ignore into "{table}" ({listed}) values ({", ".join("?" * len(columns))})'  # noqa: S608
    rescued = 0
    for row in _rows(source, table, listed):
        with suppress(sqlite3.Error):  # of a kind that the table does not take
            rescued += whole.execute(insert, row).rowcount
    return rescued


def _rows(source: sqlite3.Connection, table: str, listed: str) -> Iterator[tuple[object, ...]]:
    """Read a table from its start; where a place is damaged, from its end, and what lies between two such row by row."""
    select = f'select rowid, {listed} from "{table}"'  # noqa: S608
    last, first = 0, None
    with suppress(sqlite3.Error):
        for number, *row in source.execute(f"{select} order by rowid"):
            last = max(last, number)
            yield tuple(row)
        return
    with suppress(sqlite3.Error):
        for number, *row in source.execute(f"{select} where rowid > ? order by rowid desc", (last,)):
            first = number
            yield tuple(row)
        return
    for number in range(last + 1, min(last + MOST_LOST, first or last + MOST_LOST)):
        with suppress(sqlite3.Error):
            for _, *row in source.execute(f"{select} where rowid = ?", (number,)):
                yield tuple(row)
