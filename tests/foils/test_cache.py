"""What the cache gives is what was written under the same key, by this user, to the last bit; anything else is missing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from foils.atomic_write import temporary_name
from foils.cache import END, LEFT_OVER_S, map_cached, read_cached, write_cached

KEY, CONTENT = "all that it follows from", bytes(range(256)) * 20
ARRAY = np.arange(600, dtype=np.uint16).reshape(2, 3, 10, 10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of a file in a cache that is not there yet."""
    return tmp_path / "cache" / "members-1.safetensors"


def put(path: Path, key: str = KEY, content: bytes = CONTENT) -> Path:
    write_cached(path, key, lambda stream: stream.write(content))
    return path


def put_array(path: Path) -> Path:
    write_cached(path, KEY, partial(np.save, arr=ARRAY, allow_pickle=False))
    return path


def test_what_was_written_comes_back(file: Path) -> None:
    assert read_cached(put(file), KEY) == CONTENT
    assert read_cached(put(file, content=b""), KEY) == b""
    mapped = map_cached(put_array(file), KEY)
    assert mapped is not None
    assert mapped.dtype == np.uint16
    np.testing.assert_array_equal(mapped, ARRAY)
    mapped[0] = 0  # this copy alone
    again = map_cached(file, KEY)
    assert again is not None
    np.testing.assert_array_equal(again, ARRAY)


@pytest.mark.parametrize("place", [0, 1000, 20 * 256 - 1, 20 * 256, -40, -1])
@pytest.mark.parametrize("bit", [0, 7])
def test_one_flipped_bit_anywhere_is_noticed(file: Path, place: int, bit: int) -> None:
    for write, read in ((put, read_cached), (put_array, map_cached)):
        content = bytearray(write(file).read_bytes())
        content[min(place, len(content) - 1)] ^= 1 << bit
        file.write_bytes(content)
        assert read(file, KEY) is None
        write(file)
        assert read(file, KEY) is not None


@pytest.mark.parametrize("length", [0, 1, END - 1, END, 100, -END, -1])
def test_a_file_that_was_cut_short_or_grew_is_missing(file: Path, length: int) -> None:
    for write, read in ((put, read_cached), (put_array, map_cached)):
        whole = write(file).read_bytes()
        for content in (whole[:length], whole + whole[:length] + b"x"):
            file.write_bytes(content)
            assert read(file, KEY) is None


def test_a_file_of_another_key_is_missing(file: Path) -> None:
    put(file, "another")
    assert read_cached(file, KEY) is None
    assert read_cached(file, "another") == CONTENT


def linked(file: Path) -> None:
    other = put(file.with_name("other"))
    file.unlink()
    file.symlink_to(other)


def foreign(file: Path) -> None:
    os.chown(file, 4711, 4711)


def fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def endless(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize("change", [linked, foreign, fifo, folder, endless])
def test_only_a_regular_file_of_ones_own_counts(file: Path, change: Callable[[Path], None]) -> None:
    if change is foreign and os.geteuid():
        change = linked  # nobody but root can give a file away
    for write, read in ((put, read_cached), (put_array, map_cached)):
        write(file)
        change(file)
        assert read(file, KEY) is None
        if change is folder:
            file.rmdir()
        else:
            file.unlink()


def test_no_other_user_can_read_or_write(tmp_path: Path, file: Path) -> None:
    before = os.umask(0)
    try:
        put(file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_in_a_files_place_is_replaced_and_not_written_through(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "precious"
    other.write_bytes(b"precious")
    file.parent.mkdir()
    file.symlink_to(other)
    assert read_cached(put(file), KEY) == CONTENT
    assert other.read_bytes() == b"precious"


def test_what_a_process_that_died_left_half_written_is_removed_after_a_day(file: Path) -> None:
    put(file)
    old, young, foreign_file = temporary_name(file), temporary_name(file), file.with_name("thesis.txt.1234")
    for path in (old, young, foreign_file):
        path.touch()
    for path in (old, foreign_file):
        os.utime(path, times=(0, path.stat().st_mtime - LEFT_OVER_S - 1))
    put(file)
    assert set(file.parent.iterdir()) == {file, young, foreign_file}
