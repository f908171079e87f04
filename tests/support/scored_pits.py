"""Made-up scores out of fold: some repeats of five folds, signal above background."""

from __future__ import annotations

import numpy as np

from search.analysis.out_of_fold import ScoredPits


def scored_pits(pits: int = 500, repeats: int = 2, seed: int = 0) -> ScoredPits:
    """Score pits, a fifth of them signal, some never scored; pits 0 and 1 share plastic."""
    generator = np.random.default_rng(seed)
    is_signal = np.arange(pits) % 5 == 0
    scores = 1 / (1 + np.exp(-generator.normal(0, 2, (repeats, pits)) - 3 * is_signal + 1.5))
    folds = np.array([generator.permutation(np.arange(pits) % 5) for _ in range(repeats)])
    groups = np.arange(pits)
    groups[1] = 0
    return ScoredPits(7, "trial 7", scores, folds, is_signal, is_signal | (np.arange(pits) % 7 > 0), groups)
