"""Pictures show what a trial recorded, of every age and state; the store draws them when asked, and keeps files apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import FrozenTrial, TrialState, create_trial
from PIL import Image

from search.dashboard.picture_store import PictureStore
from search.dashboard.pictures import PICTURES, draw_png, picture_id
from search.dashboard.shown_trials import ARTIFACTS, shown_trial
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.studies.study import Study
from search.trials.records import RungResult
from search.trials.stored_curves import CURVES, read_curves
from search.trials.stored_scores import SCORES
from tests.support.trials import reached, written

CURVE, ROC = PICTURES


def pixels(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def lines(picture: Any, trial: FrozenTrial) -> list[list[Any]]:
    """Give the lines of each panel of a picture."""
    figure = picture.draw(trial, RungResult.demand(trial))
    return [[line for line in axes.get_lines() if len(line.get_xdata()) > 2] for axes in figure.axes]


def test_learning_curves_have_a_line_for_every_training_as_it_was_recorded(finished: Study) -> None:
    for trial in finished.optuna.trials:
        curves = read_curves(trial)
        acceptance, losses = lines(CURVE, trial)
        assert len(acceptance) == len(curves) >= 5
        assert len(losses) == 2 * len(curves)
        for line, curve in zip(acceptance, curves, strict=True):
            assert np.array_equal(line.get_xdata(), curve.epochs)
            assert np.array_equal(line.get_ydata(), curve.acceptance, equal_nan=True)


def test_the_roc_shows_what_is_quoted(finished: Study) -> None:
    trial = finished.optuna.trials[0]
    record = RungResult.demand(trial)
    figure = ROC.draw(trial, record)
    point: Any = figure.axes[0].containers[0]
    assert point.lines[0].get_ydata()[0] == record.quoted.share.value
    ends = np.concatenate([segment[:, 1] for segment in point.lines[2][0].get_segments()])
    assert np.allclose(sorted(ends), [record.quoted.share.low, record.quoted.share.high])
    assert figure.axes[0].get_xscale() == "log"
    for line in lines(ROC, trial)[0]:
        assert (np.diff(line.get_ydata()) >= 0).all()


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_a_picture_is_drawn_the_same_each_time_and_is_not_empty(picture: Any, finished: Study) -> None:
    trial = finished.optuna.trials[0]
    record = RungResult.demand(trial)
    first = draw_png(picture, trial, record)
    assert first == draw_png(picture, trial, record)
    assert len(np.unique(pixels(first).reshape(-1, 3), axis=0)) > 20
    assert len(first) < 250_000


def test_a_trial_of_an_older_version_shows_its_rungs() -> None:
    attributes = written(reached())
    trial = create_trial(value=0.9, user_attrs=attributes, intermediate_values={1: 0.1, 45: 0.5, 150: 0.9})
    assert CURVE.can_draw(trial)
    assert not ROC.can_draw(trial)
    ((line,),) = lines(CURVE, trial)
    assert line.get_ydata().tolist() == [0.1, 0.5, 0.9]


@pytest.mark.parametrize(("key", "picture"), [(CURVES, CURVE), (f"{SCORES}:5x6", ROC)])
def test_records_that_are_damaged_are_one_clear_error(key: str, picture: Any, finished: Study) -> None:
    trial = finished.optuna.trials[0]
    trial.user_attrs[key] = {**trial.user_attrs[key], "packed": "AAAA"}
    with pytest.raises(StudyError, match="must be those that were written, but are damaged"):
        draw_png(picture, trial, RungResult.demand(trial))


def test_the_files_of_a_trial_are_its_pictures(finished: Study) -> None:
    for trial in finished.optuna.trials:
        names = [name for name in shown_trial(trial).system_attrs if name.startswith(ARTIFACTS)]
        assert names == [f"{ARTIFACTS}d0-0-{trial._trial_id}", f"{ARTIFACTS}d0-1-{trial._trial_id}"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the store has drawn, in place of the pictures themselves."""
    asked: list[Any] = []

    def draw(*given: object) -> bytes:
        asked.append(given)
        return b"png"

    monkeypatch.setattr("search.dashboard.picture_store.draw_png", draw)
    return asked


def test_the_store_draws_a_picture_once(finished: Study, drawn: list[Any]) -> None:
    store = PictureStore(StudyView(finished.storage))
    assert [store.open_reader(picture_id(1, 2)).read() for _ in range(3)] == [b"png"] * 3
    assert len(drawn) == 1
    store.open_reader(picture_id(0, 2))
    assert [(picture.file, trial.number) for picture, trial, _ in drawn] == [("roc.png", 1), ("learning-curves.png", 1)]


def test_a_picture_of_a_running_trial_is_drawn_anew_when_it_has_gone_on(finished: Study, drawn: list[Any]) -> None:
    trial, store = finished.optuna.ask(), PictureStore(StudyView(finished.storage))
    for step in (1, 2):
        trial.report(0.5, step)
        reached(epochs_run=step).write(trial)
        store.open_reader(picture_id(0, trial._trial_id))
        store.open_reader(picture_id(0, trial._trial_id))
    assert [record.epochs_run for _, _, record in drawn] == [1, 2]


@pytest.mark.parametrize("name", ["d0-0-99", "d0-7-1", "d0-0-1-2", "0b1c", "d0-0-99999999999999999999"])
def test_what_is_not_there_is_not_found(name: str, finished: Study) -> None:
    with pytest.raises(ArtifactNotFound):
        PictureStore(StudyView(finished.storage)).open_reader(name)


def test_a_trial_without_a_rung_has_no_picture(finished: Study) -> None:
    trial = finished.optuna.ask()
    with pytest.raises(ArtifactNotFound):
        PictureStore(StudyView(finished.storage)).open_reader(picture_id(0, trial._trial_id))
    assert finished.optuna.trials[-1].state == TrialState.RUNNING


def test_files_are_in_their_folder_and_pictures_are_not_removed(finished: Study, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    store = PictureStore(StudyView(finished.storage), tmp_path / "files")
    store.write("0b1c-2", io.BytesIO(b"mine"))
    with store.open_reader("0b1c-2") as file:
        assert (tmp_path / "files" / "0b1c-2").read_bytes() == file.read() == b"mine"
    for name in ("0b1c-2", "0b1c-2", picture_id(0, 1)):  # also one that is gone
        store.remove(name)
    assert not list((tmp_path / "files").iterdir())
    assert store.open_reader(picture_id(0, 1)).read(4) == b"\x89PNG"
    with pytest.raises(ArtifactNotFound):
        PictureStore(StudyView(finished.storage)).write("0b1c-2", io.BytesIO(b"mine"))
