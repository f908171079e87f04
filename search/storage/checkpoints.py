"""Checkpoints of trials on disk: `runs/STUDY/TRIAL/`, a file for each fold that was trained further since the last.

A file is written whole, synced to the disk and hashed before the study's database names it. A file that the database does not
name is left over from a worker that died; it is removed when a study is launched. A file's name contains a part of its writer's
lease, so that a worker which lost its trial never touches the files of the next. Links are not followed, and nothing is removed
but files with names of ours in folders named by a number. Knows nothing of databases or of a file's content.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

from foils.atomic_write import make_folders, sync_folder, temporary_name, write_whole
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from search import defaults
from search.errors import StudyError
from search.storage.urls import is_file, parse_url
from search.trials.records import CheckpointFile, CheckpointRecord

# The file in a study's folder that names the study.
OWNER = "study"
# The largest checkpoint of a fold that is read: bytes.
MOST_BYTES = 16 * 2**30
# Characters of a lease's token in the name of a file.
SHORT = 8
# The names of the folder of a trial, and of a checkpoint, finished or under its temporary name.
TRIAL, CHECKPOINT = re.compile(r"[0-9]+"), re.compile(r"fold[0-9]+-[0-9]+-[0-9]+-\w+\.safetensors(\.[0-9a-f]+)?")
# Seconds after which a file that no row names counts as left over.
SETTLED_S = 120.0


@dataclass(frozen=True)
class CheckpointStore:
    """The checkpoints of one trial."""

    folder: Path
    # Of the lease of the worker that writes.
    token: str

    def keep(self, fold: int, reseeds: int, epoch: int, content: bytes) -> CheckpointFile:
        """Write a fold's checkpoint. Raises StudyError where the disk does not take it."""
        name = f"fold{fold}-{reseeds}-{epoch}-{self.token[:SHORT]}.safetensors"
        try:
            if self.folder.is_symlink():
                raise OSError(errno.ELOOP, "it is a link, and links are not followed")
            make_folders(self.folder)
            write_whole(self.folder / name, lambda stream: stream.write(content), synced=True)
        except OSError as error:
            raise StudyError(
                f"{self.folder}: a checkpoint must be writable, but: {reason(error)}; make it writable, then run the same "
                "command again: what finished is kept."
            ) from None
        return CheckpointFile(name, hashlib.sha256(content).hexdigest(), reseeds, epoch)

    def read(self, saved: CheckpointRecord) -> tuple[dict[int, bytes], tuple[str, ...]]:
        """Read the folds' checkpoints: those that are as they were written, and a line for each that is not."""
        contents, faults = {}, []
        for fold, file in saved.folds.items():
            try:
                content = read_regular(self.folder / file.name, MOST_BYTES, links=False)
            except OSError as error:
                faults.append(f"fold {fold}: {file.name}: {reason(error)}")
                continue
            if hashlib.sha256(content).hexdigest() == file.sha256:
                contents[fold] = content
            else:
                faults.append(f"fold {fold}: {file.name} has been changed or cut short")
        return contents, tuple(faults)

    def tidy(self, saved: CheckpointRecord) -> None:
        """Remove what a later checkpoint has replaced."""
        _remove_but(self.folder, {file.name for file in saved.folds.values()})

    def drop(self) -> None:
        """Remove all checkpoints of a trial that has ended."""
        _remove_but(self.folder, ())
        with suppress(OSError):
            self.folder.rmdir()  # if nothing is in it


def open_runs(root: Path, study: str, uid: str) -> Path:
    """Make or find the folder of a study's checkpoints: the study's name, with a number added where another study has it.

    `uid`: distinguishes studies of one name in different databases. Raises StudyError where the folder is not writable.
    """
    name = quote(study, safe=" ") if study.strip(".") else study.replace(".", "%2E")
    for number in count(1):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            make_folders(folder)
            if _own(folder, uid):
                return folder.resolve()
        except OSError as error:
            raise StudyError(
                f"{folder}: the folder of checkpoints must be writable, but: {reason(error)}; give another --runs."
            ) from None
    raise AssertionError("count has no end")


def _own(folder: Path, uid: str) -> bool:
    """Assign a folder that has no study yet to this one, and tell whether it is this study's."""
    owner = folder / OWNER
    temporary = temporary_name(owner)
    try:
        # Also where there is an owner already: it shows that the folder can be written to.
        write_whole(temporary, lambda stream: stream.write(uid.encode("ascii")), synced=True)
        with suppress(FileExistsError):
            owner.hardlink_to(temporary)
            sync_folder(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return owner_of(folder) == uid


def owner_of(folder: Path) -> str | None:
    """Name the study that a folder belongs to; None where it does not say."""
    try:
        return read_regular(folder / OWNER, MOST_BYTES, links=False).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None


def clear_runs(runs: Path, uid: str) -> None:
    """Remove all checkpoints of a study that was deleted. Its folder stays and belongs to no other: its models are in it."""
    if owner_of(runs) == uid:
        reconcile(runs, {}, (), 0.0)


def reconcile(runs: Path, named: Mapping[int, Collection[str]], running: Collection[int], settled_s: float = SETTLED_S) -> int:
    """Remove the files that no row of the database names, and give their number.

    `named`: the files of each trial that may go on; `running`: trials whose files stay, for their workers write. Files younger
    than `settled_s` stay, too: a worker may have begun since the database was read.
    """
    removed = 0
    for folder in sorted(runs.iterdir()):
        if not TRIAL.fullmatch(folder.name) or int(folder.name) in running:
            continue
        removed += _remove_but(folder, named.get(int(folder.name), ()), settled_s)
        with suppress(OSError):
            folder.rmdir()  # if nothing is in it, and it is no link
    return removed


def _remove_but(folder: Path, names: Collection[str], settled_s: float = 0.0) -> int:
    """Remove a folder's checkpoints except those of these names and those younger than `settled_s`, and count them."""
    removed, before = 0, time.time() - settled_s
    try:
        # Held open, so that no link can take the folder's place in between.
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # not made yet, removed by another process that tidies, or no folder of ours
        return 0
    try:
        with os.scandir(opened) as files:
            ours = [file for file in files if CHECKPOINT.fullmatch(file.name) and file.name not in names]
        for file in ours:
            with suppress(OSError):
                if file.stat(follow_symlinks=False).st_mtime <= before:
                    os.unlink(file.name, dir_fd=opened)
                    removed += 1
    finally:
        os.close(opened)
    return removed


def place_runs(runs: str | Path | None, storage: str) -> Path:
    """Say where checkpoints go: beside the database where that is a file, else in the current folder."""
    url = parse_url(storage)
    beside = Path(str(url.database)).parent if is_file(url) else Path()
    return beside / defaults.RUNS if runs is None else Path(runs)
