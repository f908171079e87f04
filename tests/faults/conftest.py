"""Print what was found of each fault, at the end: the faults are played in two processes, which print nothing themselves."""

from __future__ import annotations

import pytest

# The name of the property of a test that holds its line.
FINDING = "finding"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines of the faults that were played, and how long each took."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if name == FINDING and report.when == "call":
                    terminalreporter.write_line(f"{line} ({report.duration:.0f} s)")
