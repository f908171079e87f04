"""Line up the hits of two faces of a foil, or of two foils of a stack, by a rigid transform that nobody has to guess.

A hit on both faces, lined up along the track, is the signature. Which hits belong together is not known beforehand: a pair of
hits as far apart on one face as on the other says how the faces may lie (random sample consensus, Fischler & Bolles 1981), and
what its neighbours confirm is fitted on ever larger parts of the foil by least squares. Knows no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from scan.errors import ScanError
from scan.match import RADIUS, link, match
from scan.place_list import Floats, Integers, PointList
from scan.rigid import Complex, Rigid, as_complex, fit, plain, rigid

# Neighbours of a hit that confirm a guess, and how many of them, the farthest, make pairs with it.
NEIGHBOURS = 14
PARTNERS = 3
# Guesses that are looked at, and the best of them that are fitted on the whole foil.
MOST_GUESSES = 100_000
FITTED = 12
# Hits of the back around which guesses are made, and pairs of the front's hits that each may be held against.
MOST_SEEDS = 300
MOST_PAIRS = 1_000_000
# Searches with the back's hits moved at random, which show how many hits chance lines up.
TRIALS = 6
# So many more hits than chance at its best must line up: standard deviations of chance, each at least one hit and half of a
# Poisson number's, for some trials alone tell it badly.
ABOVE_CHANCE = 4.0
LEAST_INLIERS = 6
# Another transform with so large a share of the inliers says that the hits do not determine one.
RIVAL = 0.7


@dataclass(frozen=True)
class Alignment:
    """How two lists of hits lie to one another."""

    # From the back to the front.
    transform: Rigid
    # Of each hit that lies on both, the number in the front's and in the back's list, `[inliers, 2]`.
    pairs: Integers
    # The back's hits in the front's coordinates less the front's, in pixels, `[inliers, 2]`.
    residuals: Floats
    # The most hits that chance lined up.
    chance: int = 0

    @property
    def deviation(self) -> tuple[float, float]:
        """The standard deviations of the residuals in x and y, in pixels."""
        x, y = self.residuals.std(axis=0)
        return float(x), float(y)


@dataclass(frozen=True)
class _Faces:
    """Both lists, the back mirrored where it has to be."""

    front: Complex
    back: Complex
    front_tree: cKDTree
    back_tree: cKDTree
    radius: float

    @staticmethod
    def of(front: Floats, back: Floats, radius: float, mirror: bool) -> _Faces:
        one, other = as_complex(front), as_complex(back, mirrored=mirror)
        return _Faces(one, other, cKDTree(plain(one)), cKDTree(plain(other)), radius)


@dataclass(frozen=True)
class _Guess:
    """A transform that a pair of hits suggests."""

    # Neighbours that lie on a hit of the front.
    confirmed: int
    turn: complex
    shift: complex
    # The number of the back's hit around which this was seen.
    seed: int


def align(front: PointList, back: PointList, *, radius: float = RADIUS, mirror: bool = True, seed: int = 0) -> Alignment:
    """Line up two lists, each of one face. Raises ScanError where the hits do not determine how.

    `mirror`: whether the back was photographed from the other side. `seed`: everything random follows from it.
    """
    if not 0 < radius < math.inf:
        raise ScanError(f"the radius of an alignment must be above 0, but got {radius:g}; correct --radius.")
    least = min(len(front.points), len(back.points))
    if least < LEAST_INLIERS:
        raise ScanError(f"two faces need at least {LEAST_INLIERS} hits each to be lined up, but got {least}; accept more hits.")
    random = np.random.default_rng(seed)
    fitted = _search(_Faces.of(front.points, back.points, radius, mirror), mirror, random)
    best = fitted[0]
    trials = [_by_chance(front.points, back.points, radius, mirror, random) for _ in range(TRIALS)]
    chance = max(trials)
    deviation = max(float(np.std(trials)), math.sqrt(chance) / 2, 1.0)
    wanted = max(LEAST_INLIERS, math.ceil(chance + ABOVE_CHANCE * deviation))
    if len(best.pairs) < wanted:
        other = _search(_Faces.of(front.points, back.points, radius, not mirror), not mirror, random)[0]
        hint = "leave --no-mirror out, then" if not mirror else "with --no-mirror"
        remedy = f"{hint} {len(other.pairs)} do" if len(other.pairs) >= wanted else "give faces with more hits in common"
        raise ScanError(
            f"the hits of two faces must line up better than by chance, but {len(best.pairs)} do, of {least}, and by chance "
            f"{chance}, where {wanted} are needed; {remedy}."
        )
    rivals = [len(one.pairs) for one in fitted[1:] if _differ(one.transform, best.transform, back.points, radius)]
    if rivals and rivals[0] > max(RIVAL * len(best.pairs), chance):
        raise ScanError(
            f"the hits of two faces must line up in one way, but {len(best.pairs)} do so in one and {rivals[0]} in another; "
            "give faces with more hits."
        )
    return Alignment(best.transform, best.pairs, best.residuals, chance)


def _by_chance(front: Floats, back: Floats, radius: float, mirror: bool, random: np.random.Generator) -> int:
    """Count the hits that line up at best where each of the back's is moved beyond its neighbours."""
    spacing = float(np.median(np.asarray(cKDTree(back).query(back, 2)[0])[:, 1]))
    reach = max(spacing, 4 * radius)
    moved = back + random.uniform(-reach, reach, back.shape)
    return len(_search(_Faces.of(front, moved, radius, mirror), mirror, random)[0].pairs)


def _search(faces: _Faces, mirror: bool, random: np.random.Generator) -> list[Alignment]:
    """Give the best transforms, that with the most inliers first; at least one."""
    guesses: list[_Guess] = []
    looked_at = 0
    for seed in random.permutation(len(faces.back))[:MOST_SEEDS]:
        fresh, count = _guesses(faces, int(seed))
        guesses = sorted([*guesses, *fresh], key=lambda guess: -guess.confirmed)[: 2 * FITTED]
        looked_at += count
        if looked_at > MOST_GUESSES:
            break
    fitted = [_fitted(faces, guess, mirror) for guess in guesses[:FITTED]]
    if not fitted:
        return [Alignment(Rigid(0.0, 0.0, 0.0, mirror), np.empty((0, 2), np.int64), np.empty((0, 2)))]
    return sorted(fitted, key=lambda one: (-len(one.pairs), float((one.residuals**2).sum())))


def _guesses(faces: _Faces, seed: int) -> tuple[list[_Guess], int]:
    """Give the best guesses around a hit of the back, and how many were looked at."""
    near = faces.back[faces.back_tree.query(faces.back_tree.data[seed], min(NEIGHBOURS + 1, len(faces.back)))[1]]
    guesses: list[_Guess] = []
    count = 0
    reach = faces.radius / 2
    # Where the front has many more hits than the back, only the nearest neighbours can be held against it.
    while faces.front_tree.count_neighbors(faces.front_tree, abs(near[-1] - near[0]) + reach) > 2 * MOST_PAIRS:
        near = near[: 2 * len(near) // 3]
        if len(near) < LEAST_INLIERS:
            return [], MOST_GUESSES // MOST_SEEDS
    first, second = faces.front_tree.query_pairs(abs(near[-1] - near[0]) + reach, output_type="ndarray").T
    lengths = np.abs(faces.front[second] - faces.front[first])
    for partner in near[-PARTNERS:]:
        length = abs(partner - near[0])
        if length <= faces.radius:
            continue
        chosen = np.abs(lengths - length) <= reach
        one = faces.front[np.concatenate([first[chosen], second[chosen]])]
        two = faces.front[np.concatenate([second[chosen], first[chosen]])]
        turns = (two - one) / (partner - near[0])
        turns /= np.abs(turns)
        shifts = (one + two) / 2 - turns * (near[0] + partner) / 2
        moved = turns[:, None] * near[None, :] + shifts[:, None]
        distances = faces.front_tree.query(np.stack([moved.real, moved.imag], axis=-1), distance_upper_bound=faces.radius)[0]
        confirmed = np.isfinite(distances).sum(axis=1)
        count += len(turns)
        for index in np.argsort(-confirmed, kind="stable")[:FITTED]:
            guesses.append(_Guess(int(confirmed[index]), complex(turns[index]), complex(shifts[index]), seed))
    return guesses, count


def _fitted(faces: _Faces, guess: _Guess, mirror: bool) -> Alignment:
    """Fit a guess on the hits around it, then on ever more of them, then on all."""
    turn, shift = guess.turn, guess.shift
    from_seed = np.abs(faces.back - faces.back[guess.seed])
    order = np.argsort(from_seed)
    size = min(NEIGHBOURS + 1, len(order))
    while True:
        part = order[:size]
        turn, shift = _refined(faces, part, turn, shift)
        if size == len(order):
            break
        size = min(2 * size, len(order))
    pairs = _inliers(faces, turn, shift)
    for _ in range(3):
        if len(pairs) < 2:
            break
        turn, shift = fit(faces.back[pairs[:, 1]], faces.front[pairs[:, 0]])
        pairs = _inliers(faces, turn, shift)
    residuals = plain(turn * faces.back[pairs[:, 1]] + shift - faces.front[pairs[:, 0]])
    return Alignment(rigid(turn, shift, mirror), pairs, residuals)


def _refined(faces: _Faces, part: Integers, turn: complex, shift: complex) -> tuple[complex, complex]:
    """Fit a transform to some of the back's hits and those of the front that are nearest to them."""
    for _ in range(2):
        source = faces.back[part]
        distances, nearest = faces.front_tree.query(plain(turn * source + shift), distance_upper_bound=faces.radius)
        near = np.isfinite(distances)
        if near.sum() < 3:
            break
        turn, shift = fit(source[near], faces.front[np.asarray(nearest)[near]])
    return turn, shift


def _inliers(faces: _Faces, turn: complex, shift: complex) -> Integers:
    """Pair the hits that lie on both, one to one."""
    moved = plain(turn * faces.back + shift)
    one, other = (PointList(points, np.zeros(len(points), np.int64)) for points in (plain(faces.front), moved))
    return match(link(one, other, faces.radius)).pairs


def _differ(one: Rigid, other: Rigid, points: Floats, radius: float) -> bool:
    """Tell whether two transforms bring the hits to different places."""
    return float(np.hypot(*(one(points) - other(points)).T).mean()) > 2 * radius
