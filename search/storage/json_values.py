"""Attributes of studies and trials as JSON, with NumPy's numbers like any other."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def as_json(value: Any) -> str:
    """Write a value as JSON, numpy's numbers like any other."""
    return json.dumps(value, default=_unwrapped)


def plain(value: Any) -> Any:
    """Give a value as JSON will give it back. Raises TypeError where it cannot."""
    return json.loads(as_json(value))


def _unwrapped(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"an attribute must be plain or numpy's, but got {type(value).__name__}.")
