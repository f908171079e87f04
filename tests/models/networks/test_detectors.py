"""Detectors: the distances are those of the libraries that fitted them, and a far image scores higher than a near one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from models.networks.detectors import BEYOND, CLASSES, NEAREST, TREES, Detector, make_detector
from spaces.choices.detectors import DETECTORS

FEATURES = 6


def background(count: int = 80, seed: int = 0) -> torch.Tensor:
    """Features of two labels, one beside the other."""
    values = torch.randn(count, FEATURES, generator=torch.Generator().manual_seed(seed)).abs()
    values[::2, 0] += 4.0
    return values


KINDS = np.arange(80) % 2


def fitted(name: str, seed: int = 0) -> Detector:
    detector = make_detector(name, FEATURES)
    detector.fit(background(), KINDS, seed)
    return detector


def test_every_detector_of_the_space_has_a_class() -> None:
    assert set(CLASSES) == set(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_scores_rise_with_the_distance_and_are_a_half_at_the_reference(name: str) -> None:
    detector, values = fitted(name), background(40, seed=1)
    logits = detector(values)
    assert logits.shape == (40, 2)
    distances, scores = detector.distances(values), logits.softmax(1)[:, 0]
    assert torch.equal(distances.argsort(stable=True), scores.argsort(stable=True))
    torch.testing.assert_close(scores, distances / (distances + detector.reference))
    far = detector(torch.full((1, FEATURES), 50.0) * torch.arange(1, FEATURES + 1))
    assert float(far.softmax(1)[0, 0]) > float(scores.max())


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "neighbours"])
def test_a_twentieth_of_the_background_lies_beyond_the_reference(name: str) -> None:
    detector = fitted(name)
    assert float((detector.distances(background()) > detector.reference).double().mean()) == pytest.approx(BEYOND, abs=0.02)


@pytest.mark.parametrize("name", DETECTORS)
def test_what_was_fitted_travels_with_the_weights(name: str) -> None:
    detector, fresh = fitted(name), make_detector(name, FEATURES)
    fresh.load_state_dict(detector.state_dict())
    assert torch.equal(fresh(background(seed=1)), detector(background(seed=1)))


def test_mahalanobis_is_the_distance_from_the_nearest_label() -> None:
    values, asked = background().double().numpy(), background(5, seed=1)
    means = [values[kind == KINDS].mean(0) for kind in (0, 1)]
    precision = LedoitWolf(assume_centered=True).fit(values - np.stack(means)[KINDS]).precision_
    expected = [min(mahalanobis(row, mean, precision) for mean in means) for row in asked.double().numpy()]
    np.testing.assert_allclose(fitted("mahalanobis").distances(asked).numpy(), expected, rtol=1e-4)


def test_neighbours_are_those_of_scikit_learn() -> None:
    deviation = background().double().numpy().std(0)
    known, asked = background().double().numpy() / deviation, background(5, seed=1)
    apart, _ = NearestNeighbors(n_neighbors=NEAREST).fit(known).kneighbors(asked.double().numpy() / deviation)
    np.testing.assert_allclose(fitted("neighbours").distances(asked).numpy(), apart.mean(1), rtol=1e-5)


def test_the_forest_is_that_of_scikit_learn() -> None:
    asked = background(30, seed=1)
    forest = IsolationForest(n_estimators=TREES, random_state=3).fit(background().numpy())
    np.testing.assert_allclose(
        fitted("forest", seed=3).distances(asked).numpy(), -forest.score_samples(asked.numpy()), rtol=1e-6
    )


def test_features_that_never_differ_do_no_harm() -> None:
    for name in DETECTORS:
        detector = make_detector(name, FEATURES)
        detector.fit(torch.ones(20, FEATURES), np.zeros(20, np.int64), 0)
        assert detector(torch.ones(2, FEATURES)).isfinite().all()
