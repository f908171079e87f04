"""Contact sheets: every label has its block, the sheet repeats, bad shapes are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from foils.contact_sheet import contact_sheet, save_sheet
from foils.errors import DataError


def pixels(pits: int = 9, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (pits, channels, 8, 8), dtype=np.uint8)


LABELS = ["top", "top", "candidate", "top", "candidate", "top", "top", "top", "misc"]


def test_sheet_is_large_enough_for_its_pits_and_repeats() -> None:
    sheet = contact_sheet(pixels(), LABELS, ["1", "2", "9"], per_label=4, seed=1)
    assert sheet.mode == "L"
    assert sheet.width > 2 * 3 * 8 * 3
    assert sheet.height > 4 * 8 * 3  # two rows of top, one of candidate, one of misc
    again = contact_sheet(pixels(), LABELS, ["1", "2", "9"], per_label=4, seed=1)
    assert sheet.tobytes() == again.tobytes()
    assert sheet.tobytes() != contact_sheet(pixels(), LABELS, ["1", "2", "9"], per_label=4, seed=2).tobytes()


def test_sixteen_bits_look_like_eight() -> None:
    eight = contact_sheet(pixels(), LABELS, ["1", "2", "9"])
    sixteen = contact_sheet(pixels().astype(np.uint16) * 257, LABELS, ["1", "2", "9"])
    assert np.abs(np.asarray(eight, dtype=int) - np.asarray(sixteen, dtype=int)).max() <= 1


def test_one_pit_of_one_grey_can_be_drawn() -> None:
    sheet = contact_sheet(np.full((1, 1, 8, 8), 7, np.uint8), ["top"], ["1"])
    assert np.asarray(sheet).min() < 100


@pytest.mark.parametrize(
    ("array", "labels", "names", "message"),
    [
        (np.zeros((2, 8, 8), np.uint8), ["a", "b"], ["1"], "reshape"),
        (np.zeros((2, 1, 8, 8), np.float32), ["a", "b"], ["1"], "uint8 or uint16"),
        (np.zeros((2, 1, 8, 8), np.uint8), ["a"], ["1"], "one label a pit"),
        (np.zeros((2, 1, 8, 8), np.uint8), ["a", "b"], ["1", "2"], "one name a channel"),
        (np.zeros((0, 1, 8, 8), np.uint8), [], ["1"], "ask for some"),
    ],
)
def test_shapes_that_disagree_are_refused(array: NDArray[np.uint8], labels: list[str], names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contact_sheet(array, labels, names)


def test_a_sheet_is_saved_or_refused_on_one_line(tmp_path: Path) -> None:
    sheet = contact_sheet(pixels(), LABELS, ["1", "2", "9"], names=[f"p{number}" for number in range(len(LABELS))])
    save_sheet(sheet, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as saved:
        assert saved.size == sheet.size
    for path, reason in ((tmp_path / "no" / "sheet.png", "No such file"), (tmp_path / "sheet.odd", "unknown file extension")):
        with pytest.raises(DataError, match=reason) as caught:
            save_sheet(sheet, path)
        assert len(str(caught.value).splitlines()) == 1
