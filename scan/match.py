"""Match hits with true places: one to one, or as QMUL counts, where any hit nearby finds a place. Knows no file.

Efficiency is A / (A + B) and purity A / (A + C), with A found places, B missed ones and C false hits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from scan.errors import ScanError
from scan.intervals import Estimate, share
from scan.place_list import Flags, Floats, Integers, PointList

ONE_TO_ONE, NEAR = "one-to-one", "near"
# What each rule counts, as tables and figures say it.
RULES: Mapping[str, str] = {
    ONE_TO_ONE: "one to one: a hit finds one place at most",
    NEAR: "any near: a hit may find several places, as QMUL counts",
}
RADIUS = 15.0
# Pairs within the radius. More of them say that the radius is no distance between two places.
MOST_LINKS = 20_000_000
# Hits times places that are linked with one another: 200 MB of distances.
MOST_CELLS = 25_000_000


@dataclass(frozen=True)
class Links:
    """The pairs of a hit and a true place that are near one another."""

    # `[links]`, as are the two that follow.
    hits: Integers
    places: Integers
    distances: Floats
    # How many there are in all, near one another or not.
    hit_count: int
    place_count: int

    def within(self, radius: float) -> Links:
        """Give the pairs that are nearer still."""
        return self._take(self.distances <= radius, self.hit_count)

    def of_hits(self, chosen: Flags) -> Links:
        """Give the pairs of some hits, `[hits]`; the others do not count."""
        return self._take(chosen[self.hits], int(chosen.sum()))

    def _take(self, kept: Flags, hit_count: int) -> Links:
        return Links(self.hits[kept], self.places[kept], self.distances[kept], hit_count, self.place_count)


@dataclass(frozen=True)
class Match:
    """Which hits found which places."""

    # A key of RULES.
    rule: str
    # Of each found place, the hit and the place, `[found, 2]`.
    pairs: Integers
    # The number of hits that found nothing.
    false: int
    missed: int

    @property
    def found(self) -> int:
        """The number of places that were found."""
        return len(self.pairs)

    @property
    def efficiency(self) -> Estimate | None:
        """The share of the places that were found; None where there are no places."""
        return share(self.found, self.found + self.missed)

    @property
    def purity(self) -> Estimate | None:
        """A / (A + C); None where nothing was found and no hit is false."""
        return share(self.found, self.found + self.false)


def link(hits: PointList, places: PointList, radius: float) -> Links:
    """Find the pairs of hits and places within a radius, on the same frame or foil. Raises ScanError."""
    if not 0 < radius < np.inf:
        raise ScanError(f"the radius of a match must be above 0, but got {radius:g}; correct --radius.")
    # Groups lie apart along a third axis by more than the radius.
    trees = [cKDTree(np.column_stack([one.points, one.groups * (4 * radius)])) for one in (hits, places)]
    count = int(trees[0].count_neighbors(trees[1], radius))
    if count > MOST_LINKS:
        raise ScanError(
            f"a radius must be smaller than the distance between places, but {count} pairs are within {radius:g} pixels; "
            "choose a smaller --radius."
        )
    near = trees[0].sparse_distance_matrix(trees[1], radius, output_type="coo_matrix")
    first, second = (index.astype(np.int64) for index in (near.row, near.col))
    return Links(first, second, near.data.astype(np.float64), len(hits.points), len(places.points))


def match(links: Links, rule: str = ONE_TO_ONE) -> Match:
    """Match hits and places. Raises ScanError for an unknown rule.

    One to one: as many pairs as there can be, and among those the least sum of distances (Kuhn 1955). Any near: each found
    place is paired with its nearest hit, and a hit is false where no place is near.
    """
    if rule == ONE_TO_ONE:
        pairs = _one_to_one(links)
        used = len(pairs)
    elif rule == NEAR:
        order = np.lexsort((links.hits, links.distances, links.places))
        first = np.unique(links.places[order], return_index=True)[1]
        pairs = np.column_stack([links.hits[order][first], links.places[order][first]])
        used = len(np.unique(links.hits))
    else:
        raise ScanError(f"the rule of a match must be among {', '.join(RULES)}, but got {rule!r}; correct --rule.")
    return Match(rule, pairs, links.hit_count - used, links.place_count - len(pairs))


def _one_to_one(links: Links) -> Integers:
    """Pair hits and places, `[pairs, 2]`: each group of linked ones is a matter of its own."""
    if not len(links.hits):
        return np.empty((0, 2), np.int64)
    hit_names, hits = np.unique(links.hits, return_inverse=True)
    place_names, places = np.unique(links.places, return_inverse=True)
    size = len(hit_names) + len(place_names)
    graph = coo_array((np.ones(len(hits), np.int8), (hits, places + len(hit_names))), shape=(size, size))
    part = connected_components(graph, directed=False)[1][hits]
    order = np.argsort(part, kind="stable")  # otherwise ties hang on the processor
    bounds = np.flatnonzero(np.diff(part[order], prepend=-1, append=-1))
    single = np.flatnonzero(np.diff(bounds) == 1)
    alone = order[bounds[single]]
    chosen = [np.column_stack([hits[alone], places[alone]])]
    for number in np.flatnonzero(np.diff(bounds) > 1):
        members = order[bounds[number] : bounds[number + 1]]
        chosen.append(_assigned(hits[members], places[members], links.distances[members]))
    pairs = np.concatenate(chosen)
    pairs = np.column_stack([hit_names[pairs[:, 0]], place_names[pairs[:, 1]]])
    return pairs[np.argsort(pairs[:, 1])]


def _assigned(hits: Integers, places: Integers, distances: Floats) -> Integers:
    """Pair the hits and places of one group: the most pairs, then the least distance."""
    hit_names, rows = np.unique(hits, return_inverse=True)
    place_names, columns = np.unique(places, return_inverse=True)
    if len(hit_names) * len(place_names) > MOST_CELLS:
        raise ScanError(
            f"a radius must be smaller than the distance between places, but it links {len(hit_names)} hits and "
            f"{len(place_names)} places in one chain; choose a smaller --radius."
        )
    # A pair that is not near costs more than all others together.
    far = (min(len(hit_names), len(place_names)) + 1) * (float(distances.max()) + 1)
    costs = np.full((len(hit_names), len(place_names)), far)
    costs[rows, columns] = distances
    first, second = linear_sum_assignment(costs)
    near = costs[first, second] < far
    return np.column_stack([hit_names[first[near]], place_names[second[near]]])
