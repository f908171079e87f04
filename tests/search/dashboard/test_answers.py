"""Every answer carries what keeps browsers from misusing it, and is as short as it can be."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

import pytest

from benchmarks.support.visits import visit
from search.dashboard.compression import LEAST, Compression, takes_gzip
from search.dashboard.headers import SecureHeaders

GZIP: dict[str, Any] = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}


def answering(content: bytes, *headers: tuple[str, str], closed: Callable[[], None] = lambda: None) -> WSGIApplication:
    """Make an application that always answers the same."""

    class Content(list[bytes]):
        def close(self) -> None:
            closed()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [*headers, ("Content-Length", str(len(content)))])
        return Content([content[:10], content[10:]])

    return app


def test_no_other_site_shows_or_guesses_at_an_answer() -> None:
    answer = visit(SecureHeaders(answering(b"{}", ("Content-Type", "application/json"))), "/api/studies")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; sandbox;")


def test_the_policy_of_a_page_stays_and_gains_what_it_lacks() -> None:
    page = answering(b"<html>", ("Content-Type", "text/html"), ("Content-Security-Policy", "default-src 'self'"))
    policy = visit(SecureHeaders(page), "/dashboard").headers["content-security-policy"]
    assert policy == "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def test_files_of_a_study_are_saved_and_never_run_and_no_other_site_reads_them() -> None:
    page = answering(b"<script>", ("Content-Type", "text/html"), ("Access-Control-Allow-Origin", "*"))
    answer = visit(SecureHeaders(page), "/artifacts/1/2/0b1c")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_what_is_installed_is_asked_for_once() -> None:
    answer = visit(SecureHeaders(answering(b"", ("Content-Type", "text/javascript"))), "/static/bundle.js")
    assert answer.headers["cache-control"] == "private, max-age=3600"


@pytest.mark.parametrize("kind", ["application/json", "text/html; charset=UTF-8", "text/csv; chatset=cp932"])
def test_a_text_is_compressed_for_who_takes_it(kind: str) -> None:
    closed: list[bool] = []
    app = Compression(answering(b"0.125, " * LEAST, ("Content-Type", kind), closed=lambda: closed.append(True)))
    packed, plain = visit(app, "/api/studies", **GZIP), visit(app, "/api/studies")
    assert packed.text == plain.text == "0.125, " * LEAST
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 50
    assert packed.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert closed == [True, True]


def test_what_does_not_shrink_or_is_short_or_packed_already_stays() -> None:
    for content, headers in (
        (b"x" * LEAST * 2, [("Content-Type", "image/png")]),
        (b"x" * (LEAST - 1), [("Content-Type", "application/json")]),
        (gzip.compress(b"x" * 10**5), [("Content-Type", "text/javascript"), ("Content-Encoding", "gzip")]),
    ):
        assert visit(Compression(answering(content, *headers)), "/", **GZIP).body == content


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
    ],
)
def test_browsers_say_what_they_take(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
