"""Lighting: turning the foil permutes the lights, the far face reverses the gradient, the camera is honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foils.synthetic.etching import Cone, etch
from foils.synthetic.lighting import (
    QMUL_RIG,
    Camera,
    Exposure,
    Faces,
    Optics,
    draw_exposure,
    expose,
    illuminate,
    light_direction,
    shade,
)

Floats = NDArray[np.float64]
ROTATING = QMUL_RIG[:8]
AZIMUTHS = [light.azimuth_deg for light in ROTATING if light.azimuth_deg is not None]
SIZE = 25


def flat() -> Floats:
    return np.zeros((SIZE, SIZE))


def pit(ratio: float = 1.8, x: float = 12.0, y: float = 12.0) -> Floats:
    columns, rows = np.meshgrid(np.arange(SIZE, dtype=float), np.arange(SIZE, dtype=float))
    return etch([Cone(x, y, ratio, 40.0)], columns, rows, 6.45)


def lit(top: Floats, bottom: Floats) -> Floats:
    return illuminate(Faces(top, bottom, np.ones_like(top), np.ones_like(top)), QMUL_RIG, Optics())


def order_after(turn: dict[str, float]) -> list[int]:
    """Return which old light stands where each new one stands, for azimuths that move by sign * a + offset."""
    moved = [(turn["sign"] * azimuth + turn["offset"]) % 360.0 for azimuth in AZIMUTHS]
    return [moved.index(azimuth) for azimuth in AZIMUTHS]


def test_the_rig_is_qmul_s() -> None:
    assert AZIMUTHS == [67.5, 112.5, 157.5, 202.5, 247.5, 292.5, 337.5, 22.5]
    assert [light.name for light in QMUL_RIG] == [str(k) for k in range(1, 11)]
    assert order_after({"sign": -1.0, "offset": 180.0}) == [1, 0, 7, 6, 5, 4, 3, 2]  # 2 1 8 7 6 5 4 3
    assert order_after({"sign": 1.0, "offset": 90.0}) == [6, 7, 0, 1, 2, 3, 4, 5]  # rolled by two


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.5, 12.0))
def test_flips_and_turns_of_the_foil_permute_the_lights(seed: int, roughness: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(7.0, 17.0, 2)
    top = pit(rng.uniform(1.2, 4.0), x, y) + roughness * rng.normal(size=(SIZE, SIZE))
    bottom = pit(rng.uniform(1.2, 4.0), y, x)
    images = lit(top, bottom)
    flipped, turned = lit(np.fliplr(top), np.fliplr(bottom)), lit(np.rot90(top), np.rot90(bottom))
    mirror, quarter = order_after({"sign": -1.0, "offset": 180.0}), order_after({"sign": 1.0, "offset": 90.0})
    assert np.allclose(flipped, np.flip(images[[*mirror, 8, 9]], axis=2), atol=1e-9)
    assert np.allclose(turned, np.rot90(images[[*quarter, 8, 9]], axes=(1, 2)), atol=1e-9)


def test_flat_clean_foil_is_one_everywhere() -> None:
    images = lit(flat(), flat())
    assert np.allclose(images[:8], 1.0)
    assert np.allclose(images[8], 1.0, atol=1e-6)
    assert np.allclose(images[9], 1.0)


def test_a_slope_that_faces_the_light_is_bright() -> None:
    ramp = np.tile(-0.5 * np.arange(SIZE, dtype=float), (SIZE, 1))  # falls to the right: its normal leans right
    right, left = shade(ramp, [0.0, 180.0], Optics())
    assert right.mean() > 1.0 > left.mean()
    assert light_direction(90.0) == pytest.approx((0.0, -1.0))  # azimuth 90 is up, where rows are small


def test_the_wall_far_from_the_light_shines_on_top_and_is_dark_on_the_bottom_face() -> None:
    towards = np.arange(SIZE) - 12.0  # columns towards the right, where azimuth 0 stands
    pull = []
    for top, bottom in ((pit(), flat()), (flat(), pit())):
        images = lit(top, bottom)
        towards_right = images[[7, 6]].sum(axis=0) - images[[2, 3]].sum(axis=0)  # lights 8, 7 against 3, 4
        pull.append(float((towards_right * towards).sum()))
    assert pull[0] < 0.0 < pull[1]


def test_the_bottom_face_is_fainter_and_softer() -> None:
    top, bottom = lit(pit(), flat())[:8], lit(flat(), pit())[:8]
    assert top.std() > 1.5 * bottom.std() > 0.0
    assert np.abs(np.diff(top, axis=2)).max() > 2.0 * np.abs(np.diff(bottom, axis=2)).max()


def test_opposite_lights_cancel_on_gentle_slopes() -> None:
    gentle = 0.02 * pit()
    images = shade(gentle, AZIMUTHS, Optics(gloss=0.0))
    opposite = images - 1.0
    assert np.abs(opposite.mean(axis=0)).max() < 0.05 * np.abs(opposite).max()
    assert np.allclose(opposite[:4], -opposite[4:], atol=0.05 * np.abs(opposite).max())


def test_backlit_walls_are_dark_and_tips_and_holes_bright() -> None:
    height = pit(2.5)
    wall, middle = lit(height, flat())[8][12, 9], (12, 12)
    assert wall < 0.3
    blunt = np.maximum(height, -25.0)
    assert lit(blunt, flat())[8][middle] > 2.0 * wall
    hole = pit(12.0)
    assert lit(hole, hole)[8][middle] > 0.6


def test_dust_darkens_every_channel_alike() -> None:
    cover = np.ones((SIZE, SIZE))
    cover[8:17, 8:17] = 0.3
    images = illuminate(Faces(flat(), flat(), np.ones_like(cover), cover), QMUL_RIG, Optics())
    assert np.allclose(images, images[0], atol=1e-6)
    assert images[0, 12, 12] == pytest.approx(0.3, abs=1e-3)


def test_defocus_follows_thickness_and_aperture() -> None:
    assert Optics().defocus_px == pytest.approx(500.0 / 1.58 * 0.05 / 2.0 / 6.45, rel=0.01)
    assert Optics(thickness_um=1000.0).defocus_px == pytest.approx(2.0 * Optics().defocus_px)


def test_noise_of_the_camera_has_the_variance_it_promises() -> None:
    camera = Camera(vignetting=0.0, slant=0.0)
    images = np.ones((10, 64, 64))
    still = Exposure(np.ones(10), np.zeros((10, 2)))
    white = np.random.default_rng(0).normal(size=images.shape)
    place = (np.zeros((64, 64)), np.zeros((64, 64)))
    greys = expose(images, QMUL_RIG, still, camera, place, white).astype(float)
    expected = np.sqrt(camera.level_rotating / camera.electrons_per_grey + camera.read_grey**2 + 1.0 / 12.0)
    assert greys[0].mean() == pytest.approx(camera.level_rotating, abs=0.2)
    assert greys[:8].std() == pytest.approx(expected, rel=0.03)
    assert greys[8].mean() == pytest.approx(camera.level_backlit, abs=0.2)


def test_exposures_repeat_with_their_generator() -> None:
    first, second = (draw_exposure(np.random.default_rng(3), QMUL_RIG, Camera()) for _ in range(2))
    assert np.array_equal(first.gains, second.gains)
    assert np.abs(first.shifts).max() <= 1.0
