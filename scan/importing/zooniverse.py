"""Read a Zooniverse export of classifications: the answers of many people, counted for each subject.

A pit's label is its most frequent answer; where too few agree, `maybe`. The share of the votes and their number are kept.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foils.frames import by_number
from foils.plain_folder import SUFFIXES
from pitsearch.json_text import parse_json
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, names_of, pit_of, read_images, read_rows

COLUMNS = ("classification_id", "user_name", "annotations", "subject_data")
UNSURE = "maybe"


@dataclass
class _Subject:
    """What was said of one subject: its metadata, and each person's answer."""

    metadata: Mapping[str, Any]
    answers: dict[str, str] = field(default_factory=dict)


def read_zooniverse(source: Path, options: ImportOptions) -> PitTable:
    """Read an export and its images, which the subjects' metadata name.

    A person's first answer to a subject counts. Raises ScanError where a row or an image cannot be used.
    """
    if not 0 < options.share <= 1:
        raise ScanError(f"`0 < share <= 1` must hold, but got {options.share:g}; choose e.g. 0.7.")
    subjects: dict[str, _Subject] = {}
    skipped: Counter[str] = Counter()
    for number, row in enumerate(read_rows(source, COLUMNS), 1):
        try:
            subject, metadata = _subject_of(row["subject_data"])
            answer = _answer_of(row["annotations"])
        except ValueError as error:
            raise ScanError(
                f"{source.name}: classification {row['classification_id'] or number} must be as Zooniverse exports it, but: "
                f"{error}; export it again."
            ) from None
        known = subjects.setdefault(subject, _Subject(metadata))
        if answer is None:
            skipped["classifications without an answer"] += 1
        elif known.answers.setdefault(row["user_name"] or f"#{number}", answer) != answer:
            skipped["second, other answers of one person"] += 1
    voted = {name: subject for name, subject in subjects.items() if subject.answers}
    if not voted:
        raise ScanError(f"{source.name}: some subject must have an answer, but none has; export the classifications again.")
    base = options.images or source.parent
    crops = read_images([_files_of(name, subject.metadata, base) for name, subject in voted.items()])
    plain = {name: _plain(subject.metadata) for name, subject in voted.items()}
    names = names_of([plain[name].get("pit") or plain[name].get("hit") or name for name in voted])
    pits = []
    for (identity, answered), name in zip(voted.items(), names, strict=True):
        label, share = _vote(answered, options.share)
        votes = {"vote_share": f"{share:.4f}", "votes": str(len(answered.answers)), "subject": identity}
        pits.append(pit_of(plain[identity], name, label, further=votes))
    if unanswered := len(subjects) - len(voted):
        skipped["subjects without an answer"] += unanswered
    notes = tuple(f"{source.name}: {count} {what} left out" for what, count in skipped.items())
    return PitTable(crops, tuple(pits), notes=notes)


def _vote(subject: _Subject, least: float) -> tuple[str, float]:
    """Give the label and its share of the votes; of two most frequent answers neither counts."""
    (label, count), *others = Counter(subject.answers.values()).most_common()
    share = count / len(subject.answers)
    tied = bool(others) and others[0][1] == count
    return (UNSURE if tied or share < least else label), share


def _subject_of(text: str) -> tuple[str, Mapping[str, Any]]:
    table = parse_json(text)
    if not isinstance(table, dict) or len(table) != 1 or not isinstance(next(iter(table.values())), dict):
        raise ValueError("`subject_data` describes no single subject")
    return next(iter(table.items()))


def _answer_of(text: str) -> str | None:
    """Give the answer to the first question; None where it was left open."""
    tasks = parse_json(text)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ValueError("`annotations` hold no list of tasks")
    values = [task.get("value") for task in tasks]
    value = next((value for value in values if isinstance(value, str) and value.strip()), None)
    if value is None and any(isinstance(value, list | dict) and value for value in values):
        raise ValueError("its answer is no choice of one among several")
    return None if value is None else value.strip()


def _files_of(subject: str, metadata: Mapping[str, Any], base: Path) -> list[Path]:
    """List the images that metadata name, in the order of their keys: a file a light, or one with a page a light."""
    keys = [key for key, value in metadata.items() if isinstance(value, str) and value.lower().endswith(SUFFIXES)]
    files = [base / metadata[key] for key in sorted(keys, key=by_number)]
    if not files:
        raise ScanError(f"subject {subject}: its metadata must name its image, but name none; export the subjects' data too.")
    return files


def _plain(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Give metadata by their names as labels.csv has them; Zooniverse hides names that begin with `#` or `!`."""
    plain: dict[str, str] = defaultdict(str)
    for key, value in metadata.items():
        plain[re.sub(r"^[#!]+", "", key).strip().lower()] = "" if value is None else str(value).strip()
    return dict(plain)
