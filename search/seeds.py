"""Seeds of a study's parts: everything random follows from the study's one seed.

The numbers of an existing study follow from these rules: a changed rule would make an interrupted study another one. Knows
nothing of studies or of trials.
"""

from __future__ import annotations

import numpy as np

from models.seeds import derive_seed

__all__ = ["audit_draw", "derive_seed", "make_generator", "sampler_seed", "trial_seed"]


def trial_seed(study_seed: int, number: int) -> int:
    """Give the one seed that everything random in a trial follows from."""
    return derive_seed(study_seed, number)


def sampler_seed(study_seed: int, number: int) -> int:
    """Give the seed of the sampler that chooses a trial's configuration."""
    return derive_seed(study_seed + 1, number)


def audit_draw(study_seed: int, number: int) -> float:
    """Draw a trial's number in 0 to 1, which says whether it is audited."""
    # A child of the sequence that seeds the trial itself: neither its training nor the sampler sees the same numbers.
    sequence = np.random.SeedSequence([study_seed, number]).spawn(1)[0]
    return float(np.random.default_rng(sequence).random())


def make_generator(*parts: int) -> np.random.Generator:
    """Make the random generator that follows from some numbers."""
    return np.random.default_rng(np.random.SeedSequence([*parts]))
