"""Compress what is worth it: a WSGI middleware. Knows nothing of what is answered."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Bytes from which an answer is compressed, and how hard: harder takes longer than what it saves takes to send.
LEAST, LEVEL = 1024, 5
# The kinds of content that shrink.
SHRINKS = re.compile(r"(text/.*|application/(json|javascript).*|image/svg\+xml.*)")


class Compression:
    """Compress texts for browsers that take it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, shorter."""
        if not takes_gzip(str(environ.get("HTTP_ACCEPT_ENCODING", ""))) or environ["REQUEST_METHOD"] != "GET":
            return self.app(environ, start_response)
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers, exc_info]
            return lambda content: None

        content = self.app(environ, start)
        status, headers, exc_info = started
        named = {name.lower(): value for name, value in headers}
        if "content-encoding" in named or not SHRINKS.fullmatch(named.get("content-type", "")):
            start_response(status, headers, exc_info)
            return content
        body = joined(content)
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        headers.append(("Vary", "Accept-Encoding"))
        if len(body) >= LEAST:
            body = gzip.compress(body, LEVEL, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        start_response(status, [*headers, ("Content-Length", str(len(body)))], exc_info)
        return [body]


def takes_gzip(accepted: str) -> bool:
    """Tell whether a browser takes compressed answers, from its header `Accept-Encoding`."""
    for part in accepted.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def joined(content: Iterable[bytes]) -> bytes:
    """Give an answer whole, and close what it came from."""
    try:
        return b"".join(content)
    finally:
        close = getattr(content, "close", None)
        if close is not None:
            close()
