"""The file `foil.toml` itself: missing, in another encoding, with a mark at its start, no TOML, hostile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from foils.description import read_description
from tests.support.descriptions import GOOD, read


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    _, faults = read(tmp_path, GOOD.replace('"mine"', '"mine'))
    assert faults == [
        "foil.toml: the file must be readable TOML, but: Illegal character '\\n' (at line 1, column 13); correct it."
    ]


def test_a_mark_at_the_start_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "foil.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    faults: list[str] = []
    assert read_description(tmp_path, faults) is not None
    assert faults == []


def test_the_bits_of_a_camera_come_through(tmp_path: Path) -> None:
    description, _ = read(tmp_path, GOOD.replace("pixel_um", "bits = 12\npixel_um"))
    assert description is not None
    assert description.bits == 12


def test_a_folder_without_the_file_is_refused(tmp_path: Path) -> None:
    faults: list[str] = []
    assert read_description(tmp_path, faults) is None
    assert faults == [f"foil.toml: a data set needs this file, but {tmp_path} has none; see docs/data-format.md."]


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foil.toml").write_bytes(GOOD.replace("mine", "grün").encode("latin-1"))
    faults: list[str] = []
    assert read_description(tmp_path, faults) is None
    assert len(faults) == 1
    assert faults[0].startswith("foil.toml: the file must be readable TOML, but: 'utf-8' codec can't decode")


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        (f"crop = {'[' * 1990}{']' * 1990}", "tables and arrays may lie 20 deep at the most"),
        (f"crop = {'9' * 3990}", "whole numbers must fit into 64 bits"),
        ("\n".join(f"k{number} = 1" for number in range(150_000)), "it has "),
    ],
)
def test_a_hostile_file_is_one_fault_at_once(tmp_path: Path, text: str, clause: str) -> None:
    start = time.process_time()
    description, faults = read(tmp_path, text)
    assert description is None
    assert len(faults) == 1
    assert faults[0].startswith(f"foil.toml: the file must be readable TOML, but: {clause}")
    assert time.process_time() - start < 1
