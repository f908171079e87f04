"""Make the pictures of README and docs: a running search, the report, the dashboard and the hits of a scan, of synthetic foils.

`python docs/make_screenshots.py` takes the pictures that are missing, or older than the templates and the code that they show,
by the commands that users run; docs/screenshots.json holds the hash of those. The study stays in the
system's temporary folder: its search takes some minutes. With `--check` nothing is made, and a picture that is older fails.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import io
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
HASHES = "docs/screenshots.json"
# Its path is seen in the pictures.
STUDIES = Path(tempfile.gettempdir()) / "pitsearch-screenshots"
CHROMIUM = "/usr/bin/chromium"
# Characters of the terminal.
COLUMNS, LINES = 80, 24
WIDTH, HEIGHT = 1280, 1100
PORT = 8097
STUDY = "demo"
# A search of some minutes.
PITS = 300
SEARCH = ("launch", "foils", "--study", STUDY, "--trials", "12", "--ladder", "1x3,1x6,5x6,5x12")
# What a terminal is told to begin a line, or the line above, anew: between two of these stands one state of a view.
ANEW = re.compile(r"(?:\r?(?:\x1b\[1A)?\x1b\[2K)+")
# Shows or hides the cursor.
CURSOR = re.compile(r"\x1b\[\?25[lh]")
# rich's drawing names a font of another server.
FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A picture of docs/."""

    name: str
    # What it shows: patterns of files of the repository.
    sources: tuple[str, ...]


TERMINAL = Picture("terminal.svg", ("search/report/live_view.py", "search/report/sparkline.py"))
REPORT = Picture(
    "report.png",
    ("search/report/templates/page.html.j2", "search/report/templates/report*.j2", "search/report/figures/*.py"),
)
DASHBOARD = Picture("dashboard.png", ("search/dashboard/*.py",))
HITS = Picture("hits.png", ("scan/templates/*.j2", "scan/gallery.py", "scan/sheets.py"))
PICTURES = (TERMINAL, REPORT, DASHBOARD, HITS)
REMEDY = "must be as new as what it shows ({}), but is older; run `make screenshots`, and look at it."


def hash_of(root: Path, picture: Picture) -> str:
    """Give the hash of all that a picture shows. Raises FileNotFoundError where a pattern has no file."""
    told = hashlib.sha256()
    for pattern in picture.sources:
        paths = sorted(root.glob(pattern))
        if not paths:
            raise FileNotFoundError(f"{pattern}: a picture must show files that are there, but got none; correct PICTURES.")
        for path in paths:
            told.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return told.hexdigest()


def read_hashes(root: Path) -> dict[str, str]:
    """Give the hash of what each picture showed when it was taken, by its name."""
    file = root / HASHES
    hashes: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return hashes


def stale(root: Path) -> list[Picture]:
    """List the pictures that are missing, or older than what they show."""
    hashes = read_hashes(root)
    return [
        picture
        for picture in PICTURES
        if not (root / "docs" / picture.name).is_file() or hashes.get(picture.name) != hash_of(root, picture)
    ]


def states_of(output: str) -> list[str]:
    """Give every state of a view that was shown in place, from all that a terminal was sent."""
    return [text for piece in ANEW.split(CURSOR.sub("", output)) if (text := piece.replace("\r", "").strip("\n"))]


def draw_terminal(state: str, title: str) -> str:
    """Draw what a terminal shows as SVG that needs nothing else."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(state))
    return FONT.sub("", console.export_svg(title=title, unique_id="terminal"))


def run(folder: Path, *words: str) -> None:
    """Run a command of pitsearch in a folder."""
    subprocess.run([sys.executable, "-m", "pitsearch", *words], cwd=folder, env=_environment(folder), check=True)


def run_in_terminal(folder: Path, *words: str) -> str:
    """Run a command of pitsearch in a terminal of its own, and give all that the terminal was sent."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "pitsearch", *words]
    environment = {**_environment(folder), "TERM": "xterm-256color"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        parts = []
        with suppress(OSError):  # the end of a terminal whose program has ended
            while part := os.read(ours, 65536):
                parts.append(part)
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} must exit with 0, but got {process.returncode}.")
    return b"".join(parts).decode("utf-8")


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PITSEARCH_CACHE": str(folder / "cache")}


def make(pictures: Sequence[Picture], folder: Path, root: Path) -> None:
    """Take pictures of the study in a folder, which is searched and selected from where it is not yet, or must be shown."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "foils").is_dir():
        run(folder, "synth", "foils", "--seed", "1", "--pits", str(PITS))
    if TERMINAL in pictures or not (folder / "studies.db").is_file():
        for file in ("studies.db", "selected"):
            (folder / file).unlink(missing_ok=True)
        shutil.rmtree(folder / "runs", ignore_errors=True)
        states = states_of(run_in_terminal(folder, *SEARCH))
        drawn = draw_terminal(states[len(states) * 2 // 3], f"pitsearch {' '.join(SEARCH)}")
        (root / "docs" / TERMINAL.name).write_text(drawn, encoding="utf-8")
        record(TERMINAL, root)
    if not (folder / "selected").is_file():
        run(folder, "select", "--study", STUDY, "--top", "2", "--repeats", "1")
        (folder / "selected").touch()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        if REPORT in pictures:
            take_report(page, folder, root / "docs" / REPORT.name)
            record(REPORT, root)
        if DASHBOARD in pictures:
            take_dashboard(page, folder, root / "docs" / DASHBOARD.name)
            record(DASHBOARD, root)
        if HITS in pictures:
            take_hits(page, folder, root / "docs" / HITS.name)
            record(HITS, root)
        browser.close()


def record(picture: Picture, root: Path) -> None:
    """Keep the hash of what a picture shows that was taken now."""
    hashes = {**read_hashes(root), picture.name: hash_of(root, picture)}
    (root / HASHES).write_text(json.dumps(hashes, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def take_report(page: Page, folder: Path, file: Path) -> None:
    """Take a picture of the report, as far as a window shows it."""
    run(folder, "report", "--study", STUDY, "--out", "report.html")
    page.goto((folder / "report.html").as_uri())
    page.wait_for_selector("html[data-drawn]")
    page.screenshot(path=file)


def take_hits(page: Page, folder: Path, file: Path) -> None:
    """Take a picture of the hits that the selected model finds on frames, as far as a window shows them."""
    for made in ("best", "hits"):
        shutil.rmtree(folder / made, ignore_errors=True)
    run(folder, "export", "--study", STUDY, "best")
    if not (folder / "foil").is_dir():
        run(folder, "synth", "foil", "--frames", "--pits", "40", "--seed", "3")
    run(folder, "scan", "best", "foil", "--out", "hits", "--grid", "4")
    page.set_viewport_size({"width": 1080, "height": 560})
    page.goto((folder / "hits" / "hits.html").as_uri())
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    # Crops are grainy: few greys are enough, but the colours of the map must stay.
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(80, Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def take_dashboard(page: Page, folder: Path, file: Path) -> None:
    """Take a picture of the study in the dashboard, at the address that the command says first."""
    command = [sys.executable, "-m", "pitsearch", "dashboard", "--port", str(PORT)]
    with subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # it is a pipe
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address is not None  # the first line says it
            _wait_for(address[0], server)
            page.goto(address[0])
            page.get_by_role("link", name=STUDY).click()
            page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
            # The page lays its figures out anew when the window changes.
            page.set_viewport_size({"width": WIDTH + 20, "height": HEIGHT + 100})
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1000)
            page.screenshot(path=file)
        finally:
            server.terminate()


def _wait_for(address: str, server: subprocess.Popen[str]) -> None:
    """Wait until a server listens, which is after it has said where."""
    place = urlsplit(address)
    assert place.hostname is not None and place.port is not None  # the command gives both
    while server.poll() is None:
        with suppress(OSError), socket.create_connection((place.hostname, place.port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"the dashboard must listen at {address}, but has ended.")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Make the pictures, or check them; give the exit status."""
    parser = argparse.ArgumentParser(description="Make the pictures of README and docs.")
    parser.add_argument("--check", action="store_true", help="make nothing; fail where a picture is older than what it shows")
    is_check, pictures = parser.parse_args(arguments).check, stale(root)
    if is_check:
        for picture in pictures:
            print(f"docs/{picture.name} {REMEDY.format(', '.join(picture.sources))}", file=sys.stderr)
        return int(bool(pictures))
    make(pictures, STUDIES, root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
