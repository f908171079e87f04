"""A learning curve: nested shares of whole groups, repeatable numbers, refusals, and what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foils import Dataset
from foils.folds import fold_numbers
from search.analysis.learning_curve import (
    FOLDS,
    Curve,
    CurvePoint,
    Plot,
    Rise,
    Trained,
    draw_curve,
    positions,
    rise,
    train_share,
)
from search.analysis.learning_curve_setup import best_config, parse_shares, sound_config, sound_subject, study_subject
from search.errors import StudyError
from search.report.learning_curve_figure import figure, write_figure
from search.report.learning_curve_table import curve_table, verdict_line
from search.statistics.intervals import wilson
from search.studies.study import Study, find_study
from search.trials.ranking import best_trial
from spaces import Config
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from tests.support.golden import assert_golden, render

SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adam", learning_rate=1e-2, batch_size=16))
PLOT = Plot((0.5, 1.0), repeats=1, epochs=2, working_point=0.1)


def joined(data: Dataset, pairs: int) -> Dataset:
    """Make groups of two of the first pits, whatever their labels."""
    groups = np.arange(len(data))
    groups[1 : 2 * pairs : 2] = groups[: 2 * pairs : 2]
    return replace(data, groups=groups)


@settings(max_examples=25, deadline=None)
@given(small=st.floats(0.05, 1), large=st.floats(0.05, 1), seed=st.integers(0, 9), pairs=st.integers(0, 20))
def test_shares_are_nested_stratified_and_made_of_whole_groups(
    tiny: Dataset, small: float, large: float, seed: int, pairs: int
) -> None:
    data, train = joined(tiny, pairs), np.arange(len(tiny))
    small, large = sorted((small, large))
    where = positions(data, train, (seed, 0, 0))
    less, more = set(train[where <= small]), set(train[where <= large])
    assert less <= more
    assert set(train[where <= 1]) == set(train)
    groups = data.groups[sorted(more)]
    assert set(np.flatnonzero(np.isin(data.groups, groups))) == more
    for label, count in tiny.counts().items():
        taken = int((tiny.labels[sorted(more)] == label).sum())
        assert abs(taken - large * count) <= 1 + 2 * pairs


def test_other_seeds_choose_other_pits(tiny: Dataset) -> None:
    train = np.arange(len(tiny))
    one, other = positions(tiny, train, (0, 0, 0)), positions(tiny, train, (0, 1, 0))
    assert not np.array_equal(one, other)


def test_the_whole_share_trains_on_every_other_fold_and_validation_pits_stay(tiny: Dataset) -> None:
    folds = fold_numbers(tiny, FOLDS, 0)
    half, whole = (train_share(tiny, SMALL, PLOT, folds, share, 0, 0) for share in PLOT.shares)
    scored = np.isin(tiny.labels, ["maybe"], invert=True)
    assert sum(whole.examples) == int((scored & (folds != 0)).sum())
    assert half.signals == whole.signals == int(tiny.is_signal[folds == 0].sum())
    assert 0.4 * sum(whole.examples) < sum(half.examples) < 0.6 * sum(whole.examples)


@pytest.mark.slow
def test_workers_change_no_number(tiny: Dataset) -> None:
    told: list[tuple[int, int]] = []
    alone = draw_curve(tiny, SMALL, PLOT, workers=1, done=lambda finished, of: told.append((finished, of)))
    assert told == [(number, 10) for number in range(11)]
    assert alone == draw_curve(tiny, SMALL, PLOT, workers=2)
    assert [point.share for point in alone.points] == [0.5, 1.0]
    assert all(point.trainings >= FOLDS for point in alone.points)
    assert alone.last is not None
    assert (alone.last.before, alone.last.after) == (0.5, 1.0)


def test_a_training_that_collapses_is_started_again_once_and_counted(tiny: Dataset) -> None:
    hopeless = replace(SMALL, optimiser=replace(SMALL.optimiser, learning_rate=1e-8))
    trained = train_share(tiny, hopeless, replace(PLOT, epochs=1), fold_numbers(tiny, FOLDS, 0), 1.0, 0, 0)
    assert trained.reseeds == 1
    assert not trained.learned


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": (0.5, 0.2)}, "shares must ascend within `0 < share <= 1`, but got 0.5,0.2; write e.g. 0.1,0.35,1."),
        ({"shares": ()}, "shares must ascend within `0 < share <= 1`, but got none;"),
        ({"shares": (0.5, 1.5)}, "shares must ascend within `0 < share <= 1`, but got 0.5,1.5;"),
        ({"shares": (float("nan"),)}, "shares must ascend within `0 < share <= 1`, but got nan;"),
        ({"repeats": 0}, "`repeats >= 1` must hold, but got 0;"),
        ({"epochs": 0}, "`epochs >= 1` must hold, but got 0;"),
        ({"seed": -1}, "`seed >= 0` must hold, but got -1;"),
        ({"working_point": 1.0}, "`0 < working point < 1` must hold, but got 1.0;"),
    ],
)
def test_what_makes_no_curve_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        replace(PLOT, **changes)
    assert str(caught.value).startswith(message)


def test_a_share_that_starves_a_class_is_refused_before_any_training(tiny: Dataset) -> None:
    with pytest.raises(
        StudyError, match=r"^each class needs at least 3 training pits .* a share of 0.1 leaves 'signal' [12]; "
    ):
        draw_curve(tiny, SMALL, replace(PLOT, shares=(0.1, 1.0)), workers=1)


def test_shares_are_read_as_typed() -> None:
    assert parse_shares("0.1, 0.5,1") == (0.1, 0.5, 1.0)
    with pytest.raises(StudyError, match=r"^shares must be numbers with commas between them, but got '10%'; write e.g."):
        parse_shares("10%")


def test_the_sound_recipe_is_the_second_start_on_the_pits_that_a_launch_would_search(tiny: Dataset) -> None:
    subject = sound_subject(tiny)
    assert len(subject.data) < len(tiny)
    assert subject.config == sound_config(tiny)
    assert (subject.config.network.name, subject.config.optimiser.name) == ("pitnet", "adamw")
    assert subject.config.augmentation.turns == "symmetries"


def test_a_study_gives_its_best_configuration_its_pits_and_its_working_point(
    finished: Study, tiny: Dataset, tiny_folder: Path
) -> None:
    subject = study_subject(finished, tiny_folder)
    best = best_trial(finished.optuna.trials)
    assert best is not None
    assert subject.config.to_dict() == best.user_attrs["recipe"]["config"]
    assert len(subject.data) == len(finished.plan.folds)
    assert subject.working_point == 0.1


def test_a_study_without_a_complete_trial_is_refused(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optuna.Study.get_trials", lambda *_, **__: [])
    with pytest.raises(StudyError, match="study 'tiny' must have a complete trial, but has none; launch more trials"):
        best_config(find_study("tiny", finished.storage))


def gained(*gains: int) -> list[Trained]:
    """Make trainings of five folds, of which the larger share accepts so many more of 40."""
    return [
        Trained(share, 0, fold, (9, 9), 20 + (gain if share == 1.0 else 0), 40, True, 0)
        for share in (0.7, 1.0)
        for fold, gain in enumerate(gains)
    ]


def test_the_rise_is_paired_and_as_wide_as_shared_pits_ask() -> None:
    found = rise(gained(0, 8, 4, 4, 4), 0.7, 1.0)
    # Student's 95 % point of 4 degrees of freedom, standard deviation 0.0707, and 1/5 + 1/4 by Nadeau and Bengio.
    assert found.high - found.value == pytest.approx(
        2.13185 * np.std([0, 0.2, 0.1, 0.1, 0.1], ddof=1) * np.sqrt(0.45), rel=1e-4
    )


def test_folds_that_rise_alike_leave_the_chance_of_one_pit() -> None:
    found = rise(gained(4, 4, 4, 4, 4), 0.7, 1.0)
    # The variance of one pit of 40 in one of five folds, Student's 95 % point of 4 degrees of freedom, and 1/5 + 1/4.
    half = 2.13185 * np.sqrt(1 / (5 * 40**2)) * np.sqrt(0.45)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1 - half, 0.1 + half), rel=1e-5)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (Rise(0.7, 1.0, 0.05, 0.01, 0.09), "acceptance still rises from 70 % to 100 %"),
        (Rise(0.7, 1.0, 0.05, -0.01, 0.11), "acceptance does not rise beyond chance from 70 % to 100 %"),
        (Rise(0.7, 1.0, -0.05, -0.09, -0.01), "acceptance falls from 70 % to 100 %"),
        (None, "one share makes no curve"),
    ],
)
def test_the_last_line_says_what_the_curve_says(last: Rise | None, says: str) -> None:
    assert verdict_line(last).replace("%", " %").startswith(says)


CURVE = Curve(
    "craters",
    SMALL,
    Plot(repeats=3),
    ("signal", "background"),
    (
        CurvePoint(0.1, (16.6, 72.1), wilson(120, 207), 14, 17),
        CurvePoint(0.5, (83.0, 349.0), wilson(160, 207), 15, 15),
        CurvePoint(1.0, (165.8, 697.9), wilson(172, 207), 15, 15),
    ),
    Rise(0.5, 1.0, 0.058, 0.021, 0.095),
)


def test_the_table_of_a_curve() -> None:
    assert_golden("curve", render(curve_table(CURVE)))


def test_the_figure_shows_both_lines_with_their_intervals() -> None:
    acceptance, reliability = figure(CURVE).data
    assert list(acceptance.y) == [point.acceptance.value for point in CURVE.points]
    assert list(reliability.y) == [point.reliability.value for point in CURVE.points]
    assert list(acceptance.x) == [16.6, 83.0, 165.8]
    upper = np.array(acceptance.y) + np.array(acceptance.error_y.array)
    assert upper.tolist() == pytest.approx([point.acceptance.high for point in CURVE.points])


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    write_figure(CURVE, tmp_path / "curve.html")
    page = (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert "<script src=" not in page
    assert "signal acceptance at 5% false positives" in page
    with pytest.raises(
        StudyError, match=r"the figure must be written, but: No such file or directory; choose another --out\.$"
    ):
        write_figure(CURVE, tmp_path / "nowhere" / "curve.html")
