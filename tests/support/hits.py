"""Hits of a scan, made up."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from foils.open_image import Grey
from scan.hits import Hit


def hit(number: int, *, p_signal: float | None = None, slide: str = "1", **others: Any) -> Hit:
    """Make a hit; those of higher numbers score less, and lie elsewhere."""
    chance = round(1 / (number + 1), 4) if p_signal is None else p_signal
    values: dict[str, Any] = {
        "hit": f"h{number:04d}",
        "foil": "f1",
        "slide": slide,
        "x": 20.5 + 30 * (number % 20),
        "y": 20.0 + 30 * (number // 20 % 15),
        "x_um": None,
        "y_um": None,
        "x_foil": None,
        "y_foil": None,
        "p_signal": chance,
        "class_name": "candidate" if chance > 0.5 else "bottom",
        "spread": 0.1,
        "accepted": chance > 0.5,
        "threshold": 0.5,
        "model": "0123456789ab",
    }
    return Hit(**{**values, **others})


def crops_of(number: int, channels: int = 3, edge: int = 56) -> Grey:
    """Draw crops `[hits, channels, y, x]`; the middle of each shows its number as a grey, brighter under later lights."""
    crops = np.full((number, channels, edge, edge), 20, np.uint8)
    middle = slice(edge // 2 - 6, edge // 2 + 6)
    for index in range(number):
        for channel in range(channels):
            crops[index, channel, middle, middle] = 60 + (index * 7 + channel * 30) % 190
    crops[:, :, 0, 0] = 255
    return crops


def browse(page: Path, script: str) -> str:
    """Open a copy of a page in Chromium, run a script at its end, and give what the script puts into `document.title`.

    The script is the body of an async function; time in the page runs as fast as it is computed.
    """
    copy = page.with_name("browsed.html")
    body = (
        f"<script>(async () => {{ {script} }})().catch((error) => {{ document.title = 'failed: ' + error; }});</script></body>"
    )
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", body), encoding="utf-8")
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1200,800",
        "--virtual-time-budget=20000",
    ]
    folder = f"--user-data-dir={page.parent / 'profile'}"
    shown = subprocess.run(
        [*command, folder, "--dump-dom", copy.as_uri()], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    title = re.search("<title>(.*?)</title>", shown, re.DOTALL)
    assert title is not None, shown[:2000]
    return title[1]
