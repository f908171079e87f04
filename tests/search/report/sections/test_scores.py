"""What the report says of scores is what the tables and figures beside it show."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset
from search.analysis.acceptance_curves import acceptance_curve
from search.analysis.out_of_fold import scores_of_trial
from search.report.contents import Drawing, Listing
from search.report.sections import scores as scores_section
from search.report.sections.scores import as_selected, section
from search.report.subject import Subject, read_subject
from search.report.winner import winner_of
from search.selection.confirmations import CONFIRMATION, Confirmation
from search.selection.json_values import to_json
from search.selection.race_record import CandidateRecord
from search.studies.study import Study
from search.trials.records import RungResult
from search.trials.reliability import tally


@pytest.fixture
def subject(finished: Study) -> Subject:
    return read_subject(finished)


def test_the_sentence_is_the_first_working_point_and_that_is_the_quoted_acceptance(subject: Subject, tiny: Dataset) -> None:
    scores, best = section(subject), subject.status.best
    assert best is not None
    (points,) = [part for part in scores.parts if isinstance(part, Listing)]
    name, rate, share = points.rows[0]
    data = subject.plan.search_set(tiny)
    assert name == f"best, trial {best.number}" and rate == f"{subject.plan.options.working_point:.3g}"
    assert scores.paragraphs[0].startswith(
        f"Out of fold the {name}, accepts {share} of {int(data.is_signal.sum())} signal pits where it accepts {rate} of "
        f"{int(data.is_background.sum())} background pits. The scores are of trial {best.number}, on the split of the search."
    )
    assert float(share.split()[0]) == pytest.approx(RungResult.demand(best).quoted.value, abs=0.03)
    assert scores.paragraphs[1].startswith("Acceptance is quoted at one threshold over all folds")


def test_every_figure_is_there_once_and_counts_the_pits_that_trials_may_see(subject: Subject, tiny: Dataset) -> None:
    drawings = {part.name: part for part in section(subject).parts if isinstance(part, Drawing)}
    assert [*drawings] == [
        "acceptance-curve",
        "score-histograms",
        "confusion-0",
        "accepted-by-label",
        "signal-by-slide",
        "background-by-slide",
        "calibration",
    ]
    counts = subject.plan.search_set(tiny).counts()
    named = [f"{label} ({count})" for label, count in counts.items()]
    assert [trace.name for trace in drawings["score-histograms"].figure.data] == named
    assert list(drawings["accepted-by-label"].figure.data[0].y) == named
    assert all(len(part.caption) > 100 for part in drawings.values())


def test_of_many_slides_those_with_most_pits_are_drawn(
    subject: Subject, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_section, "SLIDES", 2)
    (slides,) = [part for part in section(subject).parts if isinstance(part, Drawing) and part.name == "signal-by-slide"]
    data = subject.plan.search_set(tiny)
    counts = Counter(f"f1:{pit.slide}" for pit, is_signal in zip(data.pits, data.is_signal, strict=True) if is_signal)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    assert list(slides.figure.data[0].y) == [f"{name} ({counts[name]})" for name in order[:2]]
    assert f"Shown are the 2 with most signal pits, of {len(counts)}." in slides.caption


def test_the_network_in_use_stands_beside_another_best(subject: Subject) -> None:
    names = {row[0] for part in section(subject).parts if isinstance(part, Listing) for row in part.rows}
    comparison, best = subject.status.comparison, subject.status.best
    assert comparison is not None and best is not None
    others = set() if comparison.baseline.number == best.number else {f"network in use, trial {comparison.baseline.number}"}
    assert names == {f"best, trial {best.number}"} | others


def test_confirmations_give_the_scores_where_there_are_some(finished: Study, subject: Subject) -> None:
    best, pits = subject.status.best, len(subject.plan.folds)
    assert best is not None
    for repeat in range(3):
        scores = np.random.default_rng(repeat).random(pits)
        record = Confirmation(scores, (1,) * 5, (2,) * 5, (0.9,) * 5, ("learned",) * 5, (0,) * 5, 30, 1.0)
        finished.optuna.set_user_attr(f"{CONFIRMATION}:{best.number}:{repeat}", to_json(record))
    shown = section(read_subject(finished))
    assert f"The scores are of trial {best.number}, confirmed on 3 fresh splits." in shown.paragraphs[0]
    (curve,) = [part for part in shown.parts if isinstance(part, Drawing) and part.name == "acceptance-curve"]
    assert f"best, trial {best.number}: 15 trainings" in curve.caption


def test_a_selection_of_the_same_scores_gives_the_interval(subject: Subject) -> None:
    best = subject.status.best
    winner = winner_of(subject)
    assert best is not None and winner is not None
    scored = scores_of_trial(best, subject.plan)
    assert scored is not None
    curve = acceptance_curve("best", scored, (0.1, 0.01))
    share = replace(curve.points[0][1], low=0.0)
    judged = CandidateRecord(best.number, share, tally([]), 1, True, "winner", True, None)
    assert as_selected(curve, replace(winner, judged=judged)).points == ((0.1, share), curve.points[1])
    others = replace(judged, confirmed=replace(share, value=share.value - 0.1))
    assert as_selected(curve, replace(winner, judged=others)) == as_selected(curve, winner) == curve


def test_without_the_data_signal_and_background_stand_for_labels(subject: Subject) -> None:
    scores = section(replace(subject, data=None, data_fault="it is gone."))
    names = [part.name for part in scores.parts if isinstance(part, Drawing)]
    assert names == ["acceptance-curve", "score-histograms", "confusion-0", "accepted-by-label", "calibration"]
    assert scores.paragraphs[-1].startswith("Labels, slides and styles are not told apart")
    histogram = next(part for part in scores.parts if isinstance(part, Drawing) and part.name == "score-histograms")
    assert [trace.name.split(" (")[0] for trace in histogram.figure.data] == ["signal", "background", "never scored"]


def test_before_any_trial_is_complete_nothing_is_shown(subject: Subject) -> None:
    scores = section(replace(subject, trials=(), status=replace(subject.status, best=None)))
    assert scores.paragraphs == ("There are no scores out of fold to show: no trial has climbed the whole ladder yet.",)
    assert scores.parts == ()
