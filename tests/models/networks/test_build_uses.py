"""Every mode with every subset of the lights, every feature and every normalisation: an image in, finite logits out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.inputs import lay_out
from models.networks.build import build
from spaces.choices.augmentation import allowed_turns
from spaces.choices.channels import MODES, SUBSETS, Channels
from spaces.choices.features import FEATURES, check_features
from spaces.choices.networks import Network
from spaces.choices.normalisation import NORMALISATIONS
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.channels import QMUL

SIZE = 8
PIXELS = np.random.default_rng(0).integers(0, 256, (4, len(QMUL), SIZE, SIZE), dtype=np.uint8)


def carried(channels: Channels) -> bool:
    try:
        check_features(channels, QMUL)
    except SpaceError:
        return False
    return True


USES = [
    use
    for mode, lights, features in itertools.product(MODES, SUBSETS, FEATURES)
    if carried(use := Channels(mode, "9" if mode == "single" else None, lights, features=features))
    and (mode != "single" or lights == "all")
]


def values(config: Config, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8 | np.uint16]]) -> torch.Tensor:
    """What the network sees of every image; and check that its logits are finite."""
    torch.manual_seed(0)
    inputs = lay_out(pixels, config.channels, QMUL)
    images = inputs.pick(torch.arange(len(inputs.rows)))
    classifier = build(config, inputs.channels, inputs.size, inputs.full_scale, lights=QMUL)
    classifier.measure([images[:3], images[3:]])
    seen: list[torch.Tensor] = []
    classifier.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    logits = classifier(images)
    assert logits.shape == (len(images), 2)
    assert logits.isfinite().all()
    return seen[0]


def test_there_are_uses_of_every_kind() -> None:
    # Single; examples with 6 subsets; stacked with 6 and 4 features, but no wave through a pair; volume with 2 and 2.
    assert len(USES) == 1 + 6 + 6 * 4 - 1 + 2 * 2


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("use", USES, ids=lambda use: use.describe())
def test_every_use_is_scaled_once_whatever_the_bit_depth(use: Channels, normalisation: str) -> None:
    config = Config(channels=use, network=Network("pitnet", depth=1, width=4), normalisation=normalisation)
    shallow = values(config, PIXELS)
    # 65535 = 257 x 255: the same picture, stored deeper.
    torch.testing.assert_close(values(config, PIXELS.astype(np.uint16) * 257), shallow, atol=1e-4, rtol=1e-4)
    assert shallow.abs().max() > 0.3
    if normalisation == "raw":
        assert shallow.abs().max() <= 1.5


@pytest.mark.parametrize("use", [use for use in USES if use.mode != "single"], ids=lambda use: use.describe())
def test_every_use_keeps_a_symmetry_of_its_own_lights(use: Channels) -> None:
    turns = allowed_turns("symmetries", use, QMUL)
    assert len(turns) == {"every second": 4, "opposite pair": 2}.get(use.lights, 8)
    inputs = lay_out(PIXELS, use, QMUL, augmentation="symmetries")
    assert len(inputs.turns) == len(turns)
    assert inputs.channels == (1 if MODES[use.mode].apart else len(turns[0][1]))


def test_what_is_not_a_feature_costs_nothing() -> None:
    config = Config(network=Network("pitnet", depth=1, width=4))
    assert build(config, 10, SIZE, 255, lights=QMUL).features is None
    named = build(replace(config, channels=Channels(features="fourier")), 10, SIZE, 255, lights=QMUL).state_dict()
    assert "features.weights" in named
