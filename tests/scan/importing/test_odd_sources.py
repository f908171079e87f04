"""Sources that are a little odd: what is read of them all the same, and what is left out and counted."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from scan.errors import ScanError
from scan.importing.run import ImportOptions, import_source
from tests.support.sources import (
    CROPS,
    LABELS,
    SIGNAL,
    folders,
    zooniverse,
)


def test_pits_at_a_border_are_left_out_and_counted(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    cells = [crop[8].ravel().tolist() for crop in CROPS]
    cells[12] = cells[12][:60]
    pyarrow.parquet.write_table(pyarrow.table({"b": cells, "label": LABELS}), tmp_path / "pits.parquet")
    imported = import_source(tmp_path / "pits.parquet", tmp_path / "data", SIGNAL)
    assert len(imported.data) == 12
    assert imported.notes == ("1 pits of pits.parquet left out: their images are not all 12 x 12, as at a frame's border",)


def test_a_dark_crop_is_read_as_the_others_of_its_column(tmp_path: Path) -> None:
    for name, full_scale in (("whole", 1), ("scaled", 255)):
        backlit = CROPS[:, 8].astype(np.float64)
        backlit[3], backlit[3, 5, 5] = 0, 1  # all its values are 0 or 1
        (tmp_path / name).mkdir()
        for label in ("sig", "bkg"):
            of = [index for index, one in enumerate(LABELS) if one == label]
            np.savez(tmp_path / name / f"{label}.npz", b=backlit[of] / full_scale)
        data = import_source(tmp_path / name, tmp_path / f"{name}-data", SIGNAL).data
        assert data.pixels.dtype == np.uint8
        assert sorted(int(crop.sum()) for crop in data.crops())[0] == 1
    # Of 16 bits, a dark crop is no crop of 8 bits.
    deep = CROPS[:, 8].astype(np.int64) * 200
    deep[3] = 7
    (tmp_path / "deep").mkdir()
    np.savez(tmp_path / "deep" / "pits.npz", b=deep, label=np.array(LABELS))
    data = import_source(tmp_path / "deep", tmp_path / "deep-data", SIGNAL).data
    assert np.array_equal(data.crops()[:, 0], deep)


def test_rows_of_unequal_length_are_left_out_and_names_are_made_of_files_names(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    cells = [crop[8].tolist() for crop in CROPS]
    cells[12][4] = cells[12][4][:5]
    pyarrow.parquet.write_table(pyarrow.table({"b": cells, "label": LABELS}), tmp_path / "my pits.parquet")
    data = import_source(tmp_path / "my pits.parquet", tmp_path / "data", SIGNAL).data
    assert [pit.pit for pit in data.pits] == [f"my_pits-{number:05d}" for number in range(12)]
    source = folders(tmp_path / "source")
    for file in [*source.glob("sig/*_1.png")]:
        file.rename(file.with_name(file.name.replace("p0", "pit 0")))
    for file in [*source.glob("sig/p0*")]:
        file.rename(file.with_name(file.name.replace("p0", "pit 0")))
    assert {pit.pit[:4] for pit in import_source(source, tmp_path / "named", SIGNAL).data.pits if pit.label == "sig"} == {
        "pit_"
    }


def test_an_image_of_ome_zarr_is_a_stack_of_its_times_or_its_planes(tmp_path: Path) -> None:
    import zarr

    (tmp_path / "labels.csv").write_text("label\n" + "".join(f"{label}\n" for label in LABELS))
    for name, values in (("times", CROPS[:, :, None]), ("planes", np.moveaxis(CROPS, 0, 1)[None])):
        zarr.create_group(str(tmp_path / f"{name}.zarr"), zarr_format=2).create_array("0", data=np.ascontiguousarray(values))
        data = import_source(tmp_path / f"{name}.zarr", tmp_path / name, SIGNAL).data
        assert np.array_equal(data.crops(), CROPS)


def test_a_classification_without_an_answer_is_left_out(tmp_path: Path) -> None:
    zoo = zooniverse(tmp_path / "zoo")
    rows = list(csv.reader(io.StringIO(zoo.read_text())))
    rows[1][2] = json.dumps([{"task": "T0", "value": None}])  # Ann's first: her second counts then
    with zoo.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    imported = import_source(zoo, tmp_path / "data", SIGNAL)
    assert imported.notes[0] == "1 classifications without an answer left out"
    assert imported.data.pits[0].further == (("votes", "3"), ("vote_share", "0.667"))
    with pytest.raises(ScanError, match="`0 < votes <= 1` must hold, but got nan"):
        import_source(zoo, tmp_path / "new", ImportOptions(signal="sig", votes=float("nan")))
