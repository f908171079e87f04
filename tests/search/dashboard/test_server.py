"""The server has a thread for every client, leaves silent ones, and says on one line what goes wrong."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from search.dashboard import server as servers
from search.dashboard.server import QuietHandler, is_loopback, listening, names_of
from search.errors import StudyError


def answer(environ: Any, start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/fault":
        raise ValueError("what went wrong\nand more")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[int]:
    """Serve on a free port, and give it."""
    with listening(host, 0) as server:
        server.set_app(answer)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, path: str = "/", host: str = "127.0.0.1") -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def silent_clients(port: int) -> list[socket.socket]:
    clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(20)]
    clients[0].sendall(b"GET / HTTP/1.1\r\nHost: ")  # half a request
    return clients


def test_silent_clients_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietHandler, "timeout", 600.0)
    with running() as port:
        silent = silent_clients(port)
        assert ask(port)[:2] == (200, b"ok")
        for client in silent:
            client.close()


def test_silent_clients_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietHandler, "timeout", 0.2)
    with running() as port:
        for client in silent_clients(port):
            assert client.recv(1000) == b""
            client.close()


def test_a_fault_is_one_line_and_the_server_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with running() as port:
        status, body, _ = ask(port, "/fault")
        assert status == 500
        assert b"what went wrong" not in body
        assert ask(port)[0] == 200
    assert capfd.readouterr().err == "error: a request ended in: what went wrong\n"


def test_addresses_with_the_token_are_printed_nowhere_and_the_server_does_not_say_what_it_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with running() as port:
        _, _, headers = ask(port, "/?token=secret")
    assert capfd.readouterr() == ("", "")
    assert headers["Server"].strip() == "pitsearch"


@pytest.mark.parametrize(
    "line", [b"\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET " + b"x" * 70_000, b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_request_ends_nothing(line: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with running() as port:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(line)
            client.shutdown(socket.SHUT_WR)
            while client.recv(1000):
                pass
        assert ask(port)[0] == 200
    assert capfd.readouterr().err == ""


def test_the_server_listens_at_an_address_of_the_new_kind() -> None:
    with running("::1") as port:
        assert ask(port, host="::1")[0] == 200


@pytest.mark.parametrize("host", ["no-such-machine.invalid", "192.0.2.7"])
def test_an_address_that_is_not_of_this_machine_is_refused(host: str) -> None:
    with (
        pytest.raises(StudyError, match=rf"--host must be an address or a name of this machine, but '{host}' is not"),
        listening(host, 0),
    ):
        pass


def test_names_of_a_server() -> None:
    assert names_of("127.0.0.1") == {"127.0.0.1", "localhost", "[::1]"} == servers.LOOPBACK
    assert socket.gethostname().lower() in names_of("0.0.0.0")
    assert "0.0.0.0" not in names_of("127.0.0.1")
    assert "[2001:db8::7]" in names_of("2001:db8::7")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "node7")] == [True] * 3 + [
        False
    ] * 3
