"""What a list of hits is worth: counts made by hand, fragments, areas, curves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scan.comparison import MOST_THRESHOLDS, compare, read_area
from scan.errors import ScanError
from scan.match import NEAR
from scan.match_figure import match_figure
from scan.place_list import Places


def on_foil(name: str, *points: tuple[float, float], scores: list[float] | None = None, least: float = 0.5) -> Places:
    """Give a list of places on a foil; hits with scores are accepted from `least` on."""
    array = np.array(points, float).reshape(-1, 2)
    values = None if scores is None else np.array(scores)
    names = tuple(map(str, range(len(points))))
    return Places(Path(name), names, array, scores=values, accepted=None if values is None else values >= least)


# Of four hits one is not accepted; the third lies on the first place, the second on nothing.
HITS = on_foil("hits.csv", (3, 4), (200, 0), (0, 10), (100, 2), scores=[0.9, 0.8, 0.7, 0.3])
TRUTH = on_foil("truth.csv", (0, 0), (100, 0), (300, 0))


def test_counts_are_those_of_a_hand() -> None:
    comparison = compare(HITS, TRUTH, area_cm2=2.0)
    matched = comparison.match
    assert (matched.found, matched.missed, matched.false) == (1, 2, 2)
    assert (comparison.hits, comparison.not_accepted, comparison.second) == (3, 1, 1)
    assert comparison.fragments is None
    # 2 false hits on 2 cm2; Garwood's interval of 2 is 0.242 to 7.225.
    assert str(comparison.per_cm2) == "1.000 [0.121, 3.612]"
    assert comparison.residuals is not None
    assert (comparison.residuals.x_mean, comparison.residuals.y_mean) == (3, 4)
    assert comparison.threshold == 0.7


def test_all_hits_count_where_that_is_asked_for() -> None:
    comparison = compare(HITS, TRUTH, all_hits=True)
    assert (comparison.match.found, comparison.hits, comparison.not_accepted) == (2, 4, 0)
    assert comparison.residuals is not None
    assert comparison.residuals.x_mean == pytest.approx(1.5)
    assert comparison.residuals.x_deviation == pytest.approx(1.5)


def test_qmuls_rule_calls_no_hit_near_a_place_false() -> None:
    matched = compare(HITS, TRUTH, rule=NEAR).match
    assert (matched.found, matched.missed, matched.false) == (1, 2, 1)


def test_false_hits_on_places_beyond_the_region_are_fragments() -> None:
    full = on_foil("all.csv", (0, 0), (100, 0), (300, 0), (205, 5), (900, 0))
    assert compare(HITS, TRUTH, full=full).fragments == 1
    # One on a true place is a second hit, and no fragment.
    assert compare(HITS, TRUTH, full=TRUTH).fragments == 0


def test_curves_run_over_all_scores_and_beyond_the_radius() -> None:
    comparison = compare(HITS, TRUTH)
    assert [point.at for point in comparison.by_score] == [0.3, 0.7, 0.8, 0.9]
    efficiencies = [point.efficiency.value for point in comparison.by_score if point.efficiency]
    assert efficiencies == pytest.approx([2 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert [point.purity.value for point in comparison.by_score if point.purity] == pytest.approx([2 / 4, 1 / 3, 1 / 2, 1])
    at_radius = next(point for point in comparison.by_distance if point.at == pytest.approx(15))
    assert at_radius.efficiency == comparison.match.efficiency
    nearer = [point.efficiency.value for point in comparison.by_distance if point.efficiency and point.at < 5]
    assert set(nearer) == {0.0}


def test_a_curve_of_many_scores_has_some_points_with_both_ends() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0, 1, 500)
    hits = on_foil("hits.csv", *((float(number * 50), 0.0) for number in range(500)), scores=scores.tolist())
    points = compare(hits, TRUTH).by_score
    assert MOST_THRESHOLDS // 2 <= len(points) <= MOST_THRESHOLDS
    assert (points[0].at, points[-1].at) == (scores.min(), scores.max())


def test_lists_without_places_have_no_shares() -> None:
    comparison = compare(on_foil("hits.json"), TRUTH)
    assert comparison.match.missed == 3
    assert comparison.match.purity is None
    assert comparison.residuals is None
    assert comparison.threshold is None
    assert match_figure("hits.json", comparison).data


def test_the_figure_says_which_rule_is_quoted() -> None:
    figure = match_figure("hits.csv", compare(HITS, TRUTH, rule=NEAR))
    assert "as QMUL counts" in figure.layout.title.text
    assert "1 of 3 places found, 1 false hits" in figure.layout.title.text
    assert len(figure.data) == 8  # two lines and two bands, twice
    without = match_figure("list.json", compare(replace(HITS, scores=None), TRUTH))
    assert len(without.data) == 4


def test_an_area_is_that_of_the_scan(tmp_path: Path) -> None:
    def write(**told: float | None) -> None:
        (tmp_path / "scan.json").write_text(json.dumps(told))

    assert read_area(tmp_path) is None
    write(area_cm2=60.5, width=640, height=480, pixel_um=6.45)
    assert read_area(tmp_path) == 60.5
    # A frame is 0.4128 x 0.3096 cm.
    assert read_area(tmp_path / "hits.csv", 2) == pytest.approx(2 * 0.4128 * 0.3096)
    write(area_cm2=None, width=None, height=480, pixel_um=6.45)
    assert read_area(tmp_path) is None
    assert read_area(tmp_path, 2) is None
    for text in ("[]", "{", '{"frames": NaN}'):
        (tmp_path / "scan.json").write_text(text)
        with pytest.raises(ScanError, match="must be what `pitsearch scan` wrote"):
            read_area(tmp_path)


def test_an_area_of_nothing_is_refused() -> None:
    with pytest.raises(ScanError, match="must be above 0 cm2, but got -1"):
        compare(HITS, TRUTH, area_cm2=-1.0)
