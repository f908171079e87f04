"""Networks run over a frame give what they give on crops: exactly on a frame of a crop's size, nearly elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from foils.frames import cut_crops
from models.inference.dense import STRIDE, DenseScorer, is_dense
from models.inference.ensemble import Ensemble
from models.inference.scorer import Scorer, score_crops
from models.networks.blocks import Dropout
from scan.heat_map import heat_map
from spaces.choices.channels import SCORES, Channels
from spaces.choices.features import FEATURES
from spaces.choices.networks import TIMM, Network
from spaces.choices.normalisation import NORMALISATIONS
from spaces.config import Config
from tests.support.configs import FORMS, NAMED
from tests.support.dense_networks import SIZE, config_of, ensemble_of, frame


@torch.no_grad()
def on_crop(ensemble: Ensemble) -> tuple[float, float]:
    """P(signal) of one crop: by the dense networks, and by the ensemble."""
    pixels = frame(SIZE, SIZE)[None]
    dense = DenseScorer(ensemble)(torch.from_numpy(pixels))
    assert dense.shape == (1, len(ensemble.members), 1, 1)
    return float(dense[0].mean()), float(ensemble.scores(pixels)[0])


# What convolves after the stride is reached meets the frame, where a crop has zeros.
EXACT = [form for form in FORMS if form[0] not in ("minihip", "ringnet")]


@pytest.mark.parametrize(("network", "mode"), EXACT)
def test_on_a_frame_of_a_crops_size_the_map_is_the_networks_own(network: str, mode: str) -> None:
    ensemble = ensemble_of(config_of(network, mode))
    assert is_dense(ensemble)
    dense, exact = on_crop(ensemble)
    assert dense == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("head", ["max", "average"])
@pytest.mark.parametrize("kernel", [3, 5])
def test_every_kind_of_block_is_dense(pooling: str, head: str, kernel: int) -> None:
    network = replace(NAMED["pitnet"], pooling=pooling, head=head, kernel=kernel)
    dense, exact = on_crop(ensemble_of(Config(network=network)))
    assert dense == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("rule", SCORES)
def test_every_rule_over_images_is_dense(rule: str) -> None:
    dense, exact = on_crop(ensemble_of(Config(channels=Channels("examples", scores=rule), network=NAMED["pitnet"])))
    assert dense == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("features", FEATURES)
def test_every_feature_is_dense(features: str) -> None:
    dense, exact = on_crop(ensemble_of(Config(channels=Channels("stacked", features=features), network=NAMED["pitnet"])))
    assert dense == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize(("network", "mode"), FORMS)
def test_the_map_of_every_network_has_a_place_for_every_crop(network: str, mode: str) -> None:
    heat = heat_map(DenseScorer(ensemble_of(config_of(network, mode), 2)), frame(61, 75))
    assert heat.stride == STRIDE
    assert heat.members.shape == (2, (61 - SIZE) // STRIDE + 1, (75 - SIZE) // STRIDE + 1)
    assert ((heat.members > 0) & (heat.members < 1)).all()
    assert heat.place(0, 1) == (STRIDE + SIZE // 2, SIZE // 2)


@pytest.mark.parametrize("pooling", ["max", "stride"])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_elsewhere_the_map_ranks_places_as_crops_do(pooling: str, normalisation: str) -> None:
    network = replace(NAMED["pitnet"], pooling=pooling)
    ensemble = ensemble_of(Config(network=network, normalisation=normalisation))
    pixels = frame(120, 150)
    heat = heat_map(DenseScorer(ensemble), pixels)
    rows, columns = heat.mean.shape
    places = [heat.place(row, column) for row in range(rows) for column in range(columns)]
    assert spearmanr(heat.mean.ravel(), ensemble.scores(cut_crops(pixels, places, SIZE))).statistic > 0.5


def test_a_frame_in_tiles_has_the_map_of_the_whole_away_from_their_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, pixels = DenseScorer(ensemble_of(Config(network=NAMED["pitnet"]), 2)), frame(200, 260)
    whole = heat_map(scorer, pixels)
    monkeypatch.setattr("scan.heat_map.AREA", 100 * 100)
    tiles = heat_map(scorer, pixels)
    assert tiles.members.shape == whole.members.shape
    assert np.median(np.abs(tiles.members - whole.members)) < 1e-3


@pytest.mark.parametrize(
    "network", [replace(NAMED["pitnet"], norm="group"), Network(f"{TIMM}resnet10t")], ids=["group norm", "timm"]
)
def test_what_looks_at_a_whole_image_is_not_dense(network: Network) -> None:
    assert not is_dense(ensemble_of(Config(network=network)))


def test_models_of_background_and_graphs_are_not_dense() -> None:
    assert not is_dense(object())


def test_dropout_draws_nothing_on_frames() -> None:
    ensemble = ensemble_of(Config(network=replace(NAMED["pitnet"], dropout=0.5)))
    assert any(isinstance(module, Dropout) for module in ensemble.members[0].modules())
    dense, exact = on_crop(ensemble)
    assert dense == pytest.approx(exact, abs=1e-5)


def test_crops_are_scored_as_by_the_ensemble_and_none_gives_none() -> None:
    ensemble = ensemble_of(config_of("pitnet", "stacked"), 3)
    crops = cut_crops(frame(60, 60), [(20, 20), (30, 31), (25, 40)], SIZE)
    p_signal, p_class, spread = score_crops(Scorer(ensemble), crops)
    np.testing.assert_allclose(p_signal, ensemble.scores(crops), atol=1e-6)
    np.testing.assert_allclose(p_class.sum(1), 1, atol=1e-6)
    assert (spread > 0).all()
    assert len(score_crops(Scorer(ensemble), crops[:0])[0]) == 0
