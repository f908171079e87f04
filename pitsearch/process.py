"""What a worker process runs first.

The function travels to the process by name: importing it installs the finder of `pitsearch/location.py` there, before anything
else of ours is unpickled.
"""

from __future__ import annotations

import signal
from importlib import import_module


def start_worker(plugins: tuple[tuple[str, str, str], ...] = ()) -> None:
    """Prepare a worker process.

    `plugins`: those in use where it was started, by name, hash and source; they are loaded before anything that names their
    parts. Ctrl-C reaches every process of the terminal, but workers end when the process that started them asks.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if plugins:
        # By name, for this module lies beneath all others.
        import_module("spaces.plugin_files").use_same(plugins)
