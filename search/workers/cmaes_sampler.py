"""CMA-ES whose state is kept in the study as JSON: Optuna's own keeps a pickle, and nothing is unpickled here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from cmaes import CMA

from pitsearch.errors import reason
from search.errors import StudyError
from search.storage.optuna_internals import EncodedCmaEsSampler

# Points that it draws at the most to find one within bounds; Optuna asks for ten an axis.
MOST_DRAWS = 10_000


class JsonCmaEsSampler(EncodedCmaEsSampler):
    """CMA-ES (Hansen 2016, arXiv:1604.00772) over axes that are ranges of numbers."""

    def encode(self, optimizer: Any) -> str:
        """Write the state of an optimiser as JSON, arrays as lists; random numbers are drawn anew in every trial."""
        return json.dumps({name: _encode(value) for name, value in optimizer.__getstate__().items()})

    def decode(self, text: str) -> Any:
        """Read what `encode` wrote. Raises StudyError for a state that an optimiser cannot go on from."""
        try:
            state = _restored(text)
            is_sound = state._mean.shape == (state.dim,) and state._n_max_resampling in range(MOST_DRAWS)
            with np.errstate(all="raise"):
                is_sound = is_sound and bool(np.isfinite(state.ask()).all())
        except Exception as error:  # of the library, which checks nothing, or of what lies beneath it
            raise _unsound(f"{type(error).__name__}: {reason(error)}"[:200]) from None
        if not is_sound:
            raise _unsound("it proposes no point")
        return _restored(text)


def _restored(text: str) -> CMA:
    optimizer: CMA = CMA.__new__(CMA)
    optimizer.__setstate__({name: _decode(value) for name, value in json.loads(text).items()})
    return optimizer


def _unsound(why: str) -> StudyError:
    return StudyError(f"the state of CMA-ES must be one that was written, but is not: {why}; an older one is taken.")


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any) -> Any:
    return np.array(value["array"]) if isinstance(value, dict) else value
