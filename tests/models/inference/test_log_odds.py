"""Scores of an ensemble in float64: pits of which a network is very sure stay apart, whatever the rule over images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from foils import Dataset
from models.inference.bundle import Bundle, model_hash, networks_of, read_bundle, write_bundle
from models.inference.ensemble import Ensemble
from models.networks.build import build
from spaces import Config
from spaces.choices.channels import MODES, SCORES, Channels
from spaces.choices.networks import Network


def ensemble(data: Dataset, channels: Channels, sure: float = 1.0) -> Ensemble:
    """Make two untrained networks, whose logits are so many times those of their weights."""
    description = data.description
    config = Config(channels=channels, network=Network("pitnet", depth=2, width=4))
    width = 1 if MODES[channels.mode].apart else len(description.channels)
    members = []
    for seed in range(2):
        torch.manual_seed(seed)
        members.append(build(config, width, description.crop, data.full_scale, lights=description.channels))
        with torch.no_grad():
            last = [module for module in members[-1].modules() if isinstance(module, torch.nn.Linear)][-1]
            last.weight.mul_(sure)
    return Ensemble(config, tuple(members), description.channels, description.crop, data.full_scale)


@pytest.mark.parametrize("rule", SCORES)
def test_log_odds_are_those_of_the_scores(tiny: Dataset, rule: str) -> None:
    model = ensemble(tiny, Channels("examples", scores=rule))
    odds = model.log_odds(tiny.crops())
    assert odds.dtype == np.float64
    assert model.scores(tiny.crops()) == pytest.approx(expit(odds))
    warm = replace(model, temperature=2.0, offset=-0.7)
    assert warm.scores(tiny.crops()) == pytest.approx(expit(odds / 2 - 0.7))


def test_pits_far_beyond_float32_stay_apart(tiny: Dataset) -> None:
    model = ensemble(tiny, Channels("stacked"), sure=3000.0)
    odds = model.log_odds(tiny.crops())
    assert np.isfinite(odds).all() and np.abs(odds).max() > 40
    assert len(np.unique(odds)) == len(tiny)
    assert len(np.unique(replace(model, temperature=50.0).scores(tiny.crops()))) == len(tiny)


def test_a_bundle_carries_the_offset_and_an_old_one_has_none(tiny: Dataset, tmp_path: Path) -> None:
    networks = ensemble(tiny, Channels("stacked"))
    plain = Bundle(networks, 0.5, 0.05, {})
    shifted = replace(plain, ensemble=replace(networks, temperature=1.5, offset=-1.25))
    assert model_hash(shifted) != model_hash(replace(plain, ensemble=replace(networks, temperature=1.5)))
    write_bundle(tmp_path, shifted)
    again = networks_of(read_bundle(tmp_path))
    assert (again.temperature, again.offset) == (1.5, -1.25)
    assert np.array_equal(again.scores(tiny.crops()), shifted.ensemble.scores(tiny.crops()))
