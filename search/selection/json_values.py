"""Read and write what a study records of its selections as JSON, by the types of the dataclasses. Knows no record."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

import numpy as np
from cattrs import Converter

from pitsearch.typed_values import MISFITS, brief, reason_of, strict
from search.errors import StudyError
from search.trials.formats import Migration, upgrade

if TYPE_CHECKING:
    from models.metrics import Floats  # imports scikit-learn, which a copy of a model does not need

Record = TypeVar("Record")
# Each takes the format of its place, counted from 1, to the next. Version 0.1.0 wrote format 1, whose scores are of float32.
MIGRATIONS: tuple[Migration, ...] = (dict,)
# What stands before scores of float64.
DOUBLE = "f8:"


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


def _decode(text: object, _: object) -> Floats:
    if not isinstance(text, str):
        raise ValueError(f"must be numbers as base64, but got {brief(text)}")
    kind = "<f8" if text.startswith(DOUBLE) else "<f4"
    return np.frombuffer(base64.b64decode(text.removeprefix(DOUBLE), validate=True), kind).astype(np.float64)


def _encode(values: Floats) -> str:
    # Scores are computed in float64; in that type they come back bit for bit, and thresholds with them.
    return DOUBLE + base64.b64encode(values.astype("<f8").tobytes()).decode()


_CONVERTER = strict(Converter(detailed_validation=True))
_CONVERTER.register_structure_hook_func(_is_array, _decode)
_CONVERTER.register_unstructure_hook_func(_is_array, _encode)


def to_json(record: object) -> dict[str, Any]:
    """Give a dataclass as plain values with the number of their format; arrays of scores as base64."""
    return {"format": len(MIGRATIONS) + 1, **_CONVERTER.unstructure(record)}


def from_json(values: object, kind: type[Record], what: str = "a record of a selection") -> Record:
    """Rebuild a dataclass from `to_json`'s values; fields that it does not know are left out.

    `what`: whose record it is, for the error. Raises StudyError for a format that is newer, and for what is no such record.
    """
    plain = upgrade(values, MIGRATIONS, what)
    try:
        return _CONVERTER.structure(plain, kind)
    except MISFITS as error:
        raise StudyError(f"{what} must be what pitsearch wrote, but is not: {reason_of(error)}; select again.") from None
