"""Matching hits with true places: against every pairing there is, against QMUL's count, and at the size of a foil."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan.errors import ScanError
from scan.match import NEAR, ONE_TO_ONE, link, match
from scan.place_list import PointList


def listed(*points: tuple[float, float], groups: list[int] | None = None) -> PointList:
    """Give a list of points, all of one group unless they are named."""
    return PointList(np.array(points, float).reshape(-1, 2), np.array(groups or [0] * len(points), np.int64))


def best(hits: list[tuple[int, int]], places: list[tuple[int, int]], radius: float) -> tuple[int, float]:
    """Try every pairing: give the most pairs, and the least sum of distances of as many."""
    small, large = sorted((hits, places), key=len)
    outcomes = [(0, 0.0)]
    for chosen in itertools.permutations(large, len(small)):
        near = [math.dist(a, b) for a, b in zip(small, chosen, strict=True) if math.dist(a, b) <= radius]
        outcomes.append((-len(near), sum(near)))
    pairs, length = min(outcomes)
    return -pairs, length


points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=5)


@given(hits=points, places=points)
def test_one_to_one_has_the_most_pairs_and_of_these_the_least_distance(
    hits: list[tuple[int, int]], places: list[tuple[int, int]]
) -> None:
    matched = match(link(listed(*hits), listed(*places), 5.0))
    pairs, length = best(hits, places, 5.0)
    assert matched.found == pairs
    assert sum(math.dist(hits[hit], places[place]) for hit, place in matched.pairs) == pytest.approx(length)
    assert len({*matched.pairs[:, 0]}) == len({*matched.pairs[:, 1]}) == pairs
    assert (matched.false, matched.missed) == (len(hits) - pairs, len(places) - pairs)


@given(hits=points, places=points)
def test_any_near_counts_as_qmul_does(hits: list[tuple[int, int]], places: list[tuple[int, int]]) -> None:
    matched = match(link(listed(*hits), listed(*places), 5.0), NEAR)
    assert matched.found == sum(any(math.dist(hit, place) <= 5 for hit in hits) for place in places)
    assert matched.false == sum(all(math.dist(hit, place) > 5 for place in places) for hit in hits)
    for hit, place in matched.pairs:
        assert math.dist(hits[hit], places[place]) == min(math.dist(each, places[place]) for each in hits)


def test_more_pairs_come_before_nearer_ones() -> None:
    # The nearest pair, 1 apart, would leave the place at 0 and the hit at 11 alone.
    matched = match(link(listed((5, 0), (11, 0)), listed((0, 0), (6, 0)), 5.0))
    assert matched.pairs.tolist() == [[0, 0], [1, 1]]


def test_what_is_linked_only_by_others_is_no_pair() -> None:
    # Two hits have one place alone between them; the third hit has that one and two more. Two pairs, not three.
    matched = match(link(listed((-4, 0), (0, 5), (4, 0)), listed((0, 0), (8, 0), (7, -4)), 5.0))
    assert matched.pairs.tolist() == [[0, 0], [2, 1]]
    assert (matched.false, matched.missed) == (1, 1)


def test_efficiency_and_purity_have_their_intervals() -> None:
    hits, places = listed((0, 0), (100, 0), (200, 0), (300, 0)), listed((1, 0), (101, 0), (500, 0))
    matched = match(link(hits, places, 15.0))
    assert (matched.found, matched.missed, matched.false) == (2, 1, 2)
    assert matched.efficiency is not None and matched.purity is not None
    # Clopper and Pearson's intervals of 2 of 3, and of 2 of 4.
    assert str(matched.efficiency) == "0.667 [0.094, 0.992]"
    assert str(matched.purity) == "0.500 [0.068, 0.932]"


def test_one_hit_between_two_places_finds_one_or_both() -> None:
    links = link(listed((0, 0)), listed((-4, 0), (5, 0)), 15.0)
    assert match(links, ONE_TO_ONE).pairs.tolist() == [[0, 0]]
    assert [match(links, rule).rule for rule in (ONE_TO_ONE, NEAR)] == [ONE_TO_ONE, NEAR]
    assert (match(links, NEAR).found, match(links, NEAR).false) == (2, 0)


def test_places_of_two_frames_are_never_near() -> None:
    hits, places = listed((0, 0), (0, 0), groups=[0, 1]), listed((0, 0), (0, 0), groups=[1, 2])
    assert match(link(hits, places, 15.0)).pairs.tolist() == [[1, 0]]


def test_nothing_has_no_efficiency() -> None:
    empty = match(link(listed(), listed(), 15.0))
    assert empty.pairs.shape == (0, 2)
    assert empty.pairs.dtype.name == "int64"
    assert empty.efficiency is None and empty.purity is None
    no_hits = match(link(listed(), listed((0, 0)), 15.0))
    assert no_hits.efficiency is not None and no_hits.efficiency.value == 0
    assert no_hits.purity is None


def test_the_curves_subsets_are_matches_of_fewer_hits() -> None:
    hits, places = listed((0, 0), (10, 0), (40, 0)), listed((3, 0), (12, 0))
    links = link(hits, places, 15.0)
    assert match(links.within(2.5)).pairs.tolist() == [[1, 1]]
    assert match(links.within(2.0)).pairs.tolist() == [[1, 1]]  # as far as the radius is near
    fewer = match(links.of_hits(np.array([True, False, True])))
    assert (fewer.pairs.tolist(), fewer.false) == ([[0, 0]], 1)


def test_a_hundred_thousand_places_are_matched_within_seconds() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(0, 77_000, (100_000, 2))  # as dense as pits of an exposed foil
    groups = np.zeros(len(points), np.int64)
    begin = time.monotonic()
    moved = PointList(points + random.normal(0, 3, points.shape), groups)
    matched = match(link(moved, PointList(points, groups), 15.0))
    assert matched.found > 99_900
    assert np.mean(matched.pairs[:, 0] == matched.pairs[:, 1]) > 0.99
    assert time.monotonic() - begin < 20


def refusal(hits: PointList, places: PointList, radius: float, rule: str = ONE_TO_ONE) -> str:
    """Give the line that says why these cannot be matched."""
    with pytest.raises(ScanError) as caught:
        match(link(hits, places, radius), rule)
    return str(caught.value)


def in_a_row(count: int) -> PointList:
    """Give points that are a pixel apart."""
    return listed(*((number, 0) for number in range(count)))


def test_a_radius_is_above_nothing() -> None:
    for radius, shown in ((0.0, "0"), (-1.0, "-1"), (math.nan, "nan"), (math.inf, "inf")):
        said = f"the radius of a match must be above 0, but got {shown}; correct --radius."
        assert refusal(in_a_row(1), in_a_row(1), radius) == said
    assert match(link(in_a_row(1), in_a_row(1), 0.5)).found == 1


def test_an_unknown_rule_is_refused() -> None:
    said = "the rule of a match must be among one-to-one, near, but got 'closest'; correct --rule."
    assert refusal(in_a_row(1), in_a_row(1), 1.0, "closest") == said


def test_as_many_pairs_are_linked_as_there_may_be_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scan.match.MOST_LINKS", 400)
    assert len(link(in_a_row(20), in_a_row(20), 100.0).hits) == 400
    assert len(link(in_a_row(1), in_a_row(21), 100.0).hits) == 21
    assert len(link(in_a_row(30), in_a_row(30), 1.5).hits) == 88  # of 900 pairs, most of which are far
    assert refusal(in_a_row(20), in_a_row(21), 100.0) == (
        "a radius must be smaller than the distance between places, but 420 pairs are within 100 pixels; "
        "choose a smaller --radius."
    )


def test_a_chain_is_as_long_as_its_distances_fit_into_memory_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scan.match.MOST_CELLS", 400)
    assert match(link(in_a_row(20), in_a_row(20), 1.5)).found == 20
    assert refusal(in_a_row(20), in_a_row(21), 1.5) == (
        "a radius must be smaller than the distance between places, but it links 20 hits and 21 places in one chain; "
        "choose a smaller --radius."
    )
