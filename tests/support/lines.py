"""Print lines that tests record, at the end: tests run in two processes, which print nothing themselves."""

from __future__ import annotations

import pytest

# The name of the property of a test that holds its line.
LINE = "line"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines, each with the seconds that its test took."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, line in report.user_properties:
            if name == LINE and report.when == "call":
                terminalreporter.write_line(f"{line} ({report.duration:.0f} s)")
