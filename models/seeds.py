"""Derive a seed from others by one rule. Knows nothing of what is seeded."""

from __future__ import annotations

import numpy as np


def derive_seed(*parts: int) -> int:
    """Give the seed that follows from some numbers: of a study, a trial, a fold, a repeat."""
    return int(np.random.SeedSequence([*parts]).generate_state(1)[0])
