"""Small files that unpack to more than a machine holds, pipes, and names that lead elsewhere are refused at once."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.importing.run import ImportOptions, import_source
from tests.support.sources import zooniverse

SIGNAL = ImportOptions(signal="sig")


def npz(path: Path, shape: tuple[int, ...], content: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("rim.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
        stream.write(content)
    return path


def labels(folder: Path) -> None:
    (folder / "labels.csv").write_text("label\nsig\nbg\n")


def test_an_array_that_says_it_is_larger_than_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"rim\.npy says that it has more values than there are"):
        import_source(npz(tmp_path / "sig.npz", (10**13, 28, 28, 8)), tmp_path / "data", SIGNAL)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scan.importing.tables.MOST_BYTES", 2**20)
    with pytest.raises(ScanError, match="it may unpack to 1048576 bytes at the most"):
        import_source(npz(tmp_path / "sig.npz", (2**21,), bytes(2**21)), tmp_path / "data", SIGNAL)


def test_a_stack_whose_crops_are_none_is_refused_before_it_is_read(tmp_path: Path) -> None:
    labels(tmp_path)
    stack = tmp_path / "bomb.zarr"
    zarr.create_array(stack, shape=(2, 10, 100_000, 100_000), chunks=(1, 1, 1000, 1000), dtype="float32", zarr_format=2)
    with pytest.raises(ScanError, match="1024 pixels an edge at the most"):
        import_source(stack, tmp_path / "data", SIGNAL)
    chunk = tmp_path / "chunk.zarr"
    zarr.create_array(chunk, shape=(2, 10, 28, 28), chunks=(1, 10, 100_000, 100_000), dtype="uint8", zarr_format=2)
    with pytest.raises(ScanError, match="a chunk must have"):
        import_source(chunk, tmp_path / "data", SIGNAL)
    pixels = np.zeros((2, 8, 1030, 1030), np.uint8)
    options: dict[str, Any] = {"ome": True, "photometric": "minisblack", "compression": "zlib", "metadata": {"axes": "ZCYX"}}
    tifffile.imwrite(tmp_path / "bomb.ome.tif", pixels, **options)
    with pytest.raises(ScanError, match="1024 pixels an edge at the most"):
        import_source(tmp_path / "bomb.ome.tif", tmp_path / "data", SIGNAL)


def test_a_pipe_in_place_of_a_stack_is_not_waited_for(tmp_path: Path) -> None:
    labels(tmp_path)
    os.mkfifo(tmp_path / "pipe.ome.tif")
    with pytest.raises(PitsearchError):
        import_source(tmp_path / "pipe.ome.tif", tmp_path / "data", ImportOptions("stack", signal="sig"))


def test_an_image_that_an_export_names_elsewhere_is_looked_for_in_its_own_folder(tmp_path: Path) -> None:
    export = zooniverse(tmp_path / "zoo")
    export.write_text(export.read_text().replace('image_1"": ""', 'image_1"": ""../../../etc/'))
    import_source(export, tmp_path / "data", SIGNAL)
    assert (tmp_path / "data" / "labels.csv").is_file()


@pytest.mark.parametrize("name", ["../../out", "/tmp/out", "a/b", ".."])
def test_a_name_of_a_table_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    labels(tmp_path)
    (tmp_path / "labels.csv").write_text(f"label,pit\nsig,{name}\nbg,p2\n")
    options: dict[str, Any] = {"ome": True, "photometric": "minisblack", "metadata": {"axes": "ZCYX"}}
    tifffile.imwrite(tmp_path / "s.ome.tif", np.zeros((2, 8, 12, 12), np.uint8), **options)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PitsearchError, match="`pit` must be letters"):
        import_source(tmp_path / "s.ome.tif", tmp_path / "data", SIGNAL)
    assert sorted(tmp_path.rglob("*")) == before
