"""An empty folder to run commands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Runner


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    """Run commands in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Runner(monkeypatch, capsys)
