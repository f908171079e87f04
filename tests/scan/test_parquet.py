"""Parquet of others is bounded before it takes memory: rows, values, texts; and what is whole is read as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from scan.hit_lists import read_places
from scan.hits import COLUMNS, read_hits
from scan.parquet import MOST_TEXT, read_parquet


def written(path: Path, **columns: object) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")
    return path


def test_columns_come_back(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", name=["p", None, "p"], x=[1.5, 2.0, None], flat=[[1, 2], [3], []])
    assert read_parquet(path, 10**6, 3) == {"name": ["p", None, "p"], "x": [1.5, 2.0, None], "flat": [[1, 2], [3], []]}
    assert read_parquet(path, 10**6, 3, ("x",)) == {"x": [1.5, 2.0, None]}


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.parquet", **{name: pyarrow.nulls(1001, pyarrow.string()) for name in COLUMNS})
    for place, read in (("scan.hits", read_hits), ("scan.hit_lists", read_places)):
        monkeypatch.setattr(f"{place}.MOST_ROWS", 1000)
        with pytest.raises(ValueError, match="it may have 1000 rows at the most, and has 1001"):
            read(path)


def test_a_long_text_in_many_rows_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    text = pyarrow.DictionaryArray.from_arrays(np.zeros(10_000, np.int32), pyarrow.array(["x" * 10**6]))
    path = written(tmp_path / "a.parquet", hit=text, slide=text, x=np.zeros(10_000), y=np.zeros(10_000))
    with pytest.raises(ValueError, match=f"a text may have {MOST_TEXT} bytes at the most, and one has 1000000"):
        read_places(path)


def test_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scan.parquet.MOST_VALUES", 100)
    path = written(tmp_path / "a.parquet", rim=[[0] * 101])
    with pytest.raises(ValueError, match="it may have 100 values at the most, and has 101"):
        read_parquet(path, 10**6, 10)
