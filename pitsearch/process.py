"""What a worker process runs first.

The function travels to the process by name: importing it installs the finder of `pitsearch/location.py` there, before anything
else of ours is unpickled.
"""

from __future__ import annotations

import signal


def start_worker() -> None:
    """Ignore Ctrl-C: it reaches every process of the terminal, but workers end when the process that started them asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
