"""CMA-ES whose state is kept in the study as JSON: Optuna's own keeps a pickle, and nothing is unpickled here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from cmaes import CMA

from search.storage.optuna_internals import EncodedCmaEsSampler


class JsonCmaEsSampler(EncodedCmaEsSampler):
    """CMA-ES (Hansen 2016, arXiv:1604.00772) over axes that are ranges of numbers."""

    def encode(self, optimizer: Any) -> str:
        """Write the state of an optimiser as JSON, arrays as lists; random numbers are drawn anew in every trial."""
        return json.dumps({name: _encode(value) for name, value in optimizer.__getstate__().items()})

    def decode(self, text: str) -> Any:
        """Read what `encode` wrote."""
        optimizer: CMA = CMA.__new__(CMA)
        optimizer.__setstate__({name: _decode(value) for name, value in json.loads(text).items()})
        return optimizer


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any) -> Any:
    return np.array(value["array"]) if isinstance(value, dict) else value
