"""The Pareto front: what is on it, how it is shown, and a study that searches for one from launch to selection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState, create_trial

from foils import Dataset
from models.inference.cost import inference_cost
from search.analysis.learning_curve_setup import best_config
from search.analysis.status import of_trials, summarise
from search.errors import StudyError
from search.pruning.audit import good_trials, measure
from search.pruning.promotion import PROMOTION
from search.pruning.pruners import PRUNERS
from search.report.pareto_figure import figure, write_figure
from search.report.tables import status_table, trial_line
from search.selection.confirm import ConfirmOptions
from search.selection.select import select
from search.studies.pareto import front_numbers, pareto_trials
from search.studies.study import Study
from search.trials.objectives import CHOICES
from search.trials.records import Recipe, RungResult, TrialOrigin, on_rungs
from search.workers.objective import FEASIBLE
from spaces import Config
from spaces.initial_configs import BASELINE
from tests.support.golden import assert_golden, render
from tests.support.slow_cases import slow_after_first
from tests.support.status import CONFIG
from tests.support.studies import job_of, one_more, start, with_options
from tests.support.trials import PLAN, reached, recipe, written

TWO = CHOICES[1:]
COSTS, REJECTIONS = (with_options(PLAN, objectives=objectives) for objectives in (TWO[1], TWO[0]))


def trial_of(
    number: int, accepted: int, second: float, name: str = "cost", fifth: str = "learned", **changes: Any
) -> FrozenTrial:
    """Make a complete trial that accepted so many of 100 signal pits, its folds alike."""
    shares = {"acceptance": [accepted / 100] * 3, name: [second] * 3}
    found = reached(
        accepted=(accepted // 5,) * 4 + (accepted - 4 * (accepted // 5),),
        signals=(20,) * 5,
        rejected_high=(round(40 * min(second, 1)),) * 5,
        backgrounds=(40,) * 5,
        verdicts=("learned",) * 4 + (fifth,),
        steps=(3, 45, 150),
        path=shares,
        **changes,
    )
    begun = TrialOrigin("launch", "host:1", None if number else BASELINE)
    trial = create_trial(values=[accepted / 100, second], user_attrs=written(begun, recipe(CONFIG, audited=True), found))
    trial.number = number
    return trial


TRIALS = [
    trial_of(0, 70, 4.6e6),
    trial_of(1, 80, 5e5),
    trial_of(2, 90, 2.94e6),
    trial_of(3, 90, 2.95e6),
    trial_of(4, 92, 4.61e7),
    trial_of(5, 99, 1e4, fifth="collapsed"),
    trial_of(6, 60, 6e5),
]


def test_the_front_is_what_nothing_is_better_than() -> None:
    assert front_numbers(TRIALS, COSTS) == (4, 2, 1)
    assert [member.number for member in pareto_trials(TRIALS, COSTS)] == [4, 2, 3, 1, 0, 6]
    assert [member.number for member in pareto_trials(TRIALS, COSTS) if member.in_use] == [0]


def test_shares_are_pooled_as_they_are_shown() -> None:
    # The means over the folds differ by rounding; by the pits the two are alike, and one is cheaper.
    trials = [trial_of(0, 90, 2e6), trial_of(1, 90, 1e6)]
    trials[0].user_attrs["reached"]["path"]["acceptance"] = [0.9 + 1e-9] * 3
    assert front_numbers(trials, COSTS) == (1,)


def test_more_rejection_is_better_and_has_an_interval() -> None:
    trials = [trial_of(number, *values, "rejection") for number, values in enumerate(((90, 0.5), (80, 0.9), (80, 0.8)))]
    found = pareto_trials(trials, REJECTIONS)
    assert front_numbers(trials, REJECTIONS) == (0, 1)
    assert [str(member.interval) for member in found][:1] == ["0.500 [0.377, 0.623]"]


def test_trials_that_are_the_same_are_both_on_the_front_and_unfinished_ones_never() -> None:
    running = create_trial(state=TrialState.RUNNING)
    assert front_numbers([trial_of(1, 90, 5.0), trial_of(2, 90, 5.0), running], COSTS) == (1, 2)
    assert front_numbers([running], COSTS) == front_numbers([TRIALS[5]], COSTS) == ()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_front_holds_off_all_others_and_none_of_its_own(points: list[tuple[int, int]]) -> None:
    trials = [trial_of(number, 10 * level, float(cost)) for number, (level, cost) in enumerate(points)]
    on = [points[number] for number in front_numbers(trials, COSTS)]
    assert on

    def beaten(point: tuple[int, int]) -> bool:
        return any(other != point and other[0] >= point[0] and other[1] <= point[1] for other in points)

    assert not any(map(beaten, on))
    assert all(beaten(point) for point in points if point not in on)


def test_a_study_of_one_objective_has_no_front(finished: Study) -> None:
    with pytest.raises(StudyError, match="a front needs two objectives, but the study was made for acceptance alone; launch"):
        front_numbers(finished.optuna.trials, finished.plan)


def test_what_is_good_is_good_beside_those_as_cheap() -> None:
    # One standard error under 92 of 100 is 0.029; under 80, among those of 6e5 and less, 0.040.
    trials = [*TRIALS, trial_of(7, 77, 6e5, would_prune="1x3")]
    assert [trial.number for trial in good_trials(trials, TWO[1])] == [1, 2, 3, 4, 7]
    assert [trial.number for trial in good_trials(trials)] == [2, 3, 4]
    assert measure(trials, TWO[1]).killed == {"1x3": 1}
    assert measure(trials).killed == {}


def test_the_table_of_a_study_with_a_front() -> None:
    assert_golden("status_front", render(status_table(of_trials("craters", COSTS, TRIALS))))
    many = [trial_of(number, 60 + number, float(number)) for number in range(1, 21)]
    assert render(status_table(of_trials("craters", COSTS, many))).endswith("... and 5 more\n")
    nothing = render(status_table(of_trials("craters", REJECTIONS, [])))
    assert nothing.endswith("front: no trial has climbed the whole ladder yet whose folds all learned\n")


def test_a_trials_line_says_the_other_objective() -> None:
    assert "0.920 [0.840, 0.962]  46.1 M multiply-adds a pit  rung 5x30  " in trial_line(TRIALS[4])


def test_the_figure_shows_the_front_the_others_and_the_network_in_use(tmp_path: Path) -> None:
    found = pareto_trials(TRIALS, COSTS)
    others, on_front, in_use = figure("craters", "cost", 0.05, found).data
    assert list(on_front.x) == [4.61e7, 2.94e6, 5e5]
    assert list(on_front.y) == [0.92, 0.9, 0.8]
    assert (list(others.y), list(in_use.y)) == ([0.9, 0.6], [0.7])
    assert on_front.error_y.array[0] == pytest.approx(found[0].acceptance.high - 0.92)
    write_figure("craters", "cost", 0.05, found, tmp_path / "front.html")
    page = (tmp_path / "front.html").read_text(encoding="utf-8")
    assert "<script src=" not in page
    assert "multiply-adds a pit" in page
    with pytest.raises(StudyError, match=r"the figure must be written, but: No such file or directory; choose another --out"):
        write_figure("craters", "cost", 0.05, found, tmp_path / "nowhere" / "front.html")


def test_rejection_has_error_bars_both_ways() -> None:
    trials = [trial_of(1, 90, 0.5, "rejection")]
    drawn = figure("craters", "rejection", 0.05, pareto_trials(trials, REJECTIONS)).data[1]
    assert drawn.error_x.array[0] == pytest.approx(0.123, abs=1e-3)


@pytest.mark.parametrize("objectives", slow_after_first((pair,) for pair in TWO))
def test_a_study_searches_for_a_front_from_launch_to_selection(
    tiny: Dataset, tmp_path: Path, objectives: tuple[str, ...]
) -> None:
    study = start(tiny, tmp_path, trials=4, objectives=objectives)
    again = start(tiny, tmp_path, trials=5, objectives=objectives)
    assert again == study
    opened, second = study.optuna, objectives[1]
    assert len(opened.directions) == 2
    for trial in opened.trials:
        found = RungResult.demand(trial)
        assert list(on_rungs(trial)) == [1, 5, 30]
        assert not trial.intermediate_values
        assert found.path["acceptance"][-1] == trial.values[0]
        config = Config.from_dict(Recipe.demand(trial).config)
        if second == "cost":
            assert set(found.path["cost"]) == {inference_cost(config, tiny.description.channels, 12)}
        else:
            assert found.path["rejection"][-1] == trial.values[1]
            assert trial.values[1] == pytest.approx(
                sum(hits / of for hits, of in zip(found.rejected_high, found.backgrounds, strict=True)) / 5
            )
    sound = {trial.number for trial in opened.trials if set(RungResult.demand(trial).verdicts) == {"learned"}}
    assert {member.number for member in pareto_trials(opened.trials, study.plan)} == sound
    assert {trial.number for trial in opened.best_trials} <= sound  # Optuna's own front honours the constraint
    status = summarise(study)
    assert dict(status.rungs) == {"1x1": 5, "5x1": 5, "5x6": 5}
    assert {member.number for member in status.front} == set(front_numbers(opened.trials, study.plan))
    assert best_config(study)
    chosen = select(study, ConfirmOptions(top=2, repeats=1, reliability=0.0), data=tiny, workers=1)
    assert chosen.winner.number in front_numbers(opened.trials, study.plan)
    assert all(
        candidate.number in front_numbers(opened.trials, study.plan) for candidate in chosen.candidates if candidate.confirmed
    )


@pytest.mark.parametrize("pruner", slow_after_first(name for name in PRUNERS if name not in ("none", PROMOTION)))
def test_trials_are_pruned_and_the_sampler_goes_on(tiny: Dataset, tmp_path: Path, pruner: str) -> None:
    study = start(tiny, tmp_path, trials=1, objectives=TWO[1], pruner=pruner, ladder="1x1,5x2", audit=0.0)
    plan, opened = study.plan, study.optuna
    path = {"acceptance": [1.1, 1.1], "cost": [1.0, 1.0]}
    # So many background pits leave no chance to the threshold.
    perfect = reached(rung="5x2", steps=(1, 10), path=path, backgrounds=(10**6,) * 5)
    for _ in range(12):  # nobody is as good or as cheap
        opened.add_trial(create_trial(values=[1.1, 0.0], user_attrs=written(recipe(), perfect), system_attrs=COMPETED))
    job = job_of(study, tiny, tmp_path)
    pruned = [study.trial(one_more(job)) for _ in range(3)]
    assert [trial.state for trial in pruned] == [TrialState.PRUNED] * 3
    for trial in pruned:
        assert (RungResult.demand(trial).rung, trial.values) == ("1x1", None)
        assert 2 <= trial.constraints[FEASIBLE] <= 3
    assert summarise(study).pruned == 3
    spared = study.trial(one_more(replace(job, plan=with_options(plan, audit=1.0))))
    assert (spared.state, RungResult.demand(spared).would_prune) == (TrialState.COMPLETE, "1x1")
    assert spared.constraints[FEASIBLE] <= 1
    assert start(tiny, tmp_path, trials=17, objectives=TWO[1], pruner=pruner, ladder="1x1,5x2", audit=0.0) == study


# As successive halving marks those that competed on its first rung.
COMPETED = {"completed_rung_0": 2.0}


def test_a_fold_that_did_not_learn_breaks_the_constraint(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=2, objectives=TWO[1], ladder="5x1")
    for trial in study.optuna.trials:
        learned = RungResult.demand(trial).verdicts.count("learned")
        assert trial.constraints == {FEASIBLE: pytest.approx(1 - learned / 5)}


def test_a_study_made_for_other_objectives_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=1, ladder="5x1")
    message = r"was made with another choice of objectives \(acceptance, but now acceptance,cost\); choose another --study"
    with pytest.raises(StudyError, match=message):
        start(tiny, tmp_path, trials=1, ladder="5x1", objectives=("acceptance", "cost"))
    assert study.optuna.metric_names == ["signal acceptance"]
