"""Optuna's CMA-ES, whose state is kept in the study as JSON: Optuna's own keeps a pickle, and nothing is unpickled here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from cmaes import CMA
from optuna.samplers import CmaEsSampler
from optuna.trial import FrozenTrial


class JsonCmaEsSampler(CmaEsSampler):
    """CMA-ES (Hansen 2016, arXiv:1604.00772) over axes that are ranges of numbers."""

    def _init_optimizer(self, *arguments: Any, **options: Any) -> Any:
        self._optimizer = super()._init_optimizer(*arguments, **options)
        return self._optimizer

    def _restore_optimizer(self, completed_trials: list[FrozenTrial]) -> Any:
        """Read the state of the last generation; None where there is none yet."""
        for trial in reversed(completed_trials):
            parts = {key: value for key, value in trial.system_attrs.items() if key.startswith(self._attr_key_optimizer)}
            if parts:
                self._optimizer = decode_optimizer(self._concat_optimizer_attrs(parts))
                return self._optimizer
        return None

    def _split_optimizer_str(self, optimizer_str: str) -> dict[str, str]:
        """Split the JSON of the state, in place of the pickle that Optuna hands over."""
        return super()._split_optimizer_str(encode_optimizer(self._optimizer))


def encode_optimizer(optimizer: CMA) -> str:
    """Write the state of an optimiser as JSON, arrays as lists; random numbers are drawn anew in every trial."""
    state = optimizer.__getstate__()
    return json.dumps({name: _encode(value) for name, value in state.items()})


def decode_optimizer(text: str) -> CMA:
    """Read what `encode_optimizer` wrote."""
    optimizer: CMA = CMA.__new__(CMA)
    optimizer.__setstate__({name: _decode(value) for name, value in json.loads(text).items()})
    return optimizer


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any) -> Any:
    return np.array(value["array"]) if isinstance(value, dict) else value
