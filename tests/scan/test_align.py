"""Two faces lined up: planted transforms are found again, noise is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan.align import align
from scan.errors import ScanError
from scan.place_list import Floats, PointList
from scan.rigid import Rigid, as_complex, fit, plain, rigid

FOIL = (8000.0, 6000.0)


def listed(points: Floats) -> PointList:
    """Give a list of one face."""
    return PointList(points, np.zeros(len(points), np.int64))


def faces(seed: int, common: int, single: int, transform: Rigid, size: tuple[float, float] = FOIL) -> tuple[Floats, Floats]:
    """Scatter hits of both faces and of a single one; the back's are such that the transform brings them to the front."""
    random = np.random.default_rng(seed)
    both = random.uniform(0, size, (common, 2))
    front = np.concatenate([both + random.normal(0, 2, both.shape), random.uniform(0, size, (single, 2))])
    back = np.concatenate([both, random.uniform(0, size, (single, 2))])
    turned = (as_complex(back) - complex(transform.shift_x, transform.shift_y)) / np.exp(1j * math.radians(transform.angle_deg))
    back = plain(turned)
    if transform.mirrored:
        back[:, 0] *= -1
    return front, back


@given(
    angle=st.floats(-179, 179),
    shift=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    mirrored=st.booleans(),
    seed=st.integers(0, 100),
)
def test_a_fit_gives_a_planted_transform_back(angle: float, shift: tuple[float, float], mirrored: bool, seed: int) -> None:
    transform = Rigid(angle, *shift, mirrored)
    points = np.random.default_rng(seed).uniform(-1000, 1000, (5, 2))
    fitted = rigid(*fit(as_complex(points, mirrored=mirrored), as_complex(transform(points))), mirrored)
    np.testing.assert_allclose(fitted(points), transform(points), atol=1e-6)
    assert fitted.angle_deg == pytest.approx(angle, abs=1e-6)


@pytest.mark.parametrize(
    ("seed", "common", "single", "transform"),
    [
        (0, 40, 40, Rigid(2.0, 130.0, -40.0, True)),
        (1, 40, 80, Rigid(-7.5, 9000.0, 30.0, True)),
        (2, 30, 30, Rigid(178.0, -500.0, 4000.0, True)),
        (3, 40, 40, Rigid(0.1, -10.0, 7.0, False)),
        (4, 14, 6, Rigid(33.0, 0.0, 0.0, False)),
    ],
)
def test_planted_transforms_are_found_among_hits_of_one_face(seed: int, common: int, single: int, transform: Rigid) -> None:
    front, back = faces(seed, common, single, transform)
    alignment = align(listed(front), listed(back), mirror=transform.mirrored)
    planted = {*alignment.pairs[alignment.pairs[:, 0] < common, 0]}
    assert len(planted) >= 0.95 * common
    assert all(first == second for first, second in alignment.pairs if first < common)
    assert len(alignment.pairs) <= common + 3 + single // 20
    # To the middle of the foil within a pixel or two, and the residuals are those of the scatter.
    np.testing.assert_allclose(alignment.transform(back[:common]).mean(axis=0), transform(back[:common]).mean(axis=0), atol=2)
    assert alignment.transform.angle_deg == pytest.approx(transform.angle_deg, abs=0.1)
    assert 1 < alignment.deviation[0] < 4
    assert alignment.chance < len(alignment.pairs) / 2


def test_the_same_seed_gives_the_same_alignment() -> None:
    front, back = (listed(points) for points in faces(5, 20, 20, Rigid(1.0, 5.0, 5.0, True)))
    one, other = align(front, back, seed=3), align(front, back, seed=3)
    assert one.transform == other.transform
    assert one.chance == other.chance


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("single", [8, 30])
def test_noise_is_refused(seed: int, single: int) -> None:
    front, back = faces(seed, 0, single, Rigid(0.0, 0.0, 0.0))
    with pytest.raises(ScanError, match=r"better than by chance, but \d+ do, of \d+, .*; give faces with more hits in common"):
        align(listed(front), listed(back))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_noise_of_many_hits_is_refused(seed: int) -> None:
    front, back = faces(seed, 0, 1500, Rigid(0.0, 0.0, 0.0), (12_800, 12_000))
    with pytest.raises(ScanError, match="better than by chance"):
        align(listed(front), listed(back))


def test_the_other_handedness_is_told() -> None:
    front, back = faces(6, 30, 10, Rigid(3.0, 0.0, 0.0, False))
    with pytest.raises(ScanError, match=r"with --no-mirror 3\d do"):
        align(listed(front), listed(back))
    front, back = faces(6, 30, 10, Rigid(3.0, 0.0, 0.0, True))
    with pytest.raises(ScanError, match=r"leave --no-mirror out, then 3\d do"):
        align(listed(front), listed(back), mirror=False)


def test_a_pattern_that_lines_up_in_many_ways_is_refused() -> None:
    across, down = np.meshgrid(np.arange(8) * 300.0, np.arange(8) * 300.0)
    grid = np.column_stack([across.ravel(), down.ravel()])
    with pytest.raises(ScanError, match=r"must line up in one way|better than by chance"):
        align(listed(grid), listed(grid))


def test_what_cannot_be_lined_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    few, some = listed(np.zeros((3, 2))), listed(np.random.default_rng(0).uniform(0, 1000, (40, 2)))
    with pytest.raises(ScanError, match="at least 6 hits each to be lined up, but got 3"):
        align(few, some)
    with pytest.raises(ScanError, match="must be above 0, but got 0"):
        align(some, some, radius=0)
    with pytest.raises(ScanError, match="better than by chance, but 0 do"):  # all at one place
        align(listed(np.zeros((10, 2))), listed(np.zeros((10, 2))))
    monkeypatch.setattr("scan.align.MOST_PAIRS", 1)
    with pytest.raises(ScanError, match="better than by chance, but 0 do"):  # too dense to make guesses
        align(some, some)
