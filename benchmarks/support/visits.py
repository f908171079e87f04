"""Ask a WSGI application in this process, as a browser would, with every part of the request in the test's hands."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from search.dashboard.guard import Access


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    # By name in small letters.
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The content, as a browser takes it."""
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.text)


def visit(app: WSGIApplication, address: str, access: Access | None = None, method: str = "GET", **parts: Any) -> Answer:
    """Ask for an address; `access`: with the cookie and the host of one who has it. `parts`: of the request's environment."""
    path, _, query = address.partition("?")
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    if access is not None:
        environ |= {"HTTP_HOST": f"127.0.0.1:{access.port}", "HTTP_COOKIE": f"{access.cookie}={access.session}"}
    environ |= parts
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        started[:] = [status, headers]

    starting: Any = start_response
    content = app(environ, starting)
    body = b"".join(content)
    close = getattr(content, "close", lambda: None)
    close()
    return Answer(int(started[0].split()[0]), {name.lower(): value for name, value in started[1]}, body)
