"""Keep the log of a data set's held-out set in its folder: `held_out.jsonl`, one event a line.

The log says which pits are locked away, which were ever searched, and each opening of the set. It travels with the folder, and
all studies of the data share it. Each line has the hash of the line before, so that a line that was changed, removed or
inserted is noticed. A data set that was merged from several keeps the logs of all, under names that begin with `held_out`.
Knows nothing of how pits are drawn or scored.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

LOG = "held_out.jsonl"
LOGS = "held_out*.jsonl"
# The key of a line's predecessor.
PREVIOUS = "previous"


@dataclass(frozen=True)
class Rule:
    """How pits are chosen to be locked away: a share of the groups, or whole slides."""

    share: float | None = None
    # Each as `SLIDE` or `FOIL:SLIDE`.
    slides: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"slides {', '.join(self.slides)}" if self.slides else f"a share of {self.share:g}"


@dataclass(frozen=True)
class Sides:
    """Pits that join one side of the lock for good. A pit is its name and the hash of its pixels."""

    rule: Rule
    held_out: Mapping[str, str]
    search: Mapping[str, str]


@dataclass(frozen=True)
class Searched:
    """Pits that a study may show to its trials."""

    study: str
    # Hashes of their pixels, without those that an earlier line names.
    pixels: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """An opening of a held-out set, recorded before the set is read."""

    study: str
    # Tells the opening from others of the same study.
    token: str
    # SHA-256 of the model that was read with, as far as it is recorded.
    model: str
    # Hashes of the pixels of the pits that were read.
    pixels: tuple[str, ...]


Event = Sides | Searched | Opened


@dataclass(frozen=True)
class HeldOutLog:
    """The log as it stands."""

    # The rule of the first lock; None where nothing was locked away yet.
    rule: Rule | None = None
    # Whether each known pit is locked away, by its name and by the hash of its pixels.
    by_name: Mapping[str, bool] = field(default_factory=dict)
    by_pixels: Mapping[str, bool] = field(default_factory=dict)
    # Hashes of the pits that any study has searched.
    searched: frozenset[str] = frozenset()
    # In order.
    openings: tuple[Opened, ...] = ()
    # The first line that does not follow from the line before, as `FILE:LINE`; None where all do.
    changed: str | None = None

    def side(self, name: str, pixels: str) -> bool | None:
        """Tell whether a pit is locked away: known by its pixels, else by its name; None where it is new."""
        return self.by_pixels.get(pixels, self.by_name.get(name))


def read_log(folder: Path) -> HeldOutLog:
    """Read the log of a data set, and those that were merged into it; an empty one where there is none."""
    try:
        files = sorted(folder.glob(LOGS), key=lambda file: (file.name != LOG, file.name))
        contents = [(file.name, file.read_bytes()) for file in files if file.is_file() and not file.is_symlink()]
    except OSError:
        contents = []
    return _replay(contents)


def append_to_log(folder: Path, next_events: Callable[[HeldOutLog], Sequence[Event]]) -> HeldOutLog:
    """Add the events that follow from the log as it stands, one process at a time, and give the log with them.

    Raises OSError where the folder cannot be written to, or a link, a pipe or a device has the log's name: a data set may be
    anybody's, and is not to lead to another file.
    """
    with _locked(folder / LOG) as stream:
        content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]  # without what a machine that failed left half written
        lines = whole.splitlines()
        previous = _hash(lines[-1]) if lines else ""
        text = b""
        for event in next_events(read_log(folder)):
            line = _line(event, previous)
            previous = _hash(line)
            text += line + b"\n"
        if text:
            os.ftruncate(stream.fileno(), len(whole))
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    return read_log(folder)


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is a pipe or a device, and a regular file is needed")
    with os.fdopen(descriptor, "a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # given back when the file is closed
        stream.seek(0)
        yield stream


def _line(event: Event, previous: str) -> bytes:
    kind = type(event).__name__.lower()
    return json.dumps({"kind": kind, **asdict(event), PREVIOUS: previous}, sort_keys=True).encode()


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _replay(contents: Sequence[tuple[str, bytes]]) -> HeldOutLog:
    rule: Rule | None = None
    by_name: dict[str, bool] = {}
    by_pixels: dict[str, bool] = {}
    searched: set[str] = set()
    openings: dict[str, Opened] = {}
    changed: str | None = None
    for place, event in _events(contents):
        if event is None:
            changed = changed or place
        elif isinstance(event, Sides):
            rule = rule or event.rule
            for locked, pits in ((True, event.held_out), (False, event.search)):
                for name, pixels in pits.items():
                    # The first line counts: a pit never changes side.
                    by_name.setdefault(name, locked)
                    by_pixels.setdefault(pixels, locked)
        elif isinstance(event, Searched):
            searched.update(event.pixels)
        else:
            openings.setdefault(event.token, event)
    return HeldOutLog(rule, by_name, by_pixels, frozenset(searched), tuple(openings.values()), changed)


def _events(contents: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, Event | None]]:
    """Give each line's place and event; None where the line was changed, or does not follow from the one before."""
    for name, content in contents:
        previous = ""
        for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1):
            place = f"{name}:{number}"
            try:
                values = json.loads(line)
                if values.pop(PREVIOUS) != previous:
                    yield place, None
                yield place, _event(values)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                yield place, None
            previous = _hash(line)


def _event(values: dict[str, Any]) -> Event:
    """Read one event. Raises KeyError, TypeError or ValueError where it is none."""
    kind = values.pop("kind")
    if kind == "sides":
        rule = values["rule"]
        share = None if rule["share"] is None else float(rule["share"])
        sides = ({str(name): str(pixels) for name, pixels in values[side].items()} for side in ("held_out", "search"))
        return Sides(Rule(share, tuple(map(str, rule["slides"]))), *sides)
    pixels = tuple(map(str, values["pixels"]))
    if kind == "searched":
        return Searched(str(values["study"]), pixels)
    if kind == "opened":
        return Opened(str(values["study"]), str(values["token"]), str(values["model"]), pixels)
    raise ValueError(kind)
