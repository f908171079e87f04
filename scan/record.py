"""What a scan has done so far, in its folder: a line for each finished frame, `frames.jsonl`.

A line that is cut short, where the scan was killed, is left out, and its frame is scanned again. Knows nothing of images.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from foils.frames import Frame
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from scan.detect import FIELDS, Detections
from scan.errors import ScanError

FRAMES = "frames.jsonl"
# Bytes of all lines: a hundred million detections would have as many.
MOST_LINES = 2**33


@dataclass(frozen=True)
class FrameResult:
    """What became of one frame."""

    frame: Frame
    # None where it could not be read.
    detections: Detections | None
    # Its size in pixels.
    width: int = 0
    height: int = 0
    # What was wrong with it.
    fault: str | None = None
    # Of its files before they were read, as `state_of` gives it.
    state: str = ""


def read_results(folder: Path, frames: Mapping[str, Frame]) -> dict[str, FrameResult]:
    """Read the finished frames whose files are as they were when they were scanned, by name."""
    try:
        content = read_regular(folder / FRAMES, MOST_LINES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ScanError(
            f"{folder / FRAMES}: the finished frames must be readable, but: {reason(error)}; make the file readable."
        ) from None
    results = {}
    for line in content.splitlines():
        try:
            row = json.loads(line)
            frame = frames.get(row["frame"])
            if frame is not None and row["state"] == state_of(frame):
                results[frame.name] = _result(frame, row)
        except (ValueError, KeyError, TypeError):
            continue  # it was cut short
    return results


@contextmanager
def appending(folder: Path) -> Iterator[TextIO]:
    """Open the lines of finished frames to add some; a line that was cut short is ended first."""
    path = folder / FRAMES
    with path.open("a+", encoding="utf-8") as stream:
        if stream.tell():
            with path.open("rb") as written:
                written.seek(-1, os.SEEK_END)
                if written.read(1) != b"\n":
                    stream.write("\n")
        yield stream


def append(stream: TextIO, result: FrameResult) -> None:
    """Add a finished frame."""
    assert result.detections is not None
    values = {name: each.tolist() for name, each in asdict(result.detections).items()}
    row = {"frame": result.frame.name, "state": result.state, "width": result.width, "height": result.height}
    stream.write(json.dumps({**row, **values}, allow_nan=False) + "\n")
    stream.flush()


def state_of(frame: Frame) -> str:
    """Hash what changes when a frame's files are written to: their names, sizes and times."""
    parts = []
    for path in frame.files:
        try:
            status = path.stat()
        except OSError:
            return ""
        parts.append((path.name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _result(frame: Frame, row: Mapping[str, Any]) -> FrameResult:
    values: dict[str, Any] = {name: np.asarray(row[name], np.int64 if name == "classes" else np.float64) for name in FIELDS}
    if len({len(each) for each in values.values()}) > 1:
        raise ValueError("its lists must be equally long")
    return FrameResult(frame, Detections(**values), int(row["width"]), int(row["height"]))
