"""Seeds of trainings are those that checkpoints and studies were made with."""

from __future__ import annotations

from models.seeds import derive_seed


def test_a_fold_trains_with_the_seed_of_the_first_release() -> None:
    assert derive_seed(11, 3, 1) == 1408236669  # of a trial's seed, the fold, and its reseeds
    assert derive_seed(0, 0, 0) != derive_seed(0, 0, 1)
