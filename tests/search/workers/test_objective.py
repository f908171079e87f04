"""One trial on the ladder: what it reports, records, and how it may end."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import optuna
import pytest

from foils import Dataset
from models.training import cross_validation as crossvalidation
from models.training.cross_validation import CrossValidation
from models.training.task import make_task
from search.errors import StudyError
from search.seeds import trial_seed
from search.storage.checkpoints import CheckpointStore
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.progress import TrialProgress
from search.trials.records import DAMAGE, CheckpointFile, CheckpointRecord, Recipe, RungResult
from search.trials.stored_curves import read_curves
from search.workers import objective
from search.workers.context import WorkerContext
from search.workers.objective import climb
from search.workers.stop_signal import StopRequested
from search.workers.trial_context import TrialContext
from spaces import Config
from tests.support.cross_validations import collapse_at_first
from tests.support.studies import job_of, start, with_options
from tests.support.trials import Alone


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> WorkerContext:
    return job_of(finished, tiny, tmp_path)


def test_a_complete_trial_records_every_fold(finished: Study) -> None:
    for trial in finished.optuna.trials:
        recipe, reached = Recipe.demand(trial), RungResult.demand(trial)
        for name in ("acceptance", "rejection", "accepted", "signals", "auc", "accuracy", "verdicts", "reseeds"):
            assert len(asdict(reached)[name]) == 5, name
        assert list(trial.intermediate_values) == [1, 5, 30]
        assert trial.value == pytest.approx(np.mean(reached.acceptance))
        assert (reached.rung, reached.would_prune) == ("5x6", None)
        assert reached.epochs_run >= 30
        assert reached.seconds > 0
        assert recipe.seed == trial_seed(0, trial.number)
        assert sum(reached.signals) == 16
        assert Config.from_dict(recipe.config).network.width in ((4, 8) if trial.number else (None,))


def test_the_same_seed_and_parameters_give_the_same_numbers(finished: Study, job: WorkerContext) -> None:
    params = finished.optuna.trials[1].params
    runs = [Alone(params, number) for number in (1, 1, 2)]
    for run in runs:
        climb(run, job.data, job.plan)  # type: ignore[arg-type]  # it quacks like a trial
    first, second = RungResult.read(runs[0]), RungResult.read(runs[1])
    assert first and second
    assert replace(first, seconds=0) == replace(second, seconds=0)
    recipes = [Recipe.read(run) for run in runs]
    assert recipes[0] == recipes[1] != recipes[2]


def test_folds_that_could_not_be_fused_are_noted_with_the_trial(
    finished: Study, job: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU, but computed here; the probe says no, so the numbers are those of folds trained apart.
    monkeypatch.setattr(objective, "make_task", lambda *given, device, **options: make_task(*given, **options))
    monkeypatch.setattr(crossvalidation, "reason_not_to_fuse", lambda trainings: "folds trained apart: a test says so")
    run, apart = Alone(finished.optuna.trials[1].params, 1), finished.optuna.trials[1]
    climb(run, job.data, job.plan, device="cuda")  # type: ignore[arg-type]  # it quacks like a trial
    noted, plain = RungResult.read(run), RungResult.demand(apart)
    assert noted is not None
    assert noted.note == "folds trained apart: a test says so"
    assert noted.auc == plain.auc
    assert plain.note is None


def test_other_trials_on_the_same_rung_say_whether_learning_is_possible(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=1)
    trial = study.optuna.ask()
    values, strict = study.optuna.trials[0].intermediate_values, with_options(study.plan, working_point=0.9)
    for rung in study.plan.ladder.rungs:
        assert objective._others_learned(trial, rung, study.plan) == (values[rung.cost] > 0.3)
        assert not objective._others_learned(trial, rung, strict)


def test_a_plan_survives_the_storage(finished: Study) -> None:
    assert isinstance(finished.plan, Plan)


class Cut:
    """A worker's support that stops a trial after so many epochs, again and again."""

    def __init__(self, folder: Path, every: int) -> None:
        self.folder, self.every, self.cuts = folder, every, 0

    def climb(self, trial: Alone, job: WorkerContext, harm: Callable[[Path], None] = lambda folder: None) -> tuple[float, ...]:
        """Climb in as many pieces as it takes; `harm` is done to the checkpoints after the first."""
        while True:
            left = itertools.count(self.every, -1)

            def check(left: Iterator[int] = left) -> None:
                if next(left) == 1:
                    raise StopRequested("stopped by hand")

            try:
                support = TrialContext(check=check, checkpoints=CheckpointStore(self.folder, f"{self.cuts:08}"))
                return climb(trial, job.data, job.plan, support)  # type: ignore[arg-type]  # it quacks like a trial
            except StopRequested:
                if not self.cuts:
                    harm(self.folder)
                self.cuts += 1


def whole(record: RungResult | None) -> RungResult:
    """Give a record without what no two runs share."""
    assert record is not None
    return replace(record, seconds=0)


@pytest.mark.parametrize("every", [1, 2, 7, 23])
def test_a_trial_that_is_stopped_again_and_again_ends_as_one_that_is_not(
    finished: Study, job: WorkerContext, tmp_path: Path, every: int
) -> None:
    known = finished.optuna.trials[1]
    cut, trial = Cut(tmp_path / "1", every), Alone(known.params, 1)
    assert cut.climb(trial, job) == (known.value,)
    assert cut.cuts >= 30 // every - 2
    assert whole(RungResult.read(trial)) == whole(RungResult.demand(known))
    assert read_curves(trial) == read_curves(known)
    assert DAMAGE.read(trial) is None


def test_a_trial_that_is_stopped_keeps_the_curves_of_trainings_that_were_started_again(
    finished: Study, job: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.demand(finished.optuna.trials[1])
    task = make_task(job.data, Config.from_dict(recipe.config), epochs=6, working_point=0.1)
    first = CrossValidation(task, np.array(job.plan.folds), recipe.seed)
    collapse_at_first(monkeypatch, first, 2)
    curves = []
    for every in (100, 4):
        trial = Alone(finished.optuna.trials[1].params, 1)
        Cut(tmp_path / str(every), every).climb(trial, job)
        curves.append(read_curves(trial))
        assert [(one.start, one.epochs[-1]) for one in curves[-1] if one.fold == 2] == [(0, 1), (1, 6)]
    assert curves[0] == curves[1]


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def one_cut_short(folder: Path) -> None:
    file = sorted(folder.glob("*.safetensors"))[0]
    file.write_bytes(file.read_bytes()[:-9])


def one_tampered_with(folder: Path) -> None:
    file = sorted(folder.glob("*.safetensors"))[-1]
    file.write_bytes(file.read_bytes()[:-9] + b"tampered!")


@pytest.mark.parametrize("harm", [gone, one_cut_short, one_tampered_with])
def test_what_is_lost_of_checkpoints_is_trained_again_to_the_same_numbers(
    finished: Study, job: WorkerContext, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    known, trial = finished.optuna.trials[1], Alone(finished.optuna.trials[1].params, 1)
    assert Cut(tmp_path / "1", 17).climb(trial, job, harm) == (known.value,)
    assert whole(RungResult.read(trial)) == whole(RungResult.demand(known))
    assert read_curves(trial) == read_curves(known)
    assert (DAMAGE.read(trial) or "").startswith("a checkpoint could not be used, so that its fold was trained again: fold ")


def test_a_lost_checkpoint_is_written_again_where_its_fold_gets_as_far_as_before(
    finished: Study, job: WorkerContext, tmp_path: Path
) -> None:
    trial = Alone(finished.optuna.trials[1].params, 1)
    for piece in range(2):
        left = itertools.count(17, -1)

        def check(left: Iterator[int] = left) -> None:
            if next(left) == 1:
                raise StopRequested("stopped by hand")

        store = CheckpointStore(tmp_path / "1", f"{piece:08}")
        with pytest.raises(StopRequested):
            climb(trial, job.data, job.plan, TrialContext(check=check, checkpoints=store))  # type: ignore[arg-type]
        record = CheckpointRecord.read(trial)
        assert record is not None
        assert {file.name for file in record.folds.values()} == {path.name for path in store.folder.iterdir()}
        if not piece:
            gone(store.folder)


def test_a_trial_that_died_between_its_last_rung_and_its_end_trains_no_more(
    finished: Study, job: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, trial = finished.optuna.trials[1], Alone(finished.optuna.trials[1].params, 1)
    climb(trial, job.data, job.plan)  # type: ignore[arg-type]  # it quacks like a trial
    monkeypatch.setattr(objective, "make_task", None)
    assert climb(trial, job.data, job.plan) == (known.value,)  # type: ignore[arg-type]  # it quacks like a trial
    replace(RungResult.read(trial) or RungResult.demand(known), rung="1x1", pruned=True).write(trial)
    with pytest.raises(optuna.TrialPruned):
        climb(trial, job.data, job.plan)  # type: ignore[arg-type]  # it quacks like a trial


def test_only_folds_that_have_gone_on_are_written_again(job: WorkerContext, finished: Study, tmp_path: Path) -> None:
    written: list[str] = []

    class Watched(CheckpointStore):
        def keep(self, fold: int, reseeds: int, epoch: int, content: bytes) -> CheckpointFile:
            written.append(f"{fold} at {epoch}")
            return super().keep(fold, reseeds, epoch, content)

    trial = Alone(finished.optuna.trials[2].params, 2)
    plan = with_options(job.plan, ladder="1x2,5x2,5x6")
    climb(trial, job.data, plan, TrialContext(checkpoints=Watched(tmp_path / "2", "mark")))  # type: ignore[arg-type]  # it quacks like a trial
    assert written == [f"{fold} at 2" for fold in range(5)]


def test_a_disk_that_is_full_is_said_with_its_remedy(job: WorkerContext, finished: Study, tmp_path: Path) -> None:
    (tmp_path / "3").write_text("")
    trial = Alone(finished.optuna.trials[1].params, 1)
    with pytest.raises(
        StudyError, match=r"a checkpoint must be writable, but: .*; make it writable, then run the same command again"
    ):
        climb(trial, job.data, job.plan, TrialContext(checkpoints=CheckpointStore(tmp_path / "3", "mark")))  # type: ignore[arg-type]  # it quacks
    assert RungResult.read(trial) is None


def test_a_trial_says_after_every_epoch_how_far_it_has_come(finished: Study, job: WorkerContext) -> None:
    told: list[TrialProgress] = []
    climb(Alone(finished.optuna.trials[1].params, 1), job.data, job.plan, TrialContext(report=told.append))  # type: ignore[arg-type]
    order = [(one.rung, one.fold, one.epoch) for one in told]
    assert order[:5] == [("1x1", 0, 1), *(("5x1", fold, 1) for fold in range(1, 5))]
    assert order[5:] == [("5x6", fold, epoch) for fold in range(5) for epoch in range(2, 7)]
    assert [one.epochs_run for one in told] == [*range(1, 31)]
    assert all(len(one.losses) == one.epoch for one in told)
    assert all(before.seconds < after.seconds for before, after in itertools.pairwise(told))
