"""A study whose labelling asks for another label than the data set's signal, from launch to scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from foils import Dataset, load
from models.inference.bundle import read_bundle
from search.selection.confirm import ConfirmOptions
from search.selection.export import ExportOptions, export
from search.selection.predict import predict
from search.selection.select import select
from search.trials.records import RungResult
from spaces import Range, Space, SpaceError
from tests.support.studies import SMALL_SPACE, start
from tests.support.tiny import write_dataset

TOP_BOTTOM = Space({**SMALL_SPACE.chosen, "labelling.scheme": ("top-bottom",), "optimiser.learning_rate": Range(1e-2, 3e-2)})


def test_top_against_bottom_is_scored_with_top_as_the_signal(tmp_path: Path) -> None:
    # A fold of three against three could not tell learning from chance.
    tiny = load(write_dataset(tmp_path / "data", counts={"candidate": 10, "top": 40, "bottom": 40}))
    study = start(tiny, tmp_path, space=TOP_BOTTOM, trials=2, ladder="5x12")
    plan = study.plan
    searched, locked = plan.search_set(tiny), plan.held_out_set(tiny)
    for part in (searched, locked):
        assert set(part.labels) == {"top", "bottom"}
        assert part.description.signal == "top"
    tops = int((searched.labels == "top").sum())
    for trial in study.optuna.trials:
        assert sum(RungResult.demand(trial).signals) == tops
    chosen = select(study, ConfirmOptions(top=1, repeats=1, reliability=0.0), data=tiny.folder, workers=1)
    assert chosen.opening.held_out.signals == int((locked.labels == "top").sum())
    export(chosen, tmp_path / "out", ExportOptions(onnx=False))
    found = predict(read_bundle(tmp_path / "out"), tiny)
    assert found.unseen is not None
    assert (found.unseen.signals, found.unseen.backgrounds) == tuple(
        (locked.labels == name).sum() for name in ("top", "bottom")
    )


def test_two_questions_in_one_space_are_refused(tiny: Dataset, tmp_path: Path) -> None:
    both = Space({**SMALL_SPACE.chosen, "labelling.scheme": ("binary", "top-bottom")})
    with pytest.raises(SpaceError, match="must ask one question of all trials"):
        start(tiny, tmp_path, space=both)
    assert not list(tmp_path.iterdir())
