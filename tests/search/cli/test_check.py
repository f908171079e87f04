"""`pitsearch check`: "no faults" is said of what a launch takes, and what makes a number weak is said with it."""

from __future__ import annotations

from pathlib import Path

from tests.support.commands import Runner
from tests.support.tiny import CHANNELS, write_dataset


def test_what_a_launch_would_refuse_is_a_fault(run: Runner, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 5, "top": 20}, channels=CHANNELS[:1])
    checked = run("check", folder)
    assert checked.code == 1
    assert "no faults" not in checked.out
    assert "there must be at least as many signal pits" in checked.err


def test_a_weak_working_point_is_noted(run: Runner, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 9, "top": 65}, channels=CHANNELS[:1])
    checked = run("check", folder)
    assert checked.code == 0
    assert "note: 65 background pits: 3 of them pass at the working point of 0.05" in checked.out
    assert f"no faults; next: pitsearch launch {folder}" in checked.out
