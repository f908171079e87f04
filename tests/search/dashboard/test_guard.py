"""Nothing gets through to the dashboard that its user did not ask for."""

from __future__ import annotations

from typing import Any
from wsgiref.types import WSGIApplication

import pytest

from benchmarks.support.visits import visit
from search.dashboard.guard import LARGEST, Access, Guard
from search.dashboard.server import names_of

HERE = Access(names_of("127.0.0.1"), 8080)
WRITER = Access(names_of("127.0.0.1"), 8080, write=True, files=True)
OWN_PAGE = {"HTTP_ORIGIN": "http://127.0.0.1:8080"}


def answering(asked: list[str]) -> WSGIApplication:
    """Make an application that answers everything, and notes what it was asked."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"answered"]

    return app


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "localhost.:9000", "[::1]:8080"])
def test_the_server_answers_by_its_own_names(host: str) -> None:
    assert visit(Guard(answering([]), HERE), "/", HERE, HTTP_HOST=host).text == "answered"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "127.0.0.1,evil.example",
        "",
        "192.168.0.7:8080",
        "127.0.0.1:port",
        "[::1",
        "localhost:8080/evil.example",
    ],
)
def test_a_page_whose_name_was_made_to_point_here_gets_nothing_even_with_the_cookie(host: str) -> None:
    asked: list[str] = []
    answer = visit(Guard(answering(asked), HERE), f"/?token={HERE.token}", HERE, HTTP_HOST=host)
    assert (answer.status, asked) == (403, [])
    assert answer.text.startswith("the dashboard must be asked by a name of its own, but was by ")
    assert "set-cookie" not in answer.headers


def test_a_server_for_others_answers_by_its_address_and_by_none_else() -> None:
    access = Access(names_of("192.0.2.7"), 8080)
    assert visit(Guard(answering([]), access), "/", access, HTTP_HOST="192.0.2.7:8080").status == 200
    assert visit(Guard(answering([]), access), "/", access, HTTP_HOST="evil.example").status == 403


@pytest.mark.parametrize(
    "parts",
    [
        {"HTTP_COOKIE": ""},
        {"HTTP_COOKIE": "pitsearch-8080="},
        {"HTTP_COOKIE": f"pitsearch-8080={HERE.session[:-1]}"},
        {"HTTP_COOKIE": f"pitsearch-8080={HERE.token}"},
        {"HTTP_COOKIE": f"pitsearch-8081={HERE.session}"},
        {"HTTP_COOKIE": "pitsearch-8080=\udcff\xe9"},
        {"HTTP_COOKIE": "", "QUERY_STRING": "token="},
        {"HTTP_COOKIE": "", "QUERY_STRING": f"token={HERE.session}"},
        {"HTTP_COOKIE": "", "QUERY_STRING": f"token={HERE.token}&token={HERE.token}"},
        {"HTTP_COOKIE": "", "QUERY_STRING": f"token={HERE.token}", "REQUEST_METHOD": "POST"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/dashboard", "/api/studies", "/static/bundle.js", "/artifacts/1/2/0-1"])
def test_nobody_sees_anything_without_the_token(parts: dict[str, str], path: str) -> None:
    asked: list[str] = []
    answer = visit(Guard(answering(asked), HERE), path, HERE, **parts)
    assert (answer.status, asked) == (403, [])
    assert "open the address that `pitsearch dashboard` printed" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_first_visit_changes_the_token_for_a_cookie_and_leaves_the_address_without_it() -> None:
    asked: list[str] = []
    guard = Guard(answering(asked), HERE)
    answer = visit(guard, f"/dashboard/studies/1?after=3&token={HERE.token}", HTTP_HOST="localhost:8080")
    assert answer.status == 303
    assert answer.headers["location"] == "/dashboard/studies/1?after=3"
    cookie, *settings = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} == set(settings)
    assert HERE.token not in cookie
    assert asked == []
    assert visit(guard, "/dashboard", HTTP_HOST="localhost:8080", HTTP_COOKIE=f"theme=dark; {cookie}").text == "answered"


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example"])
def test_the_first_visit_leads_to_no_other_server(path: str) -> None:
    answer = visit(Guard(answering([]), HERE), f"{path}?token={HERE.token}", HTTP_HOST="localhost:8080")
    assert answer.headers["location"] in ("/evil.example/x", "/%5Cevil.example", "/evil.example")


def test_two_dashboards_of_one_machine_have_secrets_of_their_own() -> None:
    secrets = [HERE.token, HERE.session, WRITER.token, WRITER.session]
    assert len(set(secrets)) == 4
    assert all(len(secret) >= 43 for secret in secrets)
    assert not any(secret in repr(HERE) for secret in secrets)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_nothing_is_written_unless_the_server_was_started_so(method: str) -> None:
    asked: list[str] = []
    answer = visit(Guard(answering(asked), HERE), "/api/studies/1", HERE, method, **OWN_PAGE)
    assert (answer.status, asked) == (403, [])
    assert answer.json == {"reason": "a dashboard that writes must be started so, but this one was not; start it with --write."}


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "http://127.0.0.1:8081", "http://127.0.0.1:8080.evil"])
def test_no_page_of_another_server_writes_even_with_the_cookie(origin: str) -> None:
    asked: list[str] = []
    answer = visit(Guard(answering(asked), WRITER), "/api/studies/1", WRITER, "DELETE", HTTP_ORIGIN=origin)
    assert (answer.status, asked) == (403, [])
    assert answer.json["reason"].startswith("what writes must come from a page of the dashboard")


@pytest.mark.parametrize(
    "request_line",
    [
        "DELETE /api/studies/1",
        "PUT /api/studies/1/note",
        "PUT /api/studies/1/22/note",
        "POST /api/trials/3/tell",
        "POST /api/trials/3/user-attrs",
        "POST /api/artifacts/1/2",
        "DELETE /api/artifacts/1/2/0b1c-2",
    ],
)
@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "https://127.0.0.1:8080"])
def test_what_may_write_writes(request_line: str, origin: str) -> None:
    asked: list[str] = []
    method, path = request_line.split()
    assert visit(Guard(answering(asked), WRITER), path, WRITER, method, HTTP_ORIGIN=origin).status == 200
    assert asked == [request_line]


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /api/studies/1/rename",
        "POST /api/studies",
        "POST /incompatible-rdb-schema",
        "PUT /api/studies/1/preference",
        "POST /api/llm/generate_plotly_graph_query",
        "DELETE /api/studies/1/x",
    ],
)
def test_what_would_harm_our_studies_is_refused_to_everybody(request_line: str) -> None:
    asked: list[str] = []
    method, path = request_line.split()
    answer = visit(Guard(answering(asked), WRITER), path, WRITER, method, **OWN_PAGE)
    assert (answer.status, asked) == (403, [])
    assert "use the command `pitsearch`" in answer.text


@pytest.mark.parametrize("length", [str(LARGEST + 1), "-1", "many", "1e3"])
def test_a_request_that_brings_too_much_is_not_read(length: str) -> None:
    asked: list[str] = []
    guard = Guard(answering(asked), WRITER)
    answer = visit(guard, "/api/studies/1/note", WRITER, "PUT", CONTENT_LENGTH=length, **OWN_PAGE)
    assert (answer.status, asked) == (413, [])
