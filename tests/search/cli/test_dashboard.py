"""The dashboard listens on this machine only and shows the studies."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from search.studies.study import Study


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(study: Study, port: int) -> list[str]:
    return [sys.executable, "-m", "pitsearch", "dashboard", "--storage", study.storage, "--port", str(port)]


def test_the_dashboard_shows_the_study_and_ends_by_ctrl_c(finished: Study, tmp_path: Path) -> None:
    port = free_port()
    server = subprocess.Popen(command(finished, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        studies = json.loads(wait_for(f"http://127.0.0.1:{port}/api/studies", server))
        assert [study["study_name"] for study in studies["study_summaries"]] == ["tiny"]
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=20)
    assert f"http://127.0.0.1:{port}/" in output
    assert "Traceback" not in output


def test_a_port_in_use_is_refused_on_one_line(finished: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = subprocess.run(command(finished, port), capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith(f"error: port {port} must be free, but: Address already in use;")
    assert "Traceback" not in found.stderr


def wait_for(address: str, server: subprocess.Popen[str]) -> bytes:
    """Fetch a page as soon as the server answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                content: bytes = page.read()
                return content
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError("the dashboard did not answer")
