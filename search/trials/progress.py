"""How far the training of a running trial has come between two rungs, for whoever watches; nothing is decided by it.

Knows nothing of how it is stored or shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from pitsearch.typed_values import Between
from search.errors import StudyError
from search.trials.formats import from_plain
from search.trials.records import Count

# Points of a curve, at most: a line of text is not wider.
POINTS = 30
Loss = Annotated[float, Between(-1e12, 1e12)]


@dataclass(frozen=True)
class TrialProgress:
    """How far a trial has come on its way to a rung."""

    # The rung.
    rung: str
    # The fold that was trained last, from 0; None where folds are trained together.
    fold: Count | None
    # The epochs of that fold.
    epoch: Count
    # The fold-epochs that the trial has cost.
    epochs_run: Count
    # The seconds that it has cost.
    seconds: Annotated[float, Between(0.0, 1e12)]
    # The validation loss after epochs of that fold, evenly spread, the last one at the end.
    losses: tuple[Loss, ...]

    def text(self) -> str:
        """Write it as text, some 300 bytes."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> TrialProgress | None:
        """Read what `text` wrote; None where it is damaged: within seconds its worker writes another."""
        try:
            return from_plain(cls, json.loads(text), "the progress of a trial")
        except (StudyError, ValueError, RecursionError):
            return None


def thin_out(losses: Sequence[float]) -> tuple[float, ...]:
    """Choose at most POINTS of the finite values of a curve, evenly spread, the last among them, with three digits."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    step = max(1, math.ceil(len(finite) / POINTS))
    return tuple(float(f"{loss:.3g}") for loss in finite[::-1][::step][::-1])
