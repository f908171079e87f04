"""The dashboard of a storage, as a WSGI application that guards itself, and its server.

Knows nothing of the command line.
"""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

import bottle
import optuna_dashboard

from pitsearch.errors import PitsearchError
from search.dashboard.compression import Compression
from search.dashboard.guard import Access, Guard
from search.dashboard.headers import SecureHeaders
from search.dashboard.picture_store import PictureStore
from search.dashboard.presenting import Presenting
from search.dashboard.server import listening, names_of
from search.dashboard.study_page import REPORT, StudyPages
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.storage.connect import open_storage

# A report holds all that it needs. It draws with plotly, which makes functions of text, on a page that can do nothing else: the
# sandbox takes the dashboard's cookie from it.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "sandbox allow-scripts allow-downloads"
)


def make_app(address: str, access: Access, files: Path | None = None) -> WSGIApplication:
    """Make the dashboard of a storage, for those who have access; `files`: the folder of what is attached to its trials."""
    view = StudyView(address, writes=access.write)
    pages = StudyPages(view)
    app = optuna_dashboard.wsgi(view, PictureStore(view, files))
    app.catchall = False  # what goes wrong is told by the server, on one line
    app.install(Presenting(view, pages))

    def report(study_id: int) -> bottle.HTTPResponse:
        """Show the report of a study."""
        try:
            page = pages.report(study_id)
        except KeyError:
            return bottle.HTTPResponse("there is no such study\n", 404, {"Content-Type": "text/plain"})
        except PitsearchError as error:
            return bottle.HTTPResponse(f"{error}\n", 409, {"Content-Type": "text/plain; charset=utf-8"})
        return bottle.HTTPResponse(page, 200, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY})

    app.route(f"{REPORT}/<study_id:int>", callback=report)
    return SecureHeaders(Compression(Guard(app, access)))


@dataclass(frozen=True)
class Place:
    """Where a dashboard listens, and what its visitors may do."""

    host: str = "127.0.0.1"
    port: int = 8080
    write: bool = False
    # The folder of files that are attached to trials.
    files: Path | None = None


def serve(address: str, place: Place, ready: Callable[[str], None]) -> None:
    """Serve the dashboard of a storage until Ctrl-C; `ready` is given the address to open, with its token.

    Raises StudyError where the storage cannot be opened, or the dashboard cannot listen there.
    """
    if place.files is not None and not place.files.is_dir():
        raise StudyError(f"{place.files}: files must be in a folder, but there is none; make it, or leave out --files.")
    open_storage(address)
    quieten()
    with listening(place.host, place.port) as server:
        access = Access(names_of(place.host), server.server_port, place.write, place.files is not None)
        server.set_app(make_app(address, access, place.files))
        ready(f"http://{shown_host(place.host)}:{server.server_port}/?token={access.token}")
        server.serve_forever()


def shown_host(host: str) -> str:
    """Give the host of an address to open; where a server listens at all addresses, the machine's name."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"[{name}]" if ":" in name else name


class FirstLine(logging.Formatter):
    """Say what was logged on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the first line, which says what went wrong; the others say where in the dashboard."""
        return f"error: a request ended in: {record.getMessage().removeprefix('Exception: ').splitlines()[0]}"


def quieten() -> None:
    """Have the dashboard log errors on one line each, and not warn that importances of few trials are rough."""
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna_dashboard|optuna")
    logger, handler = logging.getLogger("optuna_dashboard"), logging.StreamHandler()
    handler.setFormatter(FirstLine())
    logger.handlers, logger.propagate = [handler], False
