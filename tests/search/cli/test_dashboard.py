"""The dashboard listens on this machine only, and shows the studies to who has the token."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from search.dashboard import app
from search.studies.study import Study
from tests.support.commands import Runner


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(study: Study, port: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "pitsearch", "dashboard", "--storage", study.storage, "--port", str(port), *words]


def test_the_dashboard_shows_the_study_to_who_has_the_token_and_ends_by_ctrl_c(finished: Study) -> None:
    port = free_port()
    server = subprocess.Popen(command(finished, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()  # when it answers
        address = re.fullmatch(rf"(http://127\.0\.0\.1:{port}/)\?token=([\w-]+)  \(Ctrl-C ends it\)\n", said)
        assert address, said
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{address[1]}api/studies", timeout=60)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with browser.open(f"{address[1]}api/studies?token={address[2]}", timeout=60) as page:
            studies = json.load(page)
            assert page.url == f"{address[1]}api/studies"
        assert [study["study_name"] for study in studies["study_summaries"]] == ["tiny"]
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=60)
    assert (server.returncode, output) == (130, "")


def test_a_dashboard_for_others_warns_that_they_can_read_along(
    finished: Study, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(address: str, place: app.Place, ready: Callable[[str], None]) -> None:
        ready(f"http://{place.host}:{place.port}/?token=t")
        assert not place.write
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "serve", serve)
    ran = run("dashboard", "--storage", finished.storage, "--host", "0.0.0.0")
    assert (ran.code, ran.err) == (130, "")
    warning, remedy, address = ran.out.splitlines()
    assert warning.startswith("warning: the connection is not encrypted, so that others on the network can read it")
    assert "ssh -L 8080:127.0.0.1:8080" in remedy
    assert address == "http://0.0.0.0:8080/?token=t  (Ctrl-C ends it)"
    assert "warning" not in run("dashboard", "--storage", finished.storage).out


@pytest.mark.slow
def test_a_port_in_use_is_refused_on_one_line(finished: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = subprocess.run(command(finished, port), capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith(f"error: port {port} must be free, but: Address already in use;")
    assert "Traceback" not in found.stderr
