"""Put on every answer what keeps browsers from misusing it: a WSGI middleware. Knows nothing of what is answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
# Nothing of other sites may be loaded, and no other site may show a page of ours, in a frame or otherwise.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Added to what a page's own policy says. A page without one may do nothing.
FRAMES = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
NOTHING = f"default-src 'none'; sandbox; {FRAMES}"
# Files that a study carries: whatever they are, they are saved, and never run as a page of this server.
FILES = re.compile(r"/artifacts/.*")
# What is the same for as long as the dashboard is installed.
STATIC = re.compile(r"/(static/.*|favicon\.ico)")


class SecureHeaders:
    """Complete the headers of every answer."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, with more headers."""
        path = str(environ.get("PATH_INFO", ""))

        def start(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Callable[[bytes], object]:
            return start_response(status, completed(path, headers), exc_info)

        starting: Any = start
        return self.app(environ, starting)


def completed(path: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give the headers of an answer with those that every answer has."""
    # The dashboard lets every site read the files of a study.
    kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
    names = {name.lower(): value for name, value in kept}
    policy = names.get("content-security-policy")
    added = dict(ALWAYS)
    added["Content-Security-Policy"] = NOTHING if policy is None else f"{policy}; {FRAMES}"
    if "cache-control" not in names:
        added["Cache-Control"] = "private, max-age=3600" if STATIC.fullmatch(path) else "no-store"
    if FILES.fullmatch(path):
        added["Content-Disposition"] = names.get("content-disposition", "attachment")
    replaced = {name.lower() for name in added}
    return [(name, value) for name, value in kept if name.lower() not in replaced] + list(added.items())
