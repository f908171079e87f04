"""Read and write what a study records of its selections as JSON, by the types of the dataclasses. Knows no record."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

import numpy as np
from cattrs import Converter

if TYPE_CHECKING:
    from models.metrics import Floats  # imports scikit-learn, which a copy of a model does not need

Record = TypeVar("Record")


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


def _decode(text: str, _: object) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)


def _encode(values: Floats) -> str:
    # Scores are computed in float32; in that type they come back bit for bit, and thresholds with them.
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


_CONVERTER = Converter()
_CONVERTER.register_structure_hook_func(_is_array, _decode)
_CONVERTER.register_unstructure_hook_func(_is_array, _encode)


def to_json(record: object) -> Any:
    """Give a dataclass as plain values; arrays of scores as base64."""
    return _CONVERTER.unstructure(record)


def from_json(values: Any, kind: type[Record]) -> Record:
    """Rebuild a dataclass from `to_json`'s values; fields that it does not know are left out."""
    return _CONVERTER.structure(values, kind)
