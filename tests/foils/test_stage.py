"""Where frames lie on the foil: numbers computed by hand from the formulas, and the way back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foils.errors import DataError
from foils.stage import Stage, grid_stage, read_stage

PIXEL = 6.45
# A pixel in inches, as the microscope counts.
INCH = 0.000254


def written(folder: Path, stage: object, datum: str | None = None) -> tuple[Path, Path | None]:
    """Write the files of a scan."""
    path = folder / "stage.json"
    path.write_text(stage if isinstance(stage, str) else json.dumps(stage))
    if datum is None:
        return path, None
    (folder / "datum.toml").write_text(datum)
    return path, folder / "datum.toml"


def stage_of(folder: Path, stage: object, datum: str | None = None) -> Stage:
    """Read the stage of frames as the microscope takes them."""
    return read_stage(*written(folder, stage, datum), pixel_um=PIXEL, width=640, height=480)


# Image 2 lies 1,000 pixels of 0.000254 inches to the right of image 1, and 500 pixels below it: inches point up.
TWO = {"1": [3.0, 2.0], "2": [3.0 + 1000 * INCH, 2.0 - 500 * INCH]}


def test_places_in_the_scan_are_micrometres_from_the_first_image(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, TWO)
    assert stage.on_scan("1", 320, 240) == (0, 0)
    # 10 pixels to the right, 20 down.
    assert stage.on_scan("1", 330, 260) == pytest.approx((64.5, 129.0))
    # 1000 x 0.000254 x 25,400 = 6,451.6 micrometres; 500 x ... = 3,225.8, and down is positive.
    assert stage.on_scan("2", 320, 240) == pytest.approx((6451.6, 3225.8))
    assert stage.on_scan("002", 310, 240) == pytest.approx((6451.6 - 64.5, 3225.8))


def test_places_on_the_foil_are_those_in_the_scan_over_the_pixel_where_there_are_no_holes(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, TWO)
    assert stage.on_foil("2", 320, 240) == pytest.approx((6451.6 / 6.45, 3225.8 / 6.45))


def test_a_flipped_scan_has_x_negated_on_the_frame(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, TWO, 'holes = [[1, 320, 240], ["1", 400, 300], [1, 420, 240]]\nflipped = true')
    assert stage.on_scan("1", 330, 260) == pytest.approx((-64.5, 129.0))
    assert stage.on_frame("1", *stage.on_foil("1", 330, 260)) == pytest.approx((330, 260))


def test_datum_holes_give_the_origin_and_the_x_axis(tmp_path: Path) -> None:
    # The third hole lies 300 pixels right of the first and 400 below it: theta = atan(4/3), 500 pixels away.
    stage = stage_of(tmp_path, TWO, "holes = [[1, 100, 50], [1, 200, 300], [1, 400, 450]]")
    assert stage.on_foil("1", 100, 50) == pytest.approx((0, 0))
    assert stage.on_foil("1", 400, 450) == pytest.approx((500, 0))
    # 100 pixels right of the first hole, turned by -theta: 100 (cos theta, -sin theta) = (60, -80).
    assert stage.on_foil("1", 200, 50) == pytest.approx((60, -80))


def test_a_scan_of_the_reverse_side_has_x_negated_after_the_turn(tmp_path: Path) -> None:
    # Mirrored: the third hole lies 300 pixels left of the first and 400 below it, atan(400 / -300) = -53.1 degrees.
    holes = "[[1, 500, 50], [1, 200, 300], [1, 200, 450]]"
    stage = stage_of(tmp_path, TWO, f"holes = {holes}\nreverse = true")
    # Turned by +53.1 degrees (-300, 400) comes to (-500, 0), and x is negated.
    assert stage.on_foil("1", 200, 450) == pytest.approx((500, 0))
    # 100 pixels to the left, (-100, 0), comes to (-60, -80): the same place as on the front, above.
    assert stage.on_foil("1", 400, 50) == pytest.approx((60, -80))


def test_holes_one_below_the_other_are_turned_by_a_right_angle(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, TWO, "holes = [[1, 100, 50], [1, 200, 300], [1, 100, 450]]")
    assert stage.on_foil("1", 100, 450) == pytest.approx((400, 0))


coordinates = st.floats(-5000, 5000)


@given(
    place=st.tuples(coordinates, coordinates),
    holes=st.tuples(coordinates, coordinates, coordinates, coordinates),
    flipped=st.booleans(),
    reverse=st.booleans(),
    datum=st.booleans(),
)
def test_a_place_on_the_foil_leads_back_to_its_frame(
    place: tuple[float, float], holes: tuple[float, float, float, float], flipped: bool, reverse: bool, datum: bool
) -> None:
    x_1, y_1, x_3, y_3 = holes
    three = (("1", x_1, y_1), ("2", 0.0, 0.0), ("2", x_3, y_3))
    centres = {"1": (0.0, 0.0), "2": (4100.0, -77.0)}
    stage = Stage(centres, PIXEL, 640, 480, flipped, three if datum else None, reverse)
    for slide in centres:
        assert stage.on_frame(slide, *stage.on_foil(slide, *place)) == pytest.approx(place, abs=1e-6)
    # Lengths on the foil are those in the scan, in pixels.
    across, down = (a - b for a, b in zip(stage.on_scan("1", *place), stage.on_scan("2", 0, 0), strict=True))
    length = math.dist(stage.on_foil("1", *place), stage.on_foil("2", 0, 0))
    assert length == pytest.approx(math.hypot(across, down) / PIXEL, abs=1e-6)


def test_a_grid_is_numbered_row_by_row_and_a_missing_frame_leaves_a_gap() -> None:
    stage = grid_stage(3, ["1", "2", "5"], pixel_um=2.0, width=100, height=50)
    assert stage.centres == {"1": (0, 0), "2": (200, 0), "5": (200, 100)}
    assert grid_stage(2, ["0", "3"], pixel_um=2.0, width=100, height=50).centres == {"0": (0, 0), "3": (200, 100)}
    named = grid_stage(2, ["a", "c", "d"], pixel_um=2.0, width=100, height=50)
    assert named.centres == {"a": (0, 0), "c": (200, 0), "d": (0, 100)}
    assert named.on_foil("c", 50, 25) == (100, 0)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("{", "must be as docs/data-format.md says"),
        ("[]", "must be a table, but got []"),
        ({}, "at least one image"),
        ({"1": [1.0]}, "must list 2 values, but got 1"),
        ({"1": [1.0, "2"]}, "must be a number, but got '2'"),
        ({"1": [1.0, 1e300]}, "must be from"),
        ('{"1": [1.0, NaN]}', "NaN"),
        ({"one": [1.0, 2.0]}, "named by their numbers, but got 'one'"),
        ({"1": [1.0, 2.0], "01": [1.0, 2.0]}, "must differ"),
        ('{"1": [1, 2], "1": [1, 2]}', "'1' stands twice"),
        ("[" * 100_000, "nests too deep"),
    ],
)
def test_wrong_positions_are_refused_on_one_line(stage: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        stage_of(tmp_path, stage)
    assert said in str(caught.value)
    assert "stage.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("datum", "said"),
    [
        ("holes = [", "must be as docs/data-format.md says"),
        ("reverse = true", "`holes` must be there"),
        ("holes = [[1, 2, 3], [1, 2, 4]]", "must list 3 values, but got 2"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2]]", "must list 3 values, but got 2"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2, true]]", "must be a number, but got True"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2, nan]]", "finite"),
        ("holes = [[1, 2, 3], [1, 2, 4], [7, 2, 5]]", "that stage.json lists, but got '7'"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2, 3]]", "must lie apart"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2, 5]]\nreverse = 1", "must be true or false, but got 1"),
        ("holes = [[1, 2, 3], [1, 2, 4], [1, 2, 5]]\nreversed = true", "reversed"),
    ],
)
def test_wrong_datum_holes_are_refused_on_one_line(datum: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        stage_of(tmp_path, TWO, datum)
    assert said in str(caught.value)
    assert "datum.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_placed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="slide '9' has none"):
        stage_of(tmp_path, TWO).on_foil("9", 1, 1)
    with pytest.raises(DataError, match="must be readable, but: No such file"):
        read_stage(tmp_path / "none.json", None, pixel_um=PIXEL, width=640, height=480)
    with pytest.raises(DataError, match="`pixel_um` of a scan's frames must be above 0"):
        read_stage(*written(tmp_path, TWO), pixel_um=0.0, width=640, height=480)
    with pytest.raises(DataError, match="at least 1 column"):
        grid_stage(0, ["1"], pixel_um=1.0, width=1, height=1)
    with pytest.raises(DataError, match="one stands twice"):
        grid_stage(2, ["1", "01"], pixel_um=1.0, width=1, height=1)
