"""What a study tries first: the network in use, always; what was enqueued; portfolio or sound recipe; once each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from foils import Dataset, load
from search.analysis.status import summarise
from search.launcher.launch import enqueue_initial_trials
from search.storage.leases import claim
from search.studies import plan
from search.studies.initial_trials import initial_trials
from search.studies.plan import Plan
from search.studies.study import Study, find_study, open_or_create
from search.trials.baseline import is_baseline
from search.trials.records import STOPPED, FixedParams, Recipe, TrialOrigin
from search.workers import worker
from search.workers.sampler import open_study
from search.workers.stop_signal import StopRequested, StopSignal
from search.workers.trial_context import TrialContext
from spaces import Config, Space, SpaceError
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE, PORTFOLIO, SOUND
from spaces.known_configs import KnownConfig
from spaces.suggest import suggest
from tests.support.studies import SMALL_SPACE, job_of, start
from tests.support.tiny import CHANNELS, write_dataset

WIDE = KnownConfig({"network.width": 8, "optimiser.learning_rate": 0.01})


def origins(study: Study) -> list[str | None]:
    return [TrialOrigin.demand(trial).origin for trial in study.optuna.trials]


def config_of(study: Study, number: int) -> Config:
    return Config.from_dict(Recipe.demand(study.trial(number)).config)


def test_the_network_in_use_is_trial_0_also_outside_the_space_and_tells_the_sampler_nothing(finished: Study) -> None:
    trial = finished.trial(0)
    assert is_baseline(trial)
    assert trial.state == TrialState.COMPLETE
    assert (config_of(finished, 0).network, trial.params) == (Network("minihip"), {})
    assert origins(finished) == [BASELINE, SOUND, None]
    assert finished.trial(2).params


def test_a_space_that_holds_the_network_in_use_learns_from_it(finished: Study, tiny: Dataset, tmp_path: Path) -> None:
    space = Space().fit(["candidate", "top", "bottom", "misc"], tiny.description.channels)
    plan = replace(finished.plan, space=space)
    study = open_or_create("fresh", f"sqlite:///{tmp_path}/studies.db", plan)
    first = initial_trials(plan, tiny, (), ())
    assert [entry.config for entry in first] == [None, None]
    enqueue_initial_trials(study, first)
    job = job_of(study, tiny, tmp_path)
    leases = [claim(study.backend, study.id, TrialOrigin("", "host:1")) for _ in first]
    asked = [optuna.Trial(open_study(job.study, job.plan, lease.number), lease.trial_id) for lease in leases if lease]
    assert [suggest(trial, space).network for trial in asked] == [Network("minihip"), Network("pitnet", depth=3, width=32)]
    assert asked[0].params["optimiser.learning_rate (adam, adamw)"] == 2e-4


def test_one_light_gets_the_network_in_use_on_that_light(tmp_path: Path) -> None:
    data = load(write_dataset(tmp_path / "data", channels=CHANNELS[:1]))
    study = start(data, tmp_path, space="quick", trials=1, ladder="5x1")
    assert config_of(study, 0).channels == Channels("single", "1")
    assert study.plan.space.domain("channels.mode") == ("single",)


def test_it_is_never_pruned_and_no_part_of_the_audit(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: True)
    study = start(tiny, tmp_path, trials=2, pruner="halving", ladder="1x1,5x1", audit=0.0)
    assert [trial.state for trial in study.optuna.trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert not Recipe.demand(study.trial(0)).audited


def test_it_comes_first_again_where_it_was_stopped(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> float:
        raise StopRequested("stopped by hand")

    def told(self: StopSignal) -> str | None:
        return "stopped by hand" if STOPPED.read(find_study("tiny", storage).trial(0)) else None

    storage = f"sqlite:///{tmp_path}/studies.db"
    monkeypatch.setattr(worker, "climb", stopped)
    monkeypatch.setattr(StopSignal, "reason", told)
    study = start(tiny, tmp_path, trials=1, ladder="5x1")
    assert [trial.state for trial in study.optuna.trials] == [TrialState.WAITING] * 2
    assert summarise(study).comparison is None
    assert summarise(study).waiting == 1
    monkeypatch.undo()
    start(tiny, tmp_path, trials=2, ladder="5x1")
    assert origins(study) == [BASELINE, SOUND]
    comparison = summarise(study).comparison
    assert comparison is not None
    assert comparison.baseline.number == 0


def test_what_is_enqueued_runs_once_also_when_the_study_goes_on(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=3, ladder="5x1", enqueue=[WIDE, WIDE])
    ours = origins(study)[2]
    assert ours is not None and ours.startswith("enqueued ")
    config = config_of(study, 2)
    assert (config.network.width, config.optimiser.learning_rate) == (8, 0.01)
    assert set(study.trial(2).params) == {"network.width", "optimiser.learning_rate", *study.trial(1).params}
    start(tiny, tmp_path, trials=5, ladder="5x1", enqueue=[WIDE, KnownConfig({"network.width": 4})])
    assert origins(study)[:3] == [BASELINE, SOUND, ours]
    assert origins(study)[3] not in (None, ours)
    assert origins(study)[4] is None
    assert config_of(study, 3).network.width == 4


@pytest.fixture
def with_portfolio(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """A portfolio that the small space holds."""
    known = [{"network.width": 8}, {"network.width": 4}]
    monkeypatch.setattr(plan, "portfolio", lambda space: tuple(known))
    return known


def test_the_portfolio_comes_in_place_of_the_recipe_once_and_behind_what_is_enqueued(
    tiny: Dataset, tmp_path: Path, with_portfolio: list[dict[str, int]]
) -> None:
    study = start(tiny, tmp_path, trials=3, ladder="5x1", enqueue=[WIDE])
    kinds = [None if origin is None else origin.split()[0] for origin in origins(study)]
    assert kinds == [BASELINE.split()[0], "enqueued", PORTFOLIO]  # no more than there is room for
    assert study.plan.portfolio == tuple(with_portfolio)
    start(tiny, tmp_path, trials=5, ladder="5x1")
    assert [str(origin).split()[0] for origin in origins(study)[3:]] == [PORTFOLIO, "None"]
    assert [config_of(study, number).network.width for number in (2, 3)] == [8, 4]
    assert len({*origins(study)}) == 5


def test_a_study_that_began_without_a_portfolio_goes_on_without(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = start(tiny, tmp_path, trials=2, ladder="5x1")
    monkeypatch.setattr(plan, "portfolio", lambda space: ({"network.width": 8},))
    start(tiny, tmp_path, trials=3, ladder="5x1")
    assert origins(study) == [BASELINE, SOUND, None]


def test_all_of_the_portfolio_comes_where_only_time_is_limited(
    tiny: Dataset, tmp_path: Path, with_portfolio: list[dict[str, int]]
) -> None:
    made = start(tiny, tmp_path, trials=1, ladder="5x1").plan
    assert [entry.origin.split()[0] for entry in initial_trials(made, tiny, (), ())] == ["network", PORTFOLIO, PORTFOLIO]


def test_what_the_space_does_not_hold_is_refused_before_anything_is_written(tiny: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"f.toml: trial 2: `network.width` must be in the space \(4, 8\), but got 99;"):
        start(tiny, tmp_path, enqueue=[WIDE, KnownConfig({"network.width": 99}, "f.toml: trial 2")])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_sampler_goes_on_where_the_first_trial_has_no_parameters(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(trial: optuna.Trial, data: Dataset, plan: Plan, support: TrialContext, device: str) -> float:
        asked = FixedParams.read(trial)
        if asked is None or asked.config is None:
            suggest(trial, plan.space)
        return float(trial.number)

    monkeypatch.setattr(worker, "climb", quick)
    study = start(tiny, tmp_path, trials=14, ladder="5x1", space=SMALL_SPACE)
    assert [trial.state for trial in study.optuna.trials] == [TrialState.COMPLETE] * 14
    assert all(set(trial.params) == set(study.trial(13).params) for trial in study.optuna.trials[1:])
