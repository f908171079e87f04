"""Every reader of files that others may have written, with a small file that it reads: one table, which fuzz tests go through.

A module that reads from disk and is not in this table, nor in one of `tests/test_readers.py`, fails a test there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from foils import DataError
from foils.frames import Frame
from foils.held_out_log import LOG, Searched, append_to_log, read_log
from foils.stage import read_stage
from scan import ScanError
from scan.detect import FIELDS
from scan.expected import SCORES, _background
from scan.hit_lists import read_places
from scan.hits import read_hits, write_hits
from scan.importing.paths import read_paths
from scan.importing.source import Imported, Source
from scan.importing.stacks import read_stack
from scan.importing.tables import read_tables
from scan.importing.zooniverse import read_zooniverse
from scan.record import FRAMES, read_results, state_of
from scan.settings import SETTINGS, read_settings, write_settings
from search.errors import StudyError
from search.report.suspect_files import COLUMNS, check_out
from search.storage.urls import PASSWORD_FILE, read_password
from spaces import SpaceError
from spaces.plugin_files import use_plugin
from spaces.plugins import registered, unregister
from tests.support.hits import hit
from tests.support.sources import npz, ome_tiff, parquet, paths, zarr_stack, zooniverse

PLUGIN = "from spaces.plugins import Plugin\n\nplugin = Plugin(losses=[], networks=())\n"


@dataclass(frozen=True)
class Reader:
    """A module that reads a kind of file."""

    module: str
    # Writes a good file into an empty folder, with what belongs to it, and gives the file that is damaged.
    write: Callable[[Path], Path]
    # Reads that file, all of it.
    read: Callable[[Path], object]
    # What it may raise; none where damage is passed over.
    refuses: tuple[type[Exception], ...]
    # Whether it is text.
    is_text: bool = True


def content(name: str, text: str) -> Callable[[Path], Path]:
    """Give what writes a file of this name and text."""

    def write(folder: Path) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return write


def hits(name: str) -> Callable[[Path], Path]:
    """Give what writes a list of hits."""

    def write(folder: Path) -> Path:
        write_hits([hit(number, x_foil=1.0 + number, y_foil=2.0) for number in range(4)], folder / name)
        return folder / name

    return write


def source(write: Callable[[Path], Path], name: str = "") -> Callable[[Path], Path]:
    """Give what writes a source that is imported; `name`: of the file in its folder."""
    return lambda folder: write(folder / "source") / name if name else write(folder / "source")


def crops(read: Callable[[Source], Imported], up: int = 0) -> Callable[[Path], int]:
    """Give what reads all crops of a source; `up`: how many folders above the damaged file it is."""
    return lambda path: len(list(read(Source([path, *path.parents][up])).pits))


def log(folder: Path) -> Path:
    """Write the log of a held-out set."""
    for number in range(3):
        event = Searched(f"study {number}", ("a" * 64,))
        append_to_log(folder, lambda _, event=event: [event])  # type: ignore[misc]  # of which mypy infers no type
    return folder / LOG


def frame(folder: Path) -> Frame:
    """Give a frame of one file."""
    return Frame("f1", "1", (folder / "f1_s1.png",))


def finished_frames(folder: Path) -> Path:
    """Write what a scan has done so far: two lines for one frame."""
    (folder / "f1_s1.png").write_bytes(b"image")
    row = {"frame": "f1:1", "state": state_of(frame(folder)), "width": 40, "height": 30, **{name: [1, 2] for name in FIELDS}}
    return content(FRAMES, (json.dumps(row) + "\n") * 2)(folder)


def settings(folder: Path) -> Path:
    """Write what a scan was made with."""
    write_settings(folder, {"model": "0" * 64, "frames": 3, "scales": [1.0], "done": False})
    return folder / SETTINGS


def password(path: Path) -> str | None:
    """Read a password from a file."""
    path.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD_FILE, str(path))
        return read_password()


def plugin(path: Path) -> None:
    """Load a plugin, and forget it."""
    before = registered()
    try:
        use_plugin(str(path))
    finally:
        for ref in registered():
            if ref not in before:
                unregister(ref.name)


STAGE = content("stage.json", json.dumps({"1": [3.0, 2.0], "2": [3.1, 1.9], "3": [3.2, 1.9]}))
DATUM = 'holes = [["1", 10.0, 20.0], ["2", 30.0, 40.0], ["3", 50.0, 60.0]]\nreverse = false\nflipped = true\n'
READERS = {
    "positions": Reader("foils.stage", STAGE, lambda path: read_stage(path, pixel_um=6.45, width=64, height=48), (DataError,)),
    "datum holes": Reader(
        "foils.stage",
        lambda folder: STAGE(folder) and content("datum.toml", DATUM)(folder),
        lambda path: read_stage(path.with_name("stage.json"), path, pixel_um=6.45, width=64, height=48),
        (DataError,),
    ),
    # A line that was changed is told of, never refused.
    "held-out log": Reader("foils.held_out_log", log, lambda path: read_log(path.parent), ()),
    "finished frames": Reader(
        "scan.record", finished_frames, lambda path: read_results(path.parent, {"f1:1": frame(path.parent)}), (ScanError,)
    ),
    "settings of a scan": Reader(
        "scan.settings", settings, lambda path: read_settings(path.parent, "scan again"), (ScanError,)
    ),
    "hits.csv": Reader("scan.hits", hits("hits.csv"), read_hits, (ScanError,)),
    "hits.parquet": Reader("scan.hits", hits("hits.parquet"), read_hits, (ScanError,), is_text=False),
    "places, CSV": Reader("scan.hit_lists", hits("hits.csv"), read_places, (ScanError,)),
    "places, Parquet": Reader("scan.hit_lists", hits("hits.parquet"), read_places, (ScanError,), is_text=False),
    "places, JSON": Reader("scan.hit_lists", content("p.json", '[[1, 20.5, 3], ["7", 4, 5]]'), read_places, (ScanError,)),
    "scores of background": Reader(
        "scan.expected",
        content(SCORES, "pit,label,role,p_signal\np1,top,background,0.25\np2,candidate,signal,0.9\np3,top,background,\n"),
        lambda path: _background(path.parent),
        (ScanError,),
    ),
    "NPZ": Reader("scan.importing.tables", source(npz, "sig.npz"), crops(read_tables), (ScanError, DataError), is_text=False),
    "Parquet": Reader("scan.importing.tables", source(parquet), crops(read_tables), (ScanError, DataError), is_text=False),
    "paths": Reader("scan.importing.paths", source(paths), crops(read_paths), (ScanError, DataError)),
    "Zooniverse": Reader("scan.importing.zooniverse", source(zooniverse), crops(read_zooniverse), (ScanError, DataError)),
    "OME-TIFF": Reader("scan.importing.stacks", source(ome_tiff), crops(read_stack), (ScanError, DataError), is_text=False),
    "Zarr": Reader("scan.importing.stacks", source(zarr_stack, "zarr.json"), crops(read_stack, 1), (ScanError, DataError)),
    "chunk of Zarr": Reader(
        "scan.importing.stacks", source(zarr_stack, "c/0/0/0/0"), crops(read_stack, 5), (ScanError, DataError), is_text=False
    ),
    "list of suspects": Reader(
        "search.report.suspect_files",
        content("suspects.csv", ",".join(COLUMNS) + "\n" + "p1,top,x,0.9,5 of 5,r,\np2,top,x,0.9,5 of 5,r,\n"),
        check_out,
        (StudyError,),
    ),
    "password": Reader("search.storage.urls", content("password", "secret\n"), password, (StudyError,)),
    "plugin": Reader("spaces.plugin_files", content("mine.py", PLUGIN), plugin, (SpaceError,)),
}
