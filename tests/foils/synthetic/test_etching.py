"""Pit geometry: formulas against their limits, height maps against the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from foils.synthetic.etching import (
    Cone,
    cone_half_angle_deg,
    etch,
    face_offset,
    is_etchable,
    is_etched_through,
    pit_axes,
    pit_depth,
    tip_offset,
)

RATIOS = st.floats(1.05, 6.0)
REMOVED = st.floats(5.0, 100.0)


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return frame coordinates of a square of `size` pixels, the middle one at 0, 0."""
    steps = np.arange(size, dtype=float) - size // 2
    columns, rows = np.meshgrid(steps, steps)
    return columns, rows


@given(RATIOS, REMOVED)
def test_normal_incidence_has_the_textbook_depth_and_opening(ratio: float, removed: float) -> None:
    minor, major = pit_axes(ratio, removed)
    assert minor == pytest.approx(2 * removed * math.sqrt((ratio - 1) / (ratio + 1)))
    assert major == pytest.approx(minor)
    assert pit_depth(ratio, removed) == pytest.approx(removed * (ratio - 1))
    assert tip_offset(ratio, removed, 90.0) == pytest.approx(0.0, abs=1e-9)


@given(RATIOS, REMOVED)
def test_opening_and_depth_agree_with_the_half_angle(ratio: float, removed: float) -> None:
    half_angle = math.radians(cone_half_angle_deg(ratio))
    assert pit_axes(ratio, removed)[0] / 2 == pytest.approx(pit_depth(ratio, removed) * math.tan(half_angle))


@given(RATIOS, REMOVED, st.floats(5.0, 90.0))
def test_major_axis_is_never_the_shorter_one_and_all_grows_with_the_removed_layer(
    ratio: float, removed: float, dip: float
) -> None:
    minor, major = pit_axes(ratio, removed, dip)
    assert major >= minor * (1.0 - 1e-12)
    assert pit_axes(ratio, 2 * removed, dip) == pytest.approx((2 * minor, 2 * major))
    assert is_etchable(ratio, dip) == (minor > 0.0) == (pit_depth(ratio, removed, dip) > 0.0)


def test_fast_tracks_open_to_twice_the_removed_layer() -> None:
    assert pit_axes(1e6, 40.0)[0] == pytest.approx(80.0, rel=1e-5)
    assert cone_half_angle_deg(1e6) == pytest.approx(0.0, abs=1e-4)


def test_tracks_slower_than_the_surface_leave_nothing() -> None:
    assert not is_etchable(1.5, dip_deg=30.0)
    assert pit_axes(1.5, 40.0, 30.0) == (0.0, 0.0)
    columns, rows = grid(21)
    assert not etch([Cone(0.0, 0.0, 1.5, 40.0, dip_deg=30.0)], columns, rows, 1.0).any()
    with pytest.raises(ValueError, match=r"etch_ratio=0\.5; slower tracks leave no cone"):
        cone_half_angle_deg(0.5)


def test_through_etching_sets_in_where_both_tips_meet() -> None:
    assert is_etched_through(5.0, 50.0, 90.0, 500.0)
    assert not is_etched_through(4.99, 50.0, 90.0, 500.0)
    assert not is_etched_through(5.0, 50.0, 80.0, 500.0)


def test_openings_of_both_faces_lie_apart_by_the_track_s_slant() -> None:
    assert face_offset(500.0, 90.0) == pytest.approx(0.0, abs=1e-9)
    assert face_offset(500.0, 45.0) == pytest.approx(500.0)


@pytest.mark.parametrize(("ratio", "dip"), [(1.5, 90.0), (3.0, 90.0), (2.0, 75.0), (2.5, 50.0), (4.0, 60.0)])
def test_height_map_has_the_formula_s_opening_and_depth(ratio: float, dip: float) -> None:
    removed, pixel_um = 30.0, 0.5
    columns, rows = grid(401)
    height = etch([Cone(0.0, 0.0, ratio, removed, dip, heading_deg=0.0)], columns, rows, pixel_um)
    step = pixel_um
    open_rows, open_columns = np.nonzero(height < 0.0)
    minor, major = pit_axes(ratio, removed, dip)
    assert np.ptp(open_rows) * step == pytest.approx(minor, abs=2.5 * step)
    assert np.ptp(open_columns) * step == pytest.approx(major, abs=2.5 * step)
    assert open_columns.mean() == pytest.approx(200.0, abs=1.0)  # the cone is placed by the centre of its opening
    # A steep wall overhangs the tip of a slanted fast track, so from above the pit may look shallower, never deeper.
    slack = 3.0 * step * math.sqrt(ratio**2 - 1.0)
    assert height.min() >= -pit_depth(ratio, removed, dip) - 1e-9
    if 90.0 - dip < cone_half_angle_deg(ratio):
        assert height.min() == pytest.approx(-pit_depth(ratio, removed, dip), abs=slack)


@given(RATIOS, REMOVED, st.floats(40.0, 90.0), st.floats(0.0, 360.0))
def test_turning_the_heading_turns_the_pit(ratio: float, removed: float, dip: float, heading: float) -> None:
    assume(90.0 - dip < cone_half_angle_deg(ratio))  # an overhanging wall is a cliff, where rounding decides
    columns, rows = grid(41)
    turned = etch([Cone(0.0, 0.0, ratio, removed, dip, heading + 90.0)], columns, rows, 5.0)
    still = etch([Cone(0.0, 0.0, ratio, removed, dip, heading)], columns, rows, 5.0)
    assert np.isfinite(still).all()
    assert np.allclose(turned, np.rot90(still), atol=1e-6)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), RATIOS), max_size=4))
def test_more_pits_never_raise_the_surface(pits: list[tuple[float, float, float]]) -> None:
    columns, rows = grid(25)
    cones = [Cone(x, y, ratio, 6.0) for x, y, ratio in pits]
    height = etch(cones, columns, rows, 1.0)
    assert height.max() <= 0.0
    assert (height <= etch(cones[:1], columns, rows, 1.0)).all()


def test_rounded_tips_are_shallower_but_open_as_wide() -> None:
    columns, rows = grid(81)
    sharp = etch([Cone(0.0, 0.0, 2.0, 30.0)], columns, rows, 1.0)
    blunt = etch([Cone(0.0, 0.0, 2.0, 30.0, tip_um=8.0)], columns, rows, 1.0)
    assert blunt.min() == pytest.approx(sharp.min() + 8.0)
    assert np.count_nonzero(blunt < 0.0) > 0.9 * np.count_nonzero(sharp < 0.0)


def test_pits_outside_the_window_are_left_out() -> None:
    columns, rows = grid(11)
    assert not etch([Cone(500.0, 0.0, 2.0, 30.0), Cone(0.0, -500.0, 2.0, 30.0)], columns, rows, 1.0).any()
