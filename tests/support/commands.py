"""Run the command line in this process."""

from __future__ import annotations

import sys

import pytest

from search.cli.app import main


class Ran:
    """What a command did: its exit code, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Runner:
    """Run the command in this process, in an empty folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *words: object) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["pitsearch", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = self.capsys.readouterr()
        code = caught.value.code
        return Ran(code if isinstance(code, int) else 0, printed.out, printed.err)
