"""A command ends at a signal without a word from its first moment on; a program of a user's that imports us is left alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pitsearch.ending import ENDING, INTERRUPTED, is_command


@pytest.mark.parametrize(
    ("words", "is_ours"),
    [
        (["python", "-P", "-m", "pitsearch", "launch"], True),
        (["python", "/usr/local/bin/pitsearch", "launch"], True),
        (["python", "mine.py", "pitsearch"], False),
        (["python", "-m", "mine", "-m", "pitsearch"], False),
        (["python", "-c", "import pitsearch"], False),
        (["python"], False),
    ],
)
def test_the_command_is_told_from_a_program_that_imports_it(
    words: list[str], is_ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "orig_argv", words)
    assert is_command() is is_ours


CAUGHT = """\
from pitsearch.ending import keep_exit_code
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    {remedy}
raise SystemExit(130)
"""


@pytest.mark.parametrize(("remedy", "code"), [("keep_exit_code()", INTERRUPTED), ("pass", -signal.SIGINT)])
def test_a_command_exits_with_its_code_whatever_was_interrupted(remedy: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "caught.py").write_text(CAUGHT.format(remedy=remedy), encoding="utf-8")
    assert subprocess.run([sys.executable, "-m", "caught"], cwd=tmp_path, check=False).returncode == code


def test_importing_the_package_leaves_signals_alone() -> None:
    code = "import signal, pitsearch; print(signal.getsignal(signal.SIGTERM).name, signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [signal.Handlers.SIG_DFL.name, signal.default_int_handler.__name__]


LATE = """
import os, sys, time
from pitsearch.ending import exit_on_signals, ignore_signals_at_last
{remedy}
exit_on_signals()
class Late:
    def __del__(self, write=os.write, sleep=time.sleep):
        write(1, b"late\\n")
        sleep(0.5)
sys.late = Late()
sys.exit(3)
"""


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("remedy", ["ignore_signals_at_last()", "pass"])
def test_a_signal_while_python_takes_itself_apart_changes_no_exit_code(remedy: str, number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", LATE.format(remedy=remedy)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "late\n"
        process.send_signal(number)
        assert process.wait() == (-number if remedy == "pass" else 3)
