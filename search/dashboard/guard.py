"""Let no request through to the dashboard that its user did not make: a WSGI middleware.

Any page that a browser shows may send requests to a server on the same machine, and a page whose name was made to point here
(DNS rebinding) may read the answers, too. So a request must name this server by a name that is its own, bring the token or the
cookie that the token was exchanged for, and, where it writes, come from a page of this server; and without `--write` nothing
is written at all. Knows nothing of studies.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# How much a request that writes may bring: a note, or a file that is attached.
LARGEST = 32 * 2**20
# Methods that change nothing.
READS = ("GET", "HEAD")
# What of the dashboard's own writing makes sense for our studies. It renames by copying trials without what we keep beside
# them, and makes studies that no launch can fill.
WRITES = tuple(
    re.compile(pattern)
    for pattern in (
        r"DELETE /api/studies/\d+",
        r"PUT /api/studies/\d+(/\d+)?/note",
        r"POST /api/trials/\d+/(tell|user-attrs)",
    )
)
# The same of files, where there is a folder for them. Pictures, which are drawn, cannot be removed.
FILES = re.compile(r"POST /api/artifacts/\d+(/\d+)?|DELETE /api/artifacts/\d+(/\d+)?/(?!d0-)[0-9a-fA-F-]+")
# A name or an address, and perhaps a port.
HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:/@\[\]\s]+)(?::\d{1,5})?")


@dataclass(frozen=True)
class Access:
    """Who may ask the server for what."""

    # The names and addresses that the server may be asked by, in small letters; IPv6 in brackets.
    names: frozenset[str]
    port: int
    # Whether studies may be changed, and whether there is a folder for files that are attached to trials.
    write: bool = False
    files: bool = False
    # What the first visit brings, and what its cookie brings from then on.
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """The name of the cookie. Servers on all ports of a machine share their cookies."""
        return f"pitsearch-{self.port}"


@dataclass(frozen=True)
class Refusal:
    """Why a request is answered with nothing else."""

    status: str
    reason: str


class Guard:
    """Pass on the requests that may be answered."""

    def __init__(self, app: WSGIApplication, access: Access) -> None:
        self.app, self.access = app, access

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or refuse it."""
        refusal = check_host(environ, self.access)
        if refusal is None and _brings_token(environ, self.access):
            return _welcome(environ, start_response, self.access)
        refusal = refusal or check_cookie(environ, self.access) or check_write(environ, self.access)
        return self.app(environ, start_response) if refusal is None else refuse(refusal, environ, start_response)


def check_host(environ: WSGIEnvironment, access: Access) -> Refusal | None:
    """Refuse a request for another server's name: its page may have had that name point here."""
    named = str(environ.get("HTTP_HOST", ""))
    host = HOST.fullmatch(named)
    if host is not None and host[1].lower().rstrip(".") in access.names:
        return None
    names = ", ".join(sorted(access.names))
    return Refusal(
        "403 Forbidden",
        f"the dashboard must be asked by a name of its own, but was by {named[:80]!r}; use one of: {names}, or start it with "
        "--host.",
    )


def check_cookie(environ: WSGIEnvironment, access: Access) -> Refusal | None:
    """Refuse a request without the cookie that the first visit gives."""
    for pair in str(environ.get("HTTP_COOKIE", "")).split(";"):
        name, _, value = pair.strip().partition("=")
        if name == access.cookie and _same(value, access.session):
            return None
    return Refusal(
        "403 Forbidden",
        "a visitor must have the dashboard's token, but brought none, or another's; open the address that `pitsearch "
        "dashboard` printed.",
    )


def check_write(environ: WSGIEnvironment, access: Access) -> Refusal | None:
    """Refuse a request that writes, unless it comes from a page of this server, may write, and writes what makes sense."""
    method, path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "")).rstrip("/")
    if method in READS:
        return None
    origin = str(environ.get("HTTP_ORIGIN", ""))
    # The scheme may be that of a proxy which speaks TLS.
    if origin.partition("://")[2].lower() != str(environ["HTTP_HOST"]).lower() or "://" not in origin:
        return Refusal(
            "403 Forbidden",
            f"what writes must come from a page of the dashboard, but came from {origin[:80] or 'none'!r}; use its page.",
        )
    if not access.write:
        return Refusal(
            "403 Forbidden", "a dashboard that writes must be started so, but this one was not; start it with --write."
        )
    asked = f"{method} {path}"
    if FILES.fullmatch(asked) and not access.files:
        return Refusal(
            "403 Forbidden", "files must have a folder to be in, but there is none; start the dashboard with --files."
        )
    if not any(allowed.fullmatch(asked) for allowed in (*WRITES, FILES)):
        return Refusal(
            "403 Forbidden",
            "the dashboard may delete studies, end trials, and write notes, attributes and files, but was asked for something "
            "else; use the command `pitsearch`.",
        )
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > LARGEST:
        return Refusal(
            "413 Content Too Large", f"a request must bring up to {LARGEST >> 20} MiB, but brings {length[:20]}; send less."
        )
    return None


def refuse(refusal: Refusal, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a refusal: as the dashboard's own page reads it, or as a line."""
    asked_by_page = str(environ.get("PATH_INFO", "")).startswith("/api/")
    text = json.dumps({"reason": refusal.reason}) if asked_by_page else f"{refusal.reason}\n"
    body = text.encode()
    kind = "application/json" if asked_by_page else "text/plain; charset=utf-8"
    start_response(refusal.status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _brings_token(environ: WSGIEnvironment, access: Access) -> bool:
    """Tell whether a request brings the right token in its address."""
    if environ["REQUEST_METHOD"] not in READS:
        return False
    given = [value for name, value in parse_qsl(str(environ.get("QUERY_STRING", ""))) if name == "token"]
    return len(given) == 1 and _same(given[0], access.token)


def _welcome(environ: WSGIEnvironment, start_response: StartResponse, access: Access) -> Iterable[bytes]:
    """Give the cookie, and go to the same address without the token, so that neither history nor screen keeps it.

    `Lax`: terminals within web pages open the address from another site, and the cookie must come with the next step.
    """
    rest = [(name, value) for name, value in parse_qsl(str(environ.get("QUERY_STRING", ""))) if name != "token"]
    # One slash: two would be the name of another server.
    path = "/" + quote(str(environ.get("PATH_INFO", "")).encode("latin-1").lstrip(b"/"))
    place = f"{path}?{urlencode(rest)}" if rest else path
    cookie = f"{access.cookie}={access.session}; Path=/; HttpOnly; SameSite=Lax"
    start_response("303 See Other", [("Location", place), ("Set-Cookie", cookie), ("Content-Length", "0")])
    return []


def _same(given: str, secret: str) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())
