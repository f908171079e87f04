"""Policies are judged by what they would have selected: exactly where nothing is noisy, and the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks.replay.__main__ import main
from benchmarks.replay.extrapolation import extrapolate
from benchmarks.replay.outlook import outlook_table
from benchmarks.replay.policies import DEFAULT, Policy
from benchmarks.replay.portfolio import portfolio
from benchmarks.replay.replay import _confirmations, draw, others_of, regrets
from benchmarks.replay.report import replay_tables
from benchmarks.replay.scores import by_fold, show
from benchmarks.replay.selection import select
from benchmarks.table.data_sets import JUDGED
from benchmarks.table.recorded import Recorded
from search.errors import StudyError
from search.trials.ladder import Ladder, Rung
from tests.support.recorded_tables import made_up

TRUTHS = [0.3, 0.5, *np.linspace(0.1, 0.8, 12)]
FOREVER = 1e9


def tables(*names: str, noise: float = 0.0) -> dict[str, Recorded]:
    return {
        name: made_up(np.roll(TRUTHS, place), noise=noise, seeds=2, name=name, generator_seed=place)
        for place, name in enumerate(names)
    }


@pytest.mark.parametrize("policy", ["whole", "full/5x30/mean3/sound", "pause/1x3,1x9,5x9,5x30/mean3+/sound", "shipped"])
def test_with_time_enough_and_no_noise_nothing_is_lost(policy: str) -> None:
    values = regrets(Policy.parse(policy), "easy", tables("easy", "hard"), [FOREVER], 5)
    assert values == pytest.approx(np.zeros((1, 5)))


def test_where_nothing_is_complete_everything_is_lost() -> None:
    values = regrets(Policy.parse("whole"), "easy", tables("easy"), [299.0, 2 * 150.2], 3)
    assert values[0] == pytest.approx([0.8] * 3)
    assert (values[1] < 0.8).all()


def test_replications_are_reproducible_and_alike_for_all_policies() -> None:
    held = tables("easy", "hard", noise=0.1)
    policy, budgets = Policy.parse("promotion/1x3,1x9,5x9,5x30/mean/random"), [600.0, 3000.0]
    values = regrets(policy, "easy", held, budgets, 8)
    assert (values == regrets(policy, "easy", held, budgets, 8)).all()
    assert (values[:, :4] == regrets(policy, "easy", held, budgets, 4)).all()
    assert len(set(values[0])) > 1
    assert draw(held["easy"], 3) == draw(held["easy"], 3) != draw(held["easy"], 4)


def test_the_network_in_use_and_the_sound_recipe_come_only_as_a_start() -> None:
    table = replace(tables("easy")["easy"], is_recorded=np.array([[True, False]] * len(TRUTHS)))
    drawn = draw(table, 0)
    assert sorted(drawn.order) == [2 * place for place in range(2, len(TRUTHS))]
    assert set(drawn.seeds) == {0}


def test_what_starts_is_complete_first() -> None:
    held = {"easy": made_up([0.2, 0.9, 0.1, 0.3])}
    budget = 2 * 150.2
    assert regrets(Policy.parse("full/5x30/mean/sound"), "easy", held, [budget], 3) == pytest.approx(np.zeros((1, 3)))
    assert regrets(Policy.parse("full/5x30/mean/1+3"), "easy", held, [budget], 3) == pytest.approx(np.zeros((1, 3)))
    assert regrets(Policy.parse("full/5x30/mean/3"), "easy", held, [budget], 3).min() == pytest.approx(0.6)
    with pytest.raises(ValueError, match="must be recorded on 'easy', but got no 9"):
        regrets(Policy.parse("full/5x30/mean/9"), "easy", held, [budget], 1)


def test_the_network_in_use_is_never_pruned() -> None:
    held = {"easy": made_up([0.2, 0.9, *[0.5] * 20])}
    values = regrets(Policy.parse("pause/1x3,5x30/mean/network"), "easy", held, [2 * 150.2], 2)
    assert values == pytest.approx(np.full((1, 2), 0.9 - 0.2))


def test_a_selection_keeps_what_learns_and_is_confirmed() -> None:
    table = made_up([0.5, 0.6, 0.7, 0.8], seeds=2)
    table.has_learned[3, 0, 2] = False
    table.has_learned[2, 1, 4] = False
    shown = show(table, Ladder.parse("5x30"), "mean", [])
    other = [[trial ^ 1] for trial in range(8)]
    # The best did not learn, and the next one not again.
    assert select([0, 2, 4, 6], shown, other) == 2
    assert select([4, 6], shown, other) is None
    assert select([], shown, other) is None


def test_a_selection_takes_all_other_seeds_for_its_mean() -> None:
    table = made_up([0.5, 0.6, 0.7], seeds=3)
    table.epochs["mean_acceptance"][2, :, :, -1] = np.reshape([0.7, 0.2, 0.9], (3, 1))
    shown, confirmations = show(table, Ladder.parse("5x30"), "mean", []), _confirmations(table)
    # Its others reach 0.55 where the first seed was searched, and 0.45 where the last was.
    assert select([0, 6], shown, confirmations) == 6
    assert select([0, 8], shown, confirmations) == 0
    alone = replace(table, is_recorded=np.array([[True, False, False]] * 3))
    assert _confirmations(alone)[::3] == [[0], [3], [6]]


def test_complete_trials_are_selected_by_what_stands_behind_the_colon() -> None:
    table = made_up([0.5, 0.6])
    table = replace(table, epochs={**table.epochs, "acceptance_5": table.epochs["acceptance_5"][::-1]})
    by_mean, by_acceptance = (show(table, Ladder.parse("1x3,5x30"), score, []) for score in ("mean", "mean:a5"))
    assert by_mean.values == by_acceptance.values
    assert by_mean.final == pytest.approx(by_acceptance.final[::-1])


def test_scores_are_means_over_the_folds_with_their_error() -> None:
    table, ladder = made_up([0.5, 0.6], noise=0.1), Ladder.parse("1x3,5x30")
    plain, bound = (np.array(show(table, ladder, score, []).values) for score in ("mean3", "mean3+"))
    curve = table.epochs["mean_acceptance"][:, 0]
    assert plain[:, 1] == pytest.approx(curve[:, :, 27:].mean((1, 2)))
    assert plain[:, 0] == pytest.approx(curve[:, 0, :3].mean(1))
    folds = by_fold(table, Rung(5, 30), "mean3")[:, 0]
    assert bound[:, 1] - plain[:, 1] == pytest.approx(folds.std(1, ddof=1) / np.sqrt(5))
    # A single fold has the error of its pits.
    assert bound[:, 0] - plain[:, 0] == pytest.approx(table.epochs["standard_error"][:, 0, 0, 2])


def test_a_regression_expects_the_end_from_the_start() -> None:
    held = tables("easy", "hard", "craters")
    expected = extrapolate(held["easy"], Rung(1, 3), others_of("easy", held))
    end = held["easy"].epochs["mean_acceptance"][..., -1].mean(-1)
    assert expected == pytest.approx(end, abs=0.01)
    with pytest.raises(ValueError, match="must be fitted on another data set, but got none"):
        extrapolate(held["easy"], Rung(1, 3), [])


def test_nothing_is_fitted_on_the_data_set_that_judges() -> None:
    held = tables("easy", "hard", JUDGED, noise=0.05)
    spoilt = {**held, JUDGED: made_up(TRUTHS[::-1], noise=0.5, seeds=2, name=JUDGED)}
    for score, start in (("fit", "sound"), ("mean3", "portfolio")):
        policy = Policy.parse(f"pause/1x3,5x30/{score}/{start}")
        for name in ("easy", "hard"):
            before, after = (regrets(policy, name, each, [1000.0, FOREVER], 4) for each in (held, spoilt))
            assert (before == after).all()
    assert [table.name for table in others_of(JUDGED, held)] == ["easy", "hard"]
    assert [table.name for table in others_of("easy", held)] == ["hard"]


def test_the_portfolio_covers_the_data_sets_one_after_another() -> None:
    first, second = made_up([0.5, 0.6, 0.9, 0.1]), made_up([0.5, 0.6, 0.1, 0.9])
    # Number 1 does best alone with both; what one of them lacks most is added next.
    assert portfolio([first, second], 1) == [1]
    assert portfolio([first, second], 3)[0] == 1
    assert set(portfolio([first, second], 3)) == {1, 2, 3}
    assert portfolio([first]) == [2, 1, 0, 3]


def test_every_default_policy_is_replayed() -> None:
    held = tables("easy", "hard", JUDGED, noise=0.05)
    drawn = replay_tables(held, [Policy.parse(text) for text in DEFAULT], list(held), [5.0, 20.0], 2)
    assert [len(table.rows) for table in drawn] == [len(DEFAULT)] * 4 + [10]
    assert "on which no policy is tuned" in drawn[2 if list(held)[2] == JUDGED else 1].title
    assert "easy, hard, in points" in drawn[3].title


def test_a_ladder_ends_where_the_truth_is_known() -> None:
    with pytest.raises(ValueError, match="must end at 5x30, as the recorded trainings, but got '1x3,5x40'"):
        regrets(Policy.parse("full/1x3,5x40/mean/random"), "easy", tables("easy"), [1.0], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pause/5x30/mean", "a policy must be written RULE/LADDER/SCORE/START"),
        ("stop/5x30/mean/random", "a rule must be one of full, median, halving, trailing, promotion, pause"),
        ("pause:0/5x30/mean/random", "a rule must be one of"),
        ("pause/5x30/best/random", "a score must be one of a5, mean, mean3, fit"),
        ("pause/5x30/mean:best/random", "a score must be one of a5, mean, mean3, fit"),
        ("pause/5x30/mean/tpe", "a start must be of random"),
        ("pause/5by30/mean/random", "a rung must be written FOLDSxEPOCHS"),
    ],
)
def test_a_wrong_policy_is_one_line(text: str, message: str) -> None:
    with pytest.raises((ValueError, StudyError), match=message):
        Policy.parse(text)


def test_without_a_table_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--tables", str(tmp_path)])
    assert result.exit_code == 1
    assert str(result.exception).endswith("must hold the recorded table, but got no NAME-epochs.parquet; collect it first.")


def test_what_more_trials_bring_is_held_against_what_was_expected() -> None:
    truths = np.random.default_rng(0).beta(8, 2, 82).tolist()
    table = outlook_table({"easy": made_up(truths, noise=0.01, seeds=1, name="easy", generator_seed=0)}, 12)
    assert [row[:2] for row in table.rows] == [["easy", "20"], ["easy", "40"]]
    for row in table.rows:
        expected, brought, bound = map(float, row[2:5])
        assert 0 < expected < bound
        assert 0 <= brought < bound
        assert int(row[5].rstrip("%")) >= 75
