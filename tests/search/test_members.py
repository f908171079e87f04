"""Members are the classifiers that the trial scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset, fold_numbers
from models.crossvalidation import make_task, start_fold
from models.ensemble import with_weights
from search.members import _pack
from spaces.config import Config
from spaces.networks import Network
from spaces.optimisers import Optimiser


@pytest.mark.parametrize("average", [0.0, 0.95])
def test_a_member_scores_as_its_training_did(tiny: Dataset, average: float) -> None:
    config = replace(
        Config(network=Network("pitnet", depth=2, width=4)), optimiser=Optimiser("adamw", 1e-2, batch_size=16, average=average)
    )
    training = start_fold(make_task(tiny, config, epochs=2, working_point=0.1), fold_numbers(tiny, 5, 0), 0, 0, 0)
    training.advance(2)
    weights, _, scores = _pack(tiny, training)
    member = with_weights(weights, config, 1, tiny.description.channels, tiny.description.crop, tiny.full_scale)
    validate = training.validate
    assert np.abs(member.scores(tiny.pixels[tiny.rows[validate]]) - scores[validate]).max() < 1e-6
