"""Read database addresses: what they must not hold, where their passwords come from, how they are shown.

A password is never part of an address: addresses stand on command lines, which every user of a machine can list, and from
there they reach logs, job scripts and the commands of workers. Knows nothing of what a database holds.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from search import defaults
from search.errors import StudyError

# Where a password is found, besides what the driver itself looks up (PGPASSWORD and ~/.pgpass of PostgreSQL).
PASSWORD, PASSWORD_FILE = "PITSEARCH_DB_PASSWORD", "PITSEARCH_DB_PASSWORD_FILE"
# Under these names drivers take a password from an address's query.
SECRETS = frozenset({"password", "passwd", "passfile", "pwd"})


def parse_url(text: str) -> URL:
    """Read a database address. Raises StudyError, never quoting it, where it is none or holds a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StudyError(
            f"a storage must be a database address, but got none; write e.g. {defaults.STORAGE}, or see what may stand in "
            "place of a password in docs/clusters.md."
        ) from None
    authority = text.partition("://")[2].partition("/")[0]
    # With an @ in a password that is not written %40, what stands before the last one is taken for user and host, and shown.
    if url.password is not None or authority.count("@") > 1 or SECRETS & set(url.query):
        raise StudyError(
            f"a storage's address must hold no password, but got one for {url.get_backend_name()}; take it out, and give it in "
            f"{PASSWORD}, in a file of your own that {PASSWORD_FILE} names, or for PostgreSQL in ~/.pgpass."
        )
    return url


def is_file(url: URL) -> bool:
    """Tell whether an address is that of an SQLite file."""
    return url.get_backend_name() == "sqlite"


def place_of(url: URL) -> str:
    """Name a database in a message: its file, or kind and host."""
    return str(url.database) if is_file(url) else f"{url.get_backend_name()} at {url.host or 'this machine'}"


def read_password() -> str | None:
    """Find the password of a database server where it may stand, None where nothing is said.

    Raises StudyError for a file that others can read too.
    """
    if os.environ.get(PASSWORD):
        return os.environ[PASSWORD]
    name = os.environ.get(PASSWORD_FILE)
    if not name:
        return None
    try:
        mode, text = Path(name).stat().st_mode, Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{PASSWORD_FILE} must name a readable file, but {name}: {error.strerror}; correct it.") from None
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise StudyError(
            f"the file of {PASSWORD_FILE} must be readable by you alone, but {name} has mode {stat.S_IMODE(mode):o}; "
            f"run chmod 600 {name}."
        )
    return text.rstrip("\r\n")
