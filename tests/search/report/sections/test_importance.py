"""What the report says mattered is what the figures and tables beside it show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.importance import of_trials
from search.report.contents import Drawing, Listing, Section
from search.report.sections import importance as shown
from search.report.subject import Subject, read_subject
from search.studies.study import Study
from spaces import Config
from spaces.choices.labelling import Labelling
from tests.support.trials import reached, recipe, written

DOMAINS: dict[str, BaseDistribution] = {
    "optimiser.name": CategoricalDistribution(["sgd", "adam"]),
    "optimiser.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
}


def trial_of(number: int) -> FrozenTrial:
    """Make a trial whose acceptance follows its optimiser alone; every fifth is pruned on the first rung."""
    name, pruned = ("sgd", "adam")[number % 2], number % 5 == 4
    accepted, folds = (70 if name == "adam" else 30) + number % 7, 1 if pruned else 5
    params: dict[str, Any] = {"optimiser.name": name, "optimiser.learning_rate": 10 ** (-4 + 3 * (number * 0.37 % 1))}
    config = Config(labelling=Labelling(("binary", "four-way")[number // 2 % 2]))
    record = reached(folds, rung="1x1" if pruned else "5x6", accepted=(accepted,) * folds, signals=(100,) * folds)
    trial = create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        value=None if pruned else accepted / 100,
        params=params,
        distributions=DOMAINS,
        user_attrs=written(recipe(config), record),
    )
    trial.number = number
    return trial


@pytest.fixture
def subject(finished: Study) -> Subject:
    return replace(read_subject(finished), trials=tuple(map(trial_of, range(40))))


def drawn(section: Section) -> dict[str, Drawing]:
    return {part.name: part for part in section.parts if isinstance(part, Drawing)}


def test_what_mattered_is_named_and_stands_first(subject: Subject) -> None:
    section = shown.section(subject)
    assert section.paragraphs == (
        "What mattered for acceptance by more than chance gives, heaviest first: `optimiser.name`.",
        "0 trials of 40 had a training that failed: too few to tell what makes trainings fail, for which 5 are needed.",
    )
    figures = drawn(section)
    assert [*figures] == ["importance-acceptance", "slices", "parallel-coordinates", "schemes"]
    assert list(figures["importance-acceptance"].figure.data[0].y) == ["optimiser.name"]
    assert figures["slices"].figure.layout.xaxis.title.text == "optimiser.name"
    assert figures["slices"].caption.startswith("Every trial by its choice, on 2 axes, heaviest first.")
    assert figures["parallel-coordinates"].caption.startswith("Each of 32 complete trials is a line")


def test_schemes_stand_side_by_side_as_their_trials_were_scored(subject: Subject) -> None:
    (table,) = [part for part in shown.section(subject).parts if isinstance(part, Listing)]
    rows = {row[0]: row for row in table.rows}
    assert {*rows} == {"binary", "four-way"}
    for place, name in enumerate(("binary", "four-way")):
        members = [number for number in range(40) if number // 2 % 2 == place]
        complete = [number for number in members if number % 5 != 4]
        assert rows[name][1] == f"{len(complete)} of {len(members)}"
        best = max(complete, key=lambda number: (70 if number % 2 else 30) + number % 7)
        assert rows[name][2].startswith(f"{((70 if best % 2 else 30) + best % 7) / 100:.3f} [")


def test_the_best_trials_of_schemes_are_drawn_where_they_kept_scores(subject: Subject, finished: Study) -> None:
    assert "scheme-curves" not in drawn(shown.section(subject))
    scores = finished.trial(0).user_attrs["scores:5x6"]
    for trial in subject.trials:
        trial.user_attrs["scores:5x6"] = scores
    section = shown.section(subject)
    (table,) = [part for part in section.parts if isinstance(part, Listing)]
    lines = [trace.name for trace in drawn(section)["scheme-curves"].figure.data if trace.mode == "lines"]
    assert lines == [f"{row[0]}, trial {row[3]}" for row in table.rows]


def test_few_trials_are_shown_and_nothing_is_claimed(finished: Study) -> None:
    section = shown.section(read_subject(finished))
    assert section.paragraphs == (
        "Which axes mattered cannot be told: that needs 20 trials that are finished or paused, and there are 3. The figures "
        "show every trial.",
    )
    assert "importance-acceptance" not in drawn(section)


def test_where_no_trial_is_complete_there_is_nothing_to_compare(subject: Subject) -> None:
    section = shown.section(replace(subject, trials=tuple(trial for trial in subject.trials if trial.number % 5 == 4)))
    assert section.parts == ()
    assert section.paragraphs == ("No trial has climbed the whole ladder yet: there is nothing to compare.",)


def test_the_weights_are_those_of_the_command(subject: Subject) -> None:
    weighed = of_trials("tiny", subject.trials, subject.plan.ladder)
    figure = drawn(shown.section(subject))["importance-acceptance"].figure
    values = {axis: value for trace in figure.data[:2] for axis, value in zip(trace.y, trace.x, strict=True)}
    assert values == pytest.approx({weight.axis: weight.value for weight in weighed.acceptance if weight.value is not None})
