"""Measure how many cores this process and its children use. Knows nothing of what they do."""

from __future__ import annotations

from time import monotonic

import psutil


class CoreUse:
    """The cores in use between two looks."""

    def __init__(self) -> None:
        self._looked, self._spent = monotonic(), _cpu_seconds()

    def measure(self) -> float | None:
        """Give the cores in use since the last look, 1.5 say; None where that was only a moment ago."""
        now, spent = monotonic(), _cpu_seconds()
        passed, used = now - self._looked, spent - self._spent
        if passed <= 0.1:
            return None
        self._looked, self._spent = now, spent
        return max(used / passed, 0.0)


def _cpu_seconds() -> float:
    """Add up the time of this process and its children, those that ended among them."""
    own = psutil.Process()
    total = sum(own.cpu_times()[:4])
    for child in own.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:4])
        except psutil.Error:  # it ended between two lines, or is another user's
            continue
    return float(total)
