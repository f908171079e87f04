"""Trials in TensorBoard, read back by its own reader."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from optuna.trial import TrialState
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import metadata
from tensorboard.util.tensor_util import make_ndarray

from search.errors import StudyError
from search.report.mirrors.log_to import log_to
from search.studies.study import Study
from search.trials.records import Recipe, RungResult
from spaces import Config
from spaces.known_configs import choices_of
from tests.support.status import TRIALS, trial_of


def read(folder: Path) -> EventMultiplexer:
    """Read a folder as TensorBoard does when it starts."""
    return EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()


def series(board: EventMultiplexer, run: str, tag: str) -> list[tuple[int, float]]:
    """Give what TensorBoard draws of a tag."""
    return [(event.step, float(make_ndarray(event.tensor_proto))) for event in board.Tensors(run, tag)]


def choices(board: EventMultiplexer, run: str) -> Mapping[str, object]:
    """Give what the tab HPARAMS shows of a run."""
    content = board.SummaryMetadata(run, metadata.SESSION_START_INFO_TAG).plugin_data.content
    values = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in values.items()}


def test_every_trial_of_a_study_is_a_run_of_tensorboard(finished: Study, tmp_path: Path) -> None:
    log_to(f"tensorboard:{tmp_path}/board").on_start(finished, ())
    board = read(tmp_path / "board")
    assert sorted(board.Runs()) == [f"tiny-{finished.uid[:8]}/trial-000{number}" for number in range(3)]
    for trial, run in zip(finished.optuna.trials, sorted(board.Runs()), strict=True):
        rungs = series(board, run, "rungs/acceptance")
        assert [step for step, _ in rungs] == [1, 5, 30]
        assert dict(rungs) == pytest.approx(trial.intermediate_values, abs=1e-6)
        share = RungResult.demand(trial).quoted.share
        for name, value in (("acceptance", share.value), ("acceptance_low", share.low), ("acceptance_high", share.high)):
            assert dict(series(board, run, f"trial/{name}")) == pytest.approx({30: value}, abs=1e-6)
        assert choices(board, run) == choices_of(Config.from_dict(Recipe.demand(trial).config))
        [event] = board.Tensors(run, "trial")
        assert b"- state: complete" in make_ndarray(event.tensor_proto).item()


def test_a_later_launch_copies_what_is_missing_and_nothing_twice(finished: Study, tmp_path: Path) -> None:
    for _ in range(2):
        mirror = log_to(f"tensorboard:{tmp_path}/board")
        with mirror:
            mirror.on_start(finished, ())
            mirror.on_trial_end(finished.optuna.trials[0])
    assert len([*(tmp_path / "board").rglob("*tfevents*")]) == 3
    assert len(read(tmp_path / "board").Runs()) == 3
    assert not [*(tmp_path / "board").rglob(".pitsearch*")]


def test_a_paused_trial_that_is_promoted_is_shown_once(finished: Study, tmp_path: Path) -> None:
    mirror = log_to(f"tensorboard:{tmp_path}/board")
    mirror.open(finished)
    folder = tmp_path / "board" / f"tiny-{finished.uid[:8]}"
    mirror.on_trial_end(trial_of(4, TrialState.WAITING, 1, paused="1x3"))
    assert series(read(folder), "trial-0004", "rungs/acceptance") == [(3, 0.5)]
    mirror.on_trial_end(trial_of(4, TrialState.COMPLETE, 3))
    board = read(folder)
    assert series(board, "trial-0004", "rungs/acceptance") == [(3, 0.5), (45, 0.5), (150, 0.5)]
    assert [step for step, _ in series(board, "trial-0004", "trial/acceptance")] == [150]


def test_trials_of_every_kind_are_copied(finished: Study, tmp_path: Path) -> None:
    said: list[str] = []
    mirror = log_to(f"tensorboard:{tmp_path}/board", said.append)
    mirror.open(finished)
    for trial in TRIALS[:5]:
        mirror.on_trial_end(trial)
    board = read(tmp_path / "board" / f"tiny-{finished.uid[:8]}")
    told = [make_ndarray(board.Tensors(run, "trial")[0].tensor_proto).item().decode() for run in sorted(board.Runs())]
    states = ["complete", "complete", "pruned", "fail", "interrupted"]
    assert [text.splitlines()[0] for text in told] == [f"- state: {state}" for state in states]
    assert "- error: RuntimeError: no such kernel" in told[3]
    assert not said


def test_a_folder_that_takes_no_more_ends_the_copy_with_one_line(finished: Study, tmp_path: Path) -> None:
    said: list[str] = []
    mirror = log_to(f"tensorboard:{tmp_path}/board", said.append)
    (tmp_path / "board").rmdir()
    (tmp_path / "board").write_text("no folder any more")
    with mirror:
        mirror.on_start(finished, ())
        mirror.on_trial_end(finished.trial(0))
    [line] = said
    assert line.startswith(f"trials are no longer copied to tensorboard:{tmp_path}/board: Not a directory; the search goes on")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"^tensorboard:\S+/file: --log-to must be usable, but: File exists; choose another"):
        log_to(f"tensorboard:{tmp_path}/file")


def test_without_tensorboard_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    with pytest.raises(StudyError, match=r"needs tensorboard, but: .*; install it: pip install 'pitsearch\[tensorboard\]'\.$"):
        log_to(f"tensorboard:{tmp_path}/board")
    assert not (tmp_path / "board").exists()
