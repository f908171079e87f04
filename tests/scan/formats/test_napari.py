"""Points for napari, read by pandas."""

from __future__ import annotations

from pathlib import Path

import pandas

from scan.formats.napari import write_napari
from tests.support.formats import HITS, context


def test_pandas_reads_points_and_properties(tmp_path: Path) -> None:
    write_napari(HITS, tmp_path, context())
    table = pandas.read_csv(tmp_path / "napari" / "c1_s2_points.csv")
    # By these napari knows a table of points.
    assert list(table.columns[:3]) == ["index", "axis-0", "axis-1"]
    assert table["index"].tolist() == [0, 1]
    assert table["axis-0"].tolist() == [50.5, 200]
    assert table["axis-1"].tolist() == [100.25, 30]
    assert table["p_signal"].tolist() == [0.9, 0.25]
    other = pandas.read_csv(tmp_path / "napari" / "c1_s10_points.csv")
    assert other["class"].tolist() == ["Signal, or so"]
