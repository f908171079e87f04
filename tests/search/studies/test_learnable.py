"""Folds in which no network can be called learned are named, by `check` and by `launch`, with the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from foils import Dataset, load
from foils.folds import fold_numbers
from models.training.verdicts import Evidence, Verdict, can_learn, judge
from search.launcher.callbacks import Callback
from search.launcher.launch import launch
from search.studies.learnable import unlearnable_data, unlearnable_folds
from search.studies.options import Budget
from search.studies.study import Study
from tests.support.commands import Runner
from tests.support.studies import SMALL_SPACE, options_of
from tests.support.tiny import write_dataset


@pytest.mark.parametrize("signals", [1, 2, 3, 10])
@pytest.mark.parametrize("backgrounds", [1, 5, 20, 200])
def test_what_cannot_be_learned_is_what_a_perfect_network_is_called_collapsed_for(signals: int, backgrounds: int) -> None:
    perfect = Evidence((0.1,), (0.0,), 0.7, 0.7, 1.0, signals, backgrounds, signals / (signals + backgrounds), 1)
    assert (judge(perfect) is Verdict.LEARNED) == can_learn(signals, backgrounds)


def test_one_signal_pit_is_never_enough_and_none_of_background_either() -> None:
    assert not can_learn(1, 10**6) and can_learn(2, 10**6) and not can_learn(10, 0) and not can_learn(0, 10)


@pytest.fixture
def rare(tmp_path: Path) -> Path:
    """A data set with 7 signal pits: a search of five folds has one a fold."""
    return write_dataset(tmp_path / "rare", counts={"candidate": 7, "top": 20, "bottom": 20, "misc": 10}, seed=5)


class Notes(Callback):
    """Keeps what a launch has to say."""

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.notes = tuple(notes)


def test_a_launch_names_the_folds(rare: Path, tmp_path: Path) -> None:
    notes = Notes()
    options = options_of(ladder="5x1")
    launch(load(rare), SMALL_SPACE, options, storage=f"sqlite:///{tmp_path}/studies.db", budget=Budget(1), callbacks=(notes,))
    (note,) = [note for note in notes.notes if "perfect network" in note]
    assert "of 5 would be judged collapsed" in note and "1 signal pit and" in note and "--ladder" in note


def test_check_says_so_and_is_silent_about_good_data(
    rare: Path, tiny_folder: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unlearnable_data(tiny) is None and unlearnable_folds(tiny, fold_numbers(tiny, 5, 0).tolist()) is None
    run = Runner(monkeypatch, capsys)
    assert "note: 5 folds of a launch would be judged collapsed even by a perfect network" in run("check", rare).out
    assert "perfect network" not in run("check", tiny_folder).out
