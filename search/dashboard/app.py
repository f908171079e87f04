"""The dashboard of a storage, as a WSGI application that guards itself, and its server.

Knows nothing of the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from wsgiref.types import WSGIApplication

import optuna_dashboard

from search.dashboard.compression import Compression
from search.dashboard.guard import Access, Guard
from search.dashboard.headers import SecureHeaders
from search.dashboard.server import listening, names_of
from search.dashboard.picture_store import PictureStore
from search.dashboard.view import StudyView


def make_app(address: str, access: Access, folder: Path | None = None) -> WSGIApplication:
    """Make the dashboard of a storage, for those who have access; `folder` holds files that are attached to its trials."""
    view = StudyView(address, writes=access.write)
    app = optuna_dashboard.wsgi(view, PictureStore(view, folder))
    app.catchall = False  # what goes wrong is told by the server, on one line
    return SecureHeaders(Compression(Guard(app, access)))


def serve(address: str, host: str, port: int, write: bool, ready: Callable[[str], None]) -> None:
    """Serve the dashboard of a storage until Ctrl-C; `ready` is given the address to open, with its token.

    Raises StudyError where the address to listen at cannot be had.
    """
    quieten()
    with listening(host, port) as server:
        access = Access(names_of(host), server.server_port, write)
        server.set_app(make_app(address, access))
        name = next(iter(sorted(access.names - {"localhost"}))) if host in ("0.0.0.0", "::") else host
        ready(f"http://{f'[{name}]' if ':' in name else name}:{server.server_port}/?token={access.token}")
        server.serve_forever()


class FirstLine(logging.Formatter):
    """Say what was logged on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the first line, which says what went wrong; the others say where in the dashboard."""
        return f"error: a request ended in: {record.getMessage().removeprefix('Exception: ').splitlines()[0]}"


def quieten() -> None:
    """Have the dashboard log errors on one line each."""
    logger, handler = logging.getLogger("optuna_dashboard"), logging.StreamHandler()
    handler.setFormatter(FirstLine())
    logger.handlers, logger.propagate = [handler], False
