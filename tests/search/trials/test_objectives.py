"""What trials are judged by: a table, refusals, and values as Optuna and people are told them."""

from __future__ import annotations

import itertools

import pytest

from search.errors import StudyError
from search.trials.objectives import (
    CHOICES,
    OBJECTIVES,
    amount,
    on_path,
    parse_objectives,
    said,
    second_of,
    shortfall,
)
from search.trials.records import RungResult
from tests.support.trials import reached


@pytest.mark.parametrize("text", [",".join(choice) for choice in CHOICES])
def test_every_choice_begins_with_acceptance_and_is_read_with_blanks_too(text: str) -> None:
    names = parse_objectives(text.replace(",", ", "))
    assert names[0] == "acceptance"
    assert set(names) <= set(OBJECTIVES)
    assert second_of(names) == (names[1] if len(names) == 2 else None)


def test_every_objective_is_in_a_choice() -> None:
    assert set(OBJECTIVES) == {name for names in CHOICES for name in names}


@pytest.mark.parametrize("text", ["cost", "acceptance,speed", "cost,acceptance", "", "acceptance,rejection,cost"])
def test_other_objectives_are_refused_with_the_choices(text: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_objectives(text)
    assert str(caught.value) == (
        f"the objectives must be 'acceptance' or 'acceptance,rejection' or 'acceptance,cost', but got {text!r}; choose one of "
        "these."
    )


def test_better_is_more_acceptance_and_rejection_and_less_cost() -> None:
    assert [name for name, goal in OBJECTIVES.items() if goal.no_worse(2.0, 1.0)] == ["acceptance", "rejection"]
    assert [name for name, goal in OBJECTIVES.items() if goal.direction == "minimize"] == ["cost"]
    assert all(goal.no_worse(1.0, 1.0) for goal in OBJECTIVES.values())


def test_optuna_is_told_a_costs_logarithm_and_says_so() -> None:
    assert OBJECTIVES["cost"].told(1000.0) == pytest.approx(3.0)
    assert OBJECTIVES["cost"].told_words == "log10 of multiply-adds a pit"
    assert OBJECTIVES["rejection"].told(0.5) == 0.5
    assert OBJECTIVES["rejection"].told_words == "background rejection at 90% acceptance"


def test_the_sampler_ranks_what_learned_before_what_did_not_and_pruned_trials_by_rung_and_acceptance() -> None:
    def at(acceptance: float) -> RungResult:
        return reached(path=on_path({}, {"acceptance": acceptance, "cost": 1.0}))

    collapsed = reached(verdicts=("collapsed", *("learned",) * 4))
    diverged = reached(verdicts=("diverged",) * 5)
    order = [
        shortfall(reached(), 0),
        shortfall(collapsed, 0),
        shortfall(diverged, 0),
        shortfall(at(0.9), 1),
        shortfall(at(0.2), 1),
        shortfall(at(1.0), 2),
        shortfall(at(0.5), 2),
    ]
    assert order[0] == 0
    assert all(low < high for low, high in itertools.pairwise(order))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (46, "46"),
        (1919360, "1.92 M"),
        (999, "999"),
        (999700, "1.00 M"),
        (41472, "41.5 k"),
        (260600320, "261 M"),
        (3e9, "3.00 G"),
    ],
)
def test_large_numbers_are_said_to_three_digits(number: float, text: str) -> None:
    assert amount(number) == text


def test_values_are_said_with_what_they_are() -> None:
    assert said("cost", 41472.0) == "41.5 k multiply-adds a pit"
    assert said("rejection", 0.98765) == "background rejection at 90% acceptance 0.988"
