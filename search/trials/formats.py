"""Stored forms of plans and records: plain JSON values with a format number, read by way of migrations.

A stored form without a number is format 1, which version 0.1.0 wrote. Knows nothing of databases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cattrs.preconf.json import make_converter

from pitsearch.typed_values import MISFITS, brief, reason_of, strict
from search.errors import StudyError
from search.trials.ladder import Ladder
from spaces import Space

Value = TypeVar("Value")
# One step takes a stored form of one format to the next.
Migration = Callable[[dict[str, Any]], dict[str, Any]]

# What another program, or a damaged page, left in a study is not converted to what it might have been.
CONVERTER = strict(make_converter())
CONVERTER.register_unstructure_hook(Ladder, str)
CONVERTER.register_structure_hook(Ladder, lambda text, _: Ladder.parse(text))
CONVERTER.register_unstructure_hook(Space, lambda space: space.to_dict())
CONVERTER.register_structure_hook(Space, lambda values, _: Space.from_dict(values))


def to_plain(value: object) -> Any:
    """Give a frozen dataclass as plain JSON values."""
    return CONVERTER.unstructure(value)


def from_plain(kind: type[Value], stored: object, what: str) -> Value:
    """Read a dataclass from plain values. Raises StudyError, with `what` it is of, where they are not its."""
    try:
        return CONVERTER.structure(stored, kind)
    except MISFITS as error:
        raise StudyError(
            f"{what} must be one that this version of pitsearch made, but is not: {reason_of(error)}; choose another --study."
        ) from None


def upgrade(stored: object, migrations: Sequence[Migration], what: str) -> dict[str, Any]:
    """Bring a stored form to the newest format, which has one number more than there are migrations.

    Raises StudyError for a format that is newer.
    """
    if not isinstance(stored, Mapping):
        raise StudyError(f"{what} must be a table that pitsearch wrote, but is {brief(stored)}; choose another --study.")
    values, newest = dict(stored), len(migrations) + 1
    number = values.pop("format", 1)
    if not isinstance(number, int) or not 1 <= number <= newest:
        raise StudyError(
            f"{what} must have a format of up to {newest}, but has {brief(number)}: a newer pitsearch made it; "
            "use that version."
        )
    try:
        for migration in migrations[number - 1 :]:
            values = migration(values)
    except MISFITS as error:
        raise StudyError(
            f"{what} must be one that pitsearch wrote in format {number}, but is not: {reason_of(error)}; "
            "choose another --study."
        ) from None
    return values
