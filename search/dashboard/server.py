"""Serve a WSGI application over HTTP, each request on a thread of its own. Knows nothing of what is served."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import IO, Any, cast
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import psutil

from pitsearch.errors import reason
from search.errors import StudyError

# Seconds after which a client that says nothing is left.
SILENT_S = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """A server whose clients do not wait for each other."""

    daemon_threads = True
    # Connections that the system holds until they are taken: a page asks for several things at once.
    request_queue_size = 64

    def server_bind(self) -> None:
        """Take the port; the name of the machine, which may take long to look up, is not asked for."""
        socket.socket.bind(self.socket, self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say on one line what a client's request ended in; of clients that went away, nothing."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            print(f"error: a request ended in: {reason(error)}", file=sys.stderr)


class ThreadedServer6(ThreadedServer):
    """The same for IPv6."""

    address_family = socket.AF_INET6


class QuietHandler(WSGIRequestHandler):
    """Answer one request of one client, and print no line about it: the address may hold the token."""

    timeout = SILENT_S
    server_version, sys_version = "pitsearch", ""

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def handle(self) -> None:
        """Answer a request, unless the client says nothing."""
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(414)
            return
        if not self.parse_request():
            return
        server, reading, writing = cast(WSGIServer, self.server), cast(IO[bytes], self.rfile), cast(IO[bytes], self.wfile)
        handler = OneLineHandler(reading, writing, sys.stderr, self.get_environ(), multithread=True)
        app = server.get_app()
        assert app is not None  # whoever listens sets it
        handler.run(app)


class OneLineHandler(SimpleHandler):
    """Answer a request; what goes wrong is one line."""

    server_software = "pitsearch"

    def log_exception(self, exc_info: Any) -> None:
        """Say on one line what went wrong in the application."""
        if not isinstance(exc_info[1], ConnectionError | TimeoutError):
            print(f"error: a request ended in: {reason(exc_info[1])}", file=sys.stderr)


@contextmanager
def listening(host: str, port: int) -> Iterator[ThreadedServer]:
    """Listen at an address, 0 for any free port, until the block ends. Raises StudyError where it cannot be had."""
    kind = ThreadedServer6 if ":" in host else ThreadedServer
    try:
        server = kind((host, port), QuietHandler)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, errno.ENETUNREACH):
            raise StudyError(
                f"--host must be an address or a name of this machine, but {host!r} is not: {reason(error)}; give another."
            ) from None
        raise StudyError(f"port {port} must be free, but: {reason(error)}; choose another --port.") from None
    try:
        yield server
    finally:
        server.server_close()


def names_of(host: str) -> frozenset[str]:
    """Give the names and addresses that a server which listens at `host` may be asked by."""
    if is_loopback(host):
        return LOOPBACK | {_bracketed(host)}
    names = {host, socket.gethostname(), socket.getfqdn()}
    if host in ("0.0.0.0", "::", ""):
        for addresses in psutil.net_if_addrs().values():
            names |= {
                entry.address.partition("%")[0] for entry in addresses if entry.family in (socket.AF_INET, socket.AF_INET6)
            }
    return LOOPBACK | {_bracketed(name) for name in names if name}


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(name: str) -> str:
    return f"[{name.lower()}]" if ":" in name else name.lower()
