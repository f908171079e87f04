"""Predict on a folder of nothing but images, and on arrays: the same scores as of the data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from foils import DataError, Dataset
from models.inference.bundle import Bundle
from search.selection.predict import predict, write_scores
from tests.support.bundles import of_data


@pytest.fixture(scope="module")
def model(tiny: Dataset) -> Bundle:
    return of_data(tiny)


def rename(data: Dataset, folder: Path, pattern: str) -> Path:
    """Copy the crops of a data set alone, with names by a pattern."""
    folder.mkdir()
    for pit in data.pits:
        for channel in data.description.channels:
            file = data.description.file(data.folder, pit=pit.pit, foil="", slide="", channel=channel.name)
            shutil.copy(file, folder / pattern.format(pit=pit.pit, channel=channel.name))
    return folder


def test_a_folder_of_images_is_scored_by_their_names(model: Bundle, tiny: Dataset, tmp_path: Path) -> None:
    images = rename(tiny, tmp_path / "images", "{pit}_{channel}.png")
    (images / "notes.txt").write_text("of the microscope")
    shutil.copy(next(images.glob("*.png")), images / "overview.png")
    prediction = predict(model, images)
    scores = dict(zip((pit.pit for pit in prediction.data.pits), prediction.p_signal, strict=True))
    of_data_set = predict(model, tiny)
    assert scores == dict(zip((pit.pit for pit in tiny.pits), of_data_set.p_signal, strict=True))
    assert (prediction.seen, prediction.unseen) == (of_data_set.seen, None)
    assert "1 images whose names end in no channel are left out (overview)" in prediction.remarks()
    write_scores(prediction, tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text().splitlines()[1].endswith(",,,,")


def test_a_folder_of_images_that_tell_no_pits_is_refused(model: Bundle, tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"or images alone to be scored, but the folder has neither; check the path\.$"):
        predict(model, tmp_path / "empty")
    images = rename(tiny, tmp_path / "images", "{channel}-{pit}.png")
    with pytest.raises(DataError, match=r"names of images must end in their channel \(_1\.png, .*but got '1-p.*; rename them"):
        predict(model, images)
    first = next(images.iterdir())
    first.rename(first.with_suffix(".tif"))
    with pytest.raises(DataError, match=r"must be of one suffix, but got \d+ \.png, 1 \.tif; move the others away\.$"):
        predict(model, images)
    whole = rename(tiny, tmp_path / "whole", "{pit}_{channel}.png")
    next(whole.iterdir()).unlink()
    with pytest.raises(DataError, match="the file is missing"):
        predict(model, whole)


def test_arrays_are_scored_as_scikit_learn_does(model: Bundle, tiny: Dataset) -> None:
    crops = tiny.crops()[:5]
    np.testing.assert_array_equal(model.predict_proba(crops)[:, 1], model.score(crops))
    np.testing.assert_allclose(model.predict_proba(crops).sum(1), 1)
    assert (model.predict(crops) == (model.score(crops) >= model.threshold)).all()
