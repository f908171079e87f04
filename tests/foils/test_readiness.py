"""Whether a launch would refuse a data set is told before it is launched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foils import DataError, Dataset, load
from foils.folds import fold_numbers
from foils.hold_out import check_halves, hold_out
from foils.readiness import background_note, obstacles
from tests.support.tiny import CHANNELS, write_dataset


def data_of(folder: Path, **counts: int) -> Dataset:
    return load(write_dataset(folder, counts=counts, channels=CHANNELS[:1]))


def split_works(data: Dataset) -> bool:
    split = hold_out(data)
    try:
        check_halves(split.rule, split.search, split.held_out)
        fold_numbers(split.search, 5, 0)
    except DataError:
        return False
    return True


@pytest.mark.parametrize(("candidate", "top"), [(5, 20), (6, 20), (7, 20), (20, 6), (20, 7), (9, 9)])
def test_what_a_launch_would_refuse_is_told_before(tmp_path: Path, candidate: int, top: int) -> None:
    data = data_of(tmp_path / "data", candidate=candidate, top=top)
    assert split_works(data) is not bool(obstacles(data))


def test_groups_count_once(tmp_path: Path) -> None:
    data = data_of(tmp_path / "data", candidate=12, top=12)
    assert obstacles(data) == ()
    signal = np.flatnonzero(data.is_signal)
    data.groups[signal[:6]] = data.groups[signal[0]]
    data.groups[signal[6:]] = data.groups[signal[6]]
    [line] = obstacles(data)
    assert line.startswith("tiny: the held-out set must hold signal and background pits, but got 0 and ")


def test_a_working_point_that_few_pits_pass_is_told(tmp_path: Path) -> None:
    data = data_of(tmp_path / "data", candidate=10, top=65)
    assert background_note(data, 0.01) == (
        "65 background pits: 0 of them pass at the working point of 0.01, and its threshold rests on those; 1000 are needed "
        "for 10 to pass (these carry 15% and above)",
    )
    assert "3 of them pass" in background_note(data, 0.05)[0]
    assert "200 are needed" in background_note(data, 0.05)[0]
    assert background_note(data, 0.2) == ()
