"""Read the classifications that Zooniverse exports: the votes of volunteers on subjects, each an image or one a light.

A subject's label is the answer with the greatest share of its votes, where that share is reached; `maybe` otherwise. A
volunteer has one vote a subject, the first. The columns `votes` and `vote_share` are kept.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foils.folder_writer import WrittenPit
from foils.pit import Pit
from foils.plain_folder import SUFFIXES
from pitsearch.json_text import parse_json
from scan.errors import ScanError
from scan.importing.source import KNOWN, Imported, Source, lights_for, pages_of, pit_of, read_rows

COLUMNS = ("annotations", "subject_data", "subject_ids")
UNDECIDED = "maybe"


def read_zooniverse(source: Source) -> Imported:
    """Read the subjects of an export, with the label that the volunteers gave."""
    rows = read_rows(source.path, COLUMNS)
    if not 0 < source.votes <= 1:
        raise ScanError(f"`0 < votes <= 1` must hold, but got {source.votes:g}; choose e.g. 0.6.")
    votes: dict[str, dict[str, str]] = defaultdict(dict)
    open_rows = 0
    facts: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows):
        subject = row["subject_ids"]
        who = row.get("user_name") or row.get("user_ip") or f"row {number}"
        answer = _answer(row["annotations"], source.path, number)
        if answer is None:
            open_rows += 1
            continue
        votes[subject].setdefault(who, answer)
        facts.setdefault(subject, _facts(row["subject_data"], subject, source.path, number))
    if not votes:
        raise ScanError(f"{source.path}: at least one subject must have an answer, but none has; export another workflow.")
    folder = source.images or source.path.parent
    files = {subject: _files(facts[subject], folder, subject, source.path) for subject in votes}
    first = files[next(iter(votes))]
    count = len(first) if len(first) > 1 else len(pages_of(first[0]))
    notes = [f"{open_rows} classifications without an answer left out"] if open_rows else []
    return Imported(lights_for(count, source.lights, source.path), _pits(source, votes, facts, files, notes), notes)


def _pits(
    source: Source,
    votes: Mapping[str, Mapping[str, str]],
    facts: Mapping[str, Mapping[str, str]],
    files: Mapping[str, Sequence[Path]],
    notes: list[str],
) -> Iterator[WrittenPit]:
    undecided = 0
    for subject, given in votes.items():
        (label, most), *_ = Counter(given.values()).most_common(1)
        share = most / len(given)
        if share < source.votes:
            label, undecided = UNDECIDED, undecided + 1
        row = {name: value for name, value in facts[subject].items() if name in KNOWN}
        pit = pit_of({**row, "label": label}, subject, source.path)
        further = (("votes", str(len(given))), ("vote_share", f"{share:.3f}"))
        yield WrittenPit(_with(pit, further), np.concatenate([pages_of(file) for file in files[subject]]))
    if undecided:
        notes.append(f"{undecided} subjects without {source.votes:.0%} of their votes on one answer are labelled {UNDECIDED}")


def _with(pit: Pit, further: tuple[tuple[str, str], ...]) -> Pit:
    return Pit(pit.pit, pit.label, pit.foil, pit.slide, pit.x, pit.y, pit.style, further)


def _answer(text: str, path: Path, number: int) -> str | None:
    """Give the answer to the first task of a classification; None where it was left open."""
    tasks = _json(text, path, number, "annotations")
    value = tasks[0].get("value") if isinstance(tasks, list) and tasks and isinstance(tasks[0], dict) else None
    if isinstance(tasks, list) and (not tasks or isinstance(tasks[0], dict)) and value in (None, "", []):
        return None
    if not isinstance(value, str) or not value.strip():
        raise ScanError(
            f"{path}: `annotations` must hold an answer to one question, but row {number + 1} has {json.dumps(value)[:60]}; "
            "export a workflow with a question."
        )
    return value.strip()


def _facts(text: str, subject: str, path: Path, number: int) -> dict[str, str]:
    """Give what the manifest said of a subject, names in small letters without their marks (#, //, !)."""
    data = _json(text, path, number, "subject_data")
    values = data.get(subject) if isinstance(data, dict) else None
    if not isinstance(values, dict):
        raise ScanError(
            f"{path}: `subject_data` must describe the subject {subject}, but row {number + 1} does not; export it anew."
        )
    return {str(name).lower().lstrip("#/!"): str(value) for name, value in values.items()}


def _json(text: str, path: Path, number: int, column: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        raise ScanError(f"{path}: `{column}` must be JSON, but row {number + 1} is not; export it anew.") from None


def _files(facts: Mapping[str, str], folder: Path, subject: str, path: Path) -> list[Path]:
    """Give the images that the manifest named, in its order."""
    names = [value for value in facts.values() if Path(value).suffix.lower() in SUFFIXES]
    if not names:
        raise ScanError(f"{path}: the subject {subject} must name its image, but its manifest names none; name it there.")
    return [folder / Path(name).name for name in dict.fromkeys(names)]
