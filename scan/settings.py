"""What a scan was made with, and what came of it: `scan.json` beside its hits. Knows nothing of what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foils.atomic_write import write_whole
from pitsearch.errors import reason
from pitsearch.json_text import MOST_BYTES, parse_json
from pitsearch.regular_file import read_regular
from scan.errors import ScanError

SETTINGS = "scan.json"


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write what a scan is made with, and what came of it."""
    text = json.dumps(settings, indent=2, allow_nan=False) + "\n"
    write_whole(folder / SETTINGS, lambda stream: stream.write(text.encode()))


def read_settings(folder: Path, remedy: str) -> dict[str, Any] | None:
    """Read what a scan was made with; None where the folder holds no scan. Raises ScanError for a file that is none of ours."""
    path = folder / SETTINGS
    try:
        return parse_settings(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ScanError(f"{path}: the file must be what `pitsearch scan` wrote, but: {reason(error)}; {remedy}.") from None


def parse_settings(path: Path) -> dict[str, Any]:
    """Read the file itself. Raises OSError, or ValueError where it holds no table."""
    settings = parse_json(read_regular(path, MOST_BYTES))
    if not isinstance(settings, dict):
        raise ValueError(f"it must be a table, but is a {type(settings).__name__}")
    return settings
