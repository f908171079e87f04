"""The criterion that verdicts are set against, by hand, and the recipes that it is measured on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.search.trainings import NOISES, Ended, Recipe, draw_recipe
from benchmarks.statistics.restarts import restarts_table
from benchmarks.statistics.verdicts import Criterion, label, tables
from models.training.verdicts import Evidence
from spaces import Config

GOOD = Ended(
    recipe=Recipe(Config(), epochs=4, noise=0.0, scaled_twice=False, stopped=None, seed=0),
    evidence=Evidence([0.7, 0.5, 0.3, 0.2], [0.5, 0.4, 0.3, 0.3], 0.5, 0.5, 0.95, 40, 200, 0.2, 4),
    held_out=(0.5, 0.4, 0.3, 0.3),
    constant=0.5,
    error=0.02,
    before=0.7,
    after=0.2,
    auc=0.95,
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, Criterion.LEARNS),
        ({"held_out": (0.5, 0.5, 0.5, 0.5)}, Criterion.UNDECIDED),
        ({"held_out": (0.5, 0.5, 0.5, 0.5), "error": 0.001}, Criterion.NOT),
        ({"held_out": (0.7, 0.7, 0.7, 0.7)}, Criterion.NOT),
        # However sure, a hundredth of the constant predictor's loss is nothing.
        ({"held_out": (0.5, 0.5, 0.5, 0.495), "error": 0.001}, Criterion.NOT),
        ({"held_out": (0.2, 0.2, 0.2, 0.9)}, Criterion.OVERTRAINED),
        ({"held_out": (0.6, 0.6, 0.6, 0.9)}, Criterion.OVERTRAINED),
        ({"held_out": (0.6, 0.6, 0.6, 0.9), "after": 0.6}, Criterion.NOT),
        ({"held_out": (0.5, 0.3, 0.9, 0.3)}, Criterion.LEARNS),
        ({"held_out": (0.5, float("nan"))}, Criterion.DIVERGED),
        ({"after": 3.0}, Criterion.DIVERGED),
        ({"recipe": replace(GOOD.recipe, stopped=2), "held_out": (0.5, float("nan"))}, Criterion.CUT),
    ],
)
def test_what_held_out_pits_say(change: dict[str, object], told: Criterion) -> None:
    assert label(replace(GOOD, **change)) is told  # type: ignore[arg-type]  # the table mixes fields


def test_a_table_counts_verdicts_and_shows_where_they_differ() -> None:
    wrong = replace(GOOD, held_out=(0.7, 0.7, 0.7, 0.7))
    confusion, rates, apart = tables([GOOD, GOOD, GOOD, wrong], "by hand")
    assert confusion.rows[0] == ["learned", "3", "0", "1", "0", "0", "0"]
    assert sum(int(cell) for row in confusion.rows for cell in row[1:]) == 4
    assert rates.rows[0][1].startswith("1.000 [")
    assert rates.rows[0][2].startswith("0.000 [")
    assert [row[:3] for row in apart.rows] == [["learned", "does not learn", "1"]]


def test_a_table_says_how_many_of_the_restarted_would_have_learned() -> None:
    slow, lost = replace(GOOD, collapsed_at=(1,)), replace(GOOD, collapsed_at=(1, 4), stuck_at=(4,), held_out=(0.7,) * 4)
    table = restarts_table([GOOD, slow, lost], lambda ended: label(ended) is Criterion.LEARNS)
    assert [row[2:4] for row in table.rows] == [
        ["2 of 3", "1"],
        ["2 of 3", "1"],
        ["1 of 3", "0"],
        ["0 of 3", "0"],
        ["0 of 3", "0"],
        ["1 of 3", "0"],
    ]


def test_recipes_are_drawn_again_alike_and_of_every_kind() -> None:
    recipes = [draw_recipe(5, number) for number in range(150)]
    assert recipes == [draw_recipe(5, number) for number in range(150)]
    assert {recipe.noise for recipe in recipes} == set(NOISES)
    assert {recipe.scaled_twice for recipe in recipes} == {False, True}
    assert any(recipe.stopped for recipe in recipes)
    rates = [recipe.config.optimiser.learning_rate for recipe in recipes]
    assert max(rates) / min(rates) > 1e5
    assert {recipe.config.network.name for recipe in recipes} == {"pitnet", "minihip", "setnet"}
