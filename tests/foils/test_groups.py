"""Groups: identical and overlapping pits are one, also by way of a third; pits that only touch are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foils import DataError, load
from foils.crops import corner
from foils.groups import group_pits
from foils.pit import Pit
from tests.support.tiny import write_dataset

CROP = 9


def pits(*places: tuple[float, float] | None, slide: str = "1", foil: str = "f") -> list[Pit]:
    return [
        Pit(f"p{number}", "top", foil, slide, *(place if place is not None else (None, None)))
        for number, place in enumerate(places)
    ]


def different(count: int) -> npt.NDArray[np.uint8]:
    """Crops that all differ, `[pits, 1, 2, 2]`."""
    return np.arange(4 * count, dtype=np.uint8).reshape(count, 1, 2, 2)


def together(groups: npt.NDArray[np.int64]) -> list[set[int]]:
    """The groups as sets of pits, the first pit's first."""
    return [set(np.flatnonzero(groups == group).tolist()) for group in dict.fromkeys(groups.tolist())]


def test_pits_with_the_same_pixels_are_one_group_wherever_they_lie() -> None:
    pixels = different(4)
    pixels[3] = pixels[1]
    found = [*pits((0, 0), (50, 0), None), Pit("q", "top", "g", "7")]
    assert together(group_pits(found, pixels, CROP)) == [{0}, {1, 3}, {2}]


def test_one_other_pixel_keeps_pits_apart() -> None:
    pixels = np.zeros((2, 3, 4, 4), np.uint16)
    pixels[:, 0, 0, 0] = 9
    assert together(group_pits(pits(None, None), pixels, CROP)) == [{0, 1}]
    pixels[1, 2, 3, 3] = 1
    assert together(group_pits(pits(None, None), pixels, CROP)) == [{0}, {1}]


@pytest.mark.parametrize(
    ("place", "overlaps"),
    [
        ((8, 0), True),
        ((0, -8), True),
        ((8, 8), True),
        ((8.99, 8.99), True),
        ((9, 0), False),
        ((0, 9), False),
        ((-9, 3), False),
        ((8, 9), False),
        ((100, 0), False),
    ],
)
def test_pits_overlap_when_nearer_than_a_crop_along_both_axes(place: tuple[float, float], overlaps: bool) -> None:
    assert (len(together(group_pits(pits((0, 0), place), different(2), CROP))) == 1) is overlaps


def test_groups_join_through_a_third_pit() -> None:
    pixels = different(5)
    pixels[4] = pixels[3]
    found = [*pits((0, 0), (8, 0), (16, 0), (90, 90)), Pit("q", "top", "f", "1", 24, 0)]
    assert together(group_pits(found, pixels, CROP)) == [{0, 1, 2, 3, 4}]


def test_the_same_place_on_another_slide_or_foil_is_other_plastic() -> None:
    found = [*pits((5, 5)), *pits((5, 5), slide="2"), *pits((5, 5), foil="g")]
    assert together(group_pits(found, different(3), CROP)) == [{0}, {1}, {2}]


def test_a_single_pit_is_a_group() -> None:
    assert group_pits(pits(None), different(1), CROP).tolist() == [0]


@example(places=[(1, 1), (10, 1)], crop=9, shift=0.5)  # halves rounded to even would part these by eight pixels
@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12, unique=True),
    st.sampled_from([8, 9, 12]),
    st.sampled_from([0.0, 0.5, 0.25]),
)
def test_pits_that_share_a_pixel_of_the_frame_share_a_group(places: list[tuple[int, int]], crop: int, shift: float) -> None:
    found = pits(*((x + shift, y + shift) for x, y in places))
    groups = group_pits(found, different(len(found)), crop)
    corners = [corner(pit.x or 0.0, pit.y or 0.0, crop) for pit in found]
    for first, (x1, y1) in enumerate(corners):
        for second, (x2, y2) in enumerate(corners):
            if abs(x1 - x2) < crop and abs(y1 - y2) < crop:
                assert groups[first] == groups[second]


def test_loading_says_what_shares_plastic(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6}, slides=2)
    lines = (folder / "labels.csv").read_text().splitlines()
    top = next(line.split(",")[0] for line in lines if ",top," in line and ",1," in line)
    signal = next(line.split(",")[0] for line in lines if ",candidate," in line and ",2," in line)
    for path in (folder / "crops").glob(f"{top}_*.png"):
        path.with_name(path.name.replace(top, signal)).write_bytes(path.read_bytes())
    data = load(folder)
    names = [pit.pit for pit in data.pits]
    assert data.groups[names.index(top)] == data.groups[names.index(signal)]
    assert data.notes == (
        "2 pits share plastic with another (identical or overlapping crops), in 1 groups, 1 of them across slides, 1 with "
        "different labels; each group stays in one fold",
    )


def test_pits_that_overlap_on_the_stage_are_one_group(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6}, slides=3)
    before = load(folder)
    lines = (folder / "labels.csv").read_text().splitlines()
    places = {1: (500.0, 500.0), 5: (511.9, 488.1), 8: (512.0, 500.0), 9: (9000.0, 9000.0)}  # pixels of 1 um, crops of 12
    cells = [",".join(map(str, places.get(number, ("", "")))) for number in range(12)]
    rows = [f"{line},{place}" for line, place in zip(lines[1:], cells, strict=True)]
    (folder / "labels.csv").write_text("\n".join([f"{lines[0]},stage_x_um,stage_y_um", *rows]) + "\n")
    with pytest.raises(DataError, match="places on the stage must come with the size of a pixel"):
        load(folder)
    (folder / "foil.toml").write_text("pixel_um = 1\n" + (folder / "foil.toml").read_text())
    data = load(folder)
    assert [members for members in together(data.groups) if len(members) > 1] == [{1, 5, 8}]
    assert len(together(before.groups)) == 12
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text().replace("511.9", "512.9"))
    other = load(folder)
    assert [members for members in together(other.groups) if len(members) > 1] == [{5, 8}]
    assert other.fingerprint != data.fingerprint
