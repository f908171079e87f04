"""Print a line for every fault as soon as it has been played, whichever process of the tests played it."""

from __future__ import annotations

import pytest

from tests.faults.findings import LINE


class Lines:
    """Writes what tests hand over to the terminal."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the lines of a test that has been called."""
        for name, line in report.user_properties:
            if report.when == "call" and name == LINE:
                self._terminal.write_line(f"\n{line}")


@pytest.hookimpl(trylast=True)  # the terminal's own comes first
def pytest_configure(config: pytest.Config) -> None:
    """Begin, where there is a terminal: a process that only runs tests has none."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(Lines(terminal))
