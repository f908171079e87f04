"""Write Parquet, and read that of others in bounds: a file of a megabyte may say that it holds a billion rows.

Knows no column by name.
"""

from __future__ import annotations

import io
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pitsearch.errors import reason
from pitsearch.regular_file import read_regular

if TYPE_CHECKING:
    import pyarrow

MOST_COLUMNS = 1000
# Numbers and texts of all columns together; the images of 34,000 pits under ten lights.
MOST_VALUES = 2**28
# Characters of a cell of text.
MOST_TEXT = 1000
# Rows that are decoded at once.
BATCH = 2**14


def read_parquet(path: Path, most_bytes: int, most_rows: int, wanted: Container[str] | None = None) -> dict[str, list[Any]]:
    """Read the columns of a file, all or those that are `wanted`, as lists. Raises OSError or ValueError with a clause."""
    import pyarrow
    import pyarrow.parquet

    try:
        content = io.BytesIO(read_regular(path, most_bytes))
        schema = pyarrow.parquet.read_schema(content)
        names = [name for name in schema.names if wanted is None or name in wanted]
        # A text that stands in many rows is kept once, so that its length is seen before it is copied into each.
        texts = [name for name in names if _is_text(schema.field(name).type)]
        file = pyarrow.parquet.ParquetFile(content, read_dictionary=texts)
        _check_size(file.metadata, most_rows)
        columns: dict[str, list[Any]] = {name: [] for name in names}
        if len(columns) < len(names):
            raise ValueError("the names of its columns must differ, and one stands twice")
        for batch in file.iter_batches(BATCH, columns=names):
            for name in names:
                columns[name] += _values(batch.column(name))
    except pyarrow.ArrowException as error:
        raise ValueError(reason(error)) from None
    return columns


def parquet_bytes(columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> bytes:
    """Give columns as the content of a Parquet file. `kinds`: of those that hold no text, by pyarrow's names."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kinds.get(name, "string"))) for name in columns])
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table([*columns.values()], schema=schema), stream, compression="zstd")
    return stream.getvalue()


def _is_text(kind: pyarrow.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _check_size(metadata: Any, most_rows: int) -> None:
    """Raise ValueError where the file says that it holds more than is read; the reader takes no more than it says."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    if rows > most_rows:
        raise ValueError(f"it may have {most_rows} rows at the most, and has {rows}")
    if metadata.num_columns > MOST_COLUMNS:
        raise ValueError(f"it may have {MOST_COLUMNS} columns at the most, and has {metadata.num_columns}")
    values = sum(group.column(place).num_values for group in groups for place in range(group.num_columns))
    if values > MOST_VALUES:
        raise ValueError(f"it may have {MOST_VALUES} values at the most, and has {values}")


def _values(column: pyarrow.Array) -> Sequence[Any]:
    import pyarrow
    import pyarrow.compute

    if isinstance(column, pyarrow.DictionaryArray):
        longest = pyarrow.compute.max(pyarrow.compute.binary_length(column.dictionary)).as_py()
        if longest is not None and longest > MOST_TEXT:
            raise ValueError(f"a text may have {MOST_TEXT} bytes at the most, and one has {longest}")
    values: list[Any] = column.to_pylist()
    return values
