"""False hits on a square centimetre: counts with intervals by hand, and thresholds that allow so many."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inference.bundle import Bundle
from scan.errors import ScanError
from scan.expected import ExpectedOptions, expect
from scan.false_hits import from_background, from_clean, threshold_for
from tests.support.bundles import ensemble

SCORES = np.array([0.1, 0.2, 0.4, 0.6, 0.9])


def test_no_hit_on_clean_foil_still_allows_some() -> None:
    none = from_clean(SCORES, 0.95, 2.0)
    # 3.689 events are the upper bound of a Poisson mean of which none was seen.
    assert [none.per_cm2, none.low, none.high] == pytest.approx([0, 0, 3.689 / 2], abs=1e-3)


def test_hits_on_clean_foil_are_counted_with_a_poisson_interval() -> None:
    two = from_clean(SCORES, 0.5, 4.0)
    assert [two.per_cm2, two.low, two.high] == pytest.approx([0.5, 0.2422 / 4, 7.2247 / 4], abs=1e-3)
    assert str(two) == "0.5 [0.0606, 1.81] on a cm2, from 2 hits on 4 cm2 without signal"


def test_the_accepted_share_of_background_is_taken_of_its_rate() -> None:
    expected = from_background(SCORES, 0.5, 41.0)
    assert expected.per_cm2 == pytest.approx(0.4 * 41)
    assert expected.low < expected.per_cm2 < expected.high


@given(st.lists(st.integers(0, 20).map(lambda n: n / 20), max_size=30), st.floats(0, 30))
def test_a_threshold_allows_so_many_and_no_lower_one_does(scores: list[float], allowed: float) -> None:
    values = np.array(scores)
    threshold = threshold_for(values, allowed)
    assert (values >= threshold).sum() <= allowed + 1e-9
    lower = math.nextafter(threshold, -1)
    assert threshold == 0 or (values >= lower).sum() > allowed


def bundle() -> Bundle:
    return Bundle(ensemble(), 0.5, 0.05, {})


def test_a_rate_of_background_is_told_by_the_scores_of_the_bundle(tmp_path: Path) -> None:
    rows = [
        "pit,role,p_signal",
        *(f"p{n},background,{score}" for n, score in enumerate(SCORES)),
        "s,signal,0.99",
        "m,,0.9",
        "x,background,",
    ]
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    threshold, told = expect(ExpectedOptions(background_per_cm2=10.0), bundle(), tmp_path, None, None, 0.05)
    assert told is not None
    assert [threshold, told.per_cm2] == pytest.approx([0.5, 4.0])
    threshold, told = expect(ExpectedOptions(background_per_cm2=10.0, per_cm2=2.0), bundle(), tmp_path, None, None, 0.05)
    assert threshold == math.nextafter(0.6, 2)
    assert told is not None and told.per_cm2 == pytest.approx(2.0)


def test_a_threshold_lies_no_lower_than_the_hits_that_were_kept(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("pit,role,p_signal\na,background,0.01\n")
    options = ExpectedOptions(background_per_cm2=1.0, per_cm2=5.0)
    assert expect(options, bundle(), tmp_path, None, None, 0.05)[0] == 0.05


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ExpectedOptions(Path("clean"), 3.0), "leave one of"),
        (ExpectedOptions(per_cm2=0.5), "add --clean FRAMES"),
    ],
)
def test_what_does_not_go_together_is_refused(options: ExpectedOptions, said: str) -> None:
    with pytest.raises(ScanError, match=said):
        options.check()


@pytest.mark.parametrize(
    "row",
    [
        "a,background,high",
        "a,background,nan",
        "a,background,1.5",
        f"{'a' * 140_000},background,0.5",
        f"a,background,{'x' * 5000}",
        "a,background,0\0",
    ],
)
def test_scores_that_are_none_are_refused_on_one_line(row: str, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(f"pit,role,p_signal\nb,background,0.5\n{row}\n")
    with pytest.raises(ScanError, match=r"^[^\n]*scores\.csv: a background rate needs the scores [^\n]{,500}$"):
        expect(ExpectedOptions(background_per_cm2=10.0), bundle(), tmp_path, None, None, 0.05)


def test_a_bundle_without_scores_tells_no_rate(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="export again, or give clean frames"):
        expect(ExpectedOptions(background_per_cm2=10.0), bundle(), tmp_path, None, None, 0.05)
