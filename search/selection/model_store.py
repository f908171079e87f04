"""Keep finished models on disk: `runs/STUDY/models/HASH/`, each a bundle whose files' hashes the study records.

A model is written under a temporary name and renamed, so that it is whole or absent. Knows nothing of how a model is made.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from search.errors import StudyError
from search.selection.selection_record import ModelKey, model_record
from search.storage.checkpoints import MOST_BYTES, OWNER, open_runs, owner_of, place_runs
from search.studies.launch_record import last_launch
from search.studies.study import Study

MODELS = "models"
# Behind a folder's name while it is written, or about to be removed.
UNFINISHED = ".unfinished"
# The name of such a folder.
LEFT_OVER = re.compile(rf"[0-9a-f]{{64}}\.\w+{re.escape(UNFINISHED)}")
# Seconds after which an unfinished folder is left over from a process that died.
LEFT_OVER_S = 24 * 3600.0
# Processes that keep the same model at once take turns; so often one tries.
TURNS = 20


def open_models(study: Study, runs: str | Path | None = None) -> Path:
    """Give the folder of a study's models, made where it is missing.

    `runs`: the folder of all studies' checkpoints, if not where the launch had it. Raises StudyError where it cannot be
    written to.
    """
    launched = last_launch(study)
    if runs is None and launched is not None and Path(launched.runs).is_dir():
        folder = Path(launched.runs) / MODELS
    else:
        # Without a launch, or where its folder has moved with the database: where a launch would put it now.
        folder = open_runs(place_runs(runs, study.storage), study.name, study.uid) / MODELS
    with disk_errors(folder):
        folder.mkdir(exist_ok=True)
    for leftover in folder.iterdir():
        with suppress(OSError):
            if LEFT_OVER.fullmatch(leftover.name) and leftover.lstat().st_mtime < time.time() - LEFT_OVER_S:
                shutil.rmtree(leftover)  # which refuses a link, and follows none within
    return folder


@contextmanager
def unfinished_model(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder` to write a model into; `put_model` renames it, and what is left is removed."""
    unfinished = _temporary(folder)
    with disk_errors(folder):
        unfinished.mkdir(parents=True)
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def put_model(unfinished: Path, folder: Path) -> None:
    """Rename a written model to its folder, in place of one that was changed; processes that do so at once take turns.

    Files of a person beside the model's are left, if only in a folder of another name.
    """
    written = file_hashes(unfinished)
    for turn in range(TURNS):
        # A process that has its turn may take the folder away while its files are read here.
        with suppress(FileNotFoundError):
            if written.items() <= file_hashes(folder).items():
                return
        replaced = _temporary(folder)
        with suppress(FileNotFoundError):
            folder.rename(replaced)
        try:
            unfinished.rename(folder)
            return
        except OSError:  # another process was faster
            if turn == TURNS - 1:
                raise
        finally:
            _remove_files(replaced, written)


def _remove_files(folder: Path, names: Iterable[str]) -> None:
    """Remove files of a folder that is no link, and the folder where nothing else is in it."""
    if folder.is_symlink():
        return
    with suppress(OSError):
        for name in names:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Raise StudyError where the disk does not take what is written in the block."""
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"{folder}: a model's folder must be writable, but: {reason(error)}; make it writable, or give another --runs."
        ) from None


def file_hashes(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of every file of a folder, by name; empty where there is no such folder."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def read_model(study: Study, key: ModelKey, runs: str | Path | None = None) -> dict[str, bytes]:
    """Read the files of a kept model, by name.

    `runs`: as in `open_models`. Raises StudyError where the model is missing or has been changed.
    """
    record = model_record(study, key)
    places = _places(study, key, record.folder, runs)
    folder = next((place for place in places if place.is_dir()), places[0])
    remedy = f"run `pitsearch select --study {study.name}` again, or give --runs if its folder has moved."
    files = {}
    for name, sha256 in record.files.items():
        try:
            files[name] = read_regular(folder / name, MOST_BYTES, links=False)
        except OSError as error:
            raise StudyError(
                f"{folder / name}: the selected model must be where select kept it, but: {reason(error)}; {remedy}"
            ) from None
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            raise StudyError(
                f"{folder / name}: the selected model must be as select wrote it, but this file has been changed; {remedy}"
            )
    return files


def _places(study: Study, key: ModelKey, recorded: str, runs: str | Path | None) -> list[Path]:
    """Say where a model may be, the likeliest first; makes no folder."""
    root = place_runs(runs, study.storage)
    owned = [owner.parent for owner in sorted(root.glob(f"*/{OWNER}")) if owner_of(owner.parent) == study.uid]
    moved = [folder.resolve() / MODELS / key.sha256 for folder in owned]
    if runs is None:
        return [Path(recorded), *moved]
    return moved or [root / study.name / MODELS / key.sha256]


def _temporary(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{secrets.token_hex(4)}{UNFINISHED}")
