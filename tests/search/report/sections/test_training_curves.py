"""The section on training curves: every sentence against the records, and every figure against the curves that it shows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.trainings import choose_panels, read_trainings
from search.report import figures
from search.report.contents import Drawing, Section
from search.report.sections.training_curves import section
from search.report.subject import Subject, read_subject
from search.selection.confirmations import Confirmation
from search.studies.study import Study
from search.trials.records import RungResult
from search.trials.reliability import tally
from search.trials.stored_curves import pack_curves
from spaces import Config
from spaces.choices.networks import Network
from tests.support.curves import curve, trial_with_curves
from tests.support.trials import reached, recipe, written

FIRST_FAILS = ("collapsed", *("learned",) * 4)


@pytest.fixture(scope="module")
def trials() -> list[FrozenTrial]:
    other = Config(network=Network("pitnet", depth=2, width=4))
    return [
        trial_with_curves(0, FIRST_FAILS),
        trial_with_curves(1, ("learned", "overtrained", "diverged", "learned", "learned"), (0, 0, 0, 1, 0)),
        trial_with_curves(2, ("unfinished",), config=other, state=TrialState.PRUNED, epochs=2),
    ]


@pytest.fixture
def subject(finished: Study, trials: list[FrozenTrial]) -> Subject:
    return replace(read_subject(finished), trials=tuple(trials))


def shown(subject: Subject) -> Section:
    of_subject = section(subject)
    assert of_subject is not None
    return of_subject


def drawing(of_subject: Section, name: str) -> Drawing:
    (part,) = [part for part in of_subject.parts if isinstance(part, Drawing) and part.name == name]
    return part


def points(figure: go.Figure, mode: str) -> list[tuple[float, float]]:
    """Give the points of all traces of a mode, without those of the legend and the gaps."""
    found = []
    for trace in figure.data:
        if trace.mode == mode:
            both = np.array([trace.x, trace.y], np.float64)
            found += both[:, ~np.isnan(both).any(0)].T.tolist()
    return sorted(map(tuple, found))


def close(got: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    np.testing.assert_allclose(got, sorted(expected), rtol=1e-5)


def test_every_sentence_says_what_the_records_say(subject: Subject, trials: list[FrozenTrial]) -> None:
    said = " ".join(shown(subject).paragraphs)
    table = read_trainings(trials).every
    verdicts = Counter(one.verdict for one in table)
    assert f"{len(table)} trainings of 3 trials have curves: " in said
    assert {
        verdict: int(count) for count, verdict in re.findall(r"(\d+) (\w+)(?:, |\. )", said.split("have curves: ")[1])
    } == verdicts
    assert "1 training took the place of one that had collapsed" in said
    complete = tally([RungResult.demand(trial) for trial in trials[:2]])
    assert f"In complete trials {complete.learned} of {complete.trainings} trainings learned, restarts counted." in said
    assert "Failures are spread over the folds as chance spreads them (p = " in said


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([("learned",) * 5] * 2, "None failed"),
        ([("collapsed",) * 5, ("learned",) * 5], "failures follow the configuration"),
        ([FIRST_FAILS] * 6, "Failures gather in some folds more than chance explains (p < 0.001)"),
    ],
)
def test_whether_failures_follow_the_fold_is_said(subject: Subject, outcomes: list[tuple[str, ...]], sentence: str) -> None:
    trials = tuple(trial_with_curves(number, verdicts) for number, verdicts in enumerate(outcomes))
    assert sentence.split(" (")[0] in " ".join(shown(replace(subject, trials=trials)).paragraphs)


def test_curves_show_every_epoch_of_every_training_of_their_panels(subject: Subject, trials: list[FrozenTrial]) -> None:
    of_subject, panels = shown(subject), choose_panels(trials, read_trainings(trials))
    assert sorted(number for panel in panels for number in panel.trials) == [0, 1, 2]
    trainings = [one for panel in panels for one in panel.trainings]
    lines = {
        "loss-curves": [one.train_loss for one in trainings] + [one.validation_loss for one in trainings],
        "accuracy-curves": [one.curve.train_accuracy for one in trainings]
        + [one.curve.validation_accuracy for one in trainings],
        "acceptance-curves": [one.curve.acceptance for one in trainings],
    }
    for name, values in lines.items():
        figure = drawing(of_subject, name).figure
        close(points(figure, "lines"), [(epoch, value) for line in values for epoch, value in enumerate(line, start=1)])
        assert len(points(figure, "markers")) == len(trainings)
        assert {title.text for title in figure.layout.annotations} == {"trials 0, 1: among the best", "trial 2: stopped early"}


def test_the_cluster_plot_shows_the_last_epoch_of_every_training(subject: Subject, trials: list[FrozenTrial]) -> None:
    figure, every = drawing(shown(subject), "training-ends").figure, read_trainings(trials).every
    ends = [(one.curve.train_accuracy[-1], one.curve.validation_accuracy[-1]) for one in every]
    ends += [(one.train_loss[-1], one.validation_loss[-1]) for one in every]
    close(points(figure, "markers"), ends)
    assert {trace.name for trace in figure.data if trace.showlegend} == {one.verdict for one in every}


def test_outcomes_by_fold_and_by_seed_show_their_counts(subject: Subject, trials: list[FrozenTrial]) -> None:
    scores = np.zeros(0)
    confirmed = Confirmation(scores, (3, 1), (4, 4), (0.9, 0.5), ("learned", "collapsed"), (0, 0), 12, 1.0)
    of_subject = shown(replace(subject, confirmations={(1, 0): confirmed, (1, 1): confirmed}))
    figure = drawing(of_subject, "outcomes-by-fold").figure
    assert list(figure.data[0].y) == pytest.approx([1 / 2, 1 / 2, 1 / 2, 2 / 3, 1])
    assert list(figure.data[0].text) == ["1 of 2", "1 of 2", "1 of 2", "2 of 3", "2 of 2"]
    seeds = drawing(of_subject, "outcomes-by-seed").figure
    assert {trace.name: list(trace.y) for trace in seeds.data} == {"learned": [0.75, 0.75], "collapsed": [0.25, 0.25]}
    assert list(seeds.layout.xaxis.ticktext) == ["trial 1"]
    assert not [part for part in shown(subject).parts if isinstance(part, Drawing) and part.name == "outcomes-by-seed"]


def test_old_and_damaged_trials_are_named_and_a_study_without_any_has_no_section(subject: Subject) -> None:
    old, damaged = create_trial(value=0.5, user_attrs=written(recipe(), reached())), trial_with_curves(4)
    old.number, damaged.user_attrs = 3, {**damaged.user_attrs, "curves": 7}
    warnings = shown(replace(subject, trials=(old, damaged))).warnings
    assert warnings[0].startswith("the training curves of trial 4 must be") and warnings[0].endswith("its curves are left out.")
    assert warnings[1] == "An older pitsearch ran, without curves: 1 trial, 3."
    assert section(replace(subject, trials=(create_trial(state=TrialState.WAITING),))) is None


def test_what_is_not_known_or_explodes_leaves_a_gap(subject: Subject) -> None:
    unknown = (float("nan"),) * 3
    odd = curve(epochs=3, train_loss=(0.5, 1e30, 0.6), train_accuracy=unknown, validation_accuracy=unknown, acceptance=unknown)
    trial = trial_with_curves(0, ("learned",))
    trial.user_attrs = {**trial.user_attrs, **pack_curves([odd])}
    of_subject = shown(replace(subject, trials=(trial,)))
    names = [part.name for part in of_subject.parts if isinstance(part, Drawing)]
    assert names == ["loss-curves", "training-ends", "outcomes-by-fold"]
    figure = drawing(of_subject, "loss-curves").figure
    assert len(points(figure, "lines")) == 2 + 3
    assert figure.layout.yaxis.range[1] <= 1.0 + 1e-9
    assert len(drawing(of_subject, "training-ends").figure.data) == 1


def test_figures_are_there_for_a_notebook(trials: list[FrozenTrial]) -> None:
    figure = figures.training_ends(read_trainings(trials).every)
    assert isinstance(figure, go.Figure)
