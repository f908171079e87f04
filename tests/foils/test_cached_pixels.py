"""Packed pixels that are not as they were written, or whose images change under the reader, are never used."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

import foils.crops
from foils import DataError, load
from foils.cache import END
from foils.image_files import open_file
from tests.support.tiny import write_dataset


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that is not there yet."""
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("damage", ["zeroed", "another type"])
def test_packed_pixels_that_were_changed_are_packed_again(tmp_path: Path, cache: Path, damage: str) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6})
    path = load(folder).pixels_file
    good, crops = path.read_bytes(), load(folder).crops()
    if damage == "zeroed":
        path.write_bytes(good[:200] + bytes(len(good) - 200 - END) + good[-END:])
    else:
        np.save(path, crops.astype(np.uint16))
    np.testing.assert_array_equal(load(folder).crops(), crops)
    assert path.read_bytes() == good


def test_packed_pixels_that_change_after_loading_are_refused(tmp_path: Path, cache: Path) -> None:
    data = load(write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6}))
    data.pixels_file.unlink()
    with pytest.raises(DataError, match="packed pixels must be as they were written, by this user, but are missing or changed"):
        data.crops()


def test_files_that_change_while_they_are_read_are_not_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6})

    def changing(path: Path, most: int) -> BinaryIO:
        if path.name == "p000_1.png":
            (folder / "crops" / "p003_9.png").write_bytes((folder / "crops" / "p004_9.png").read_bytes())
        return open_file(path, most)

    monkeypatch.setattr(foils.crops, "open_file", changing)
    with pytest.raises(DataError, match=r"crops/p003_9\.png: .* the file was written while the data set was read"):
        load(folder)
    assert not cache.exists()
