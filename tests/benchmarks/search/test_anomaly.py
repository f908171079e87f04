"""The benchmark of models of background: what it takes for one training is one, and combinations are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.search.anomaly import AGAIN, CLASSIFIER, DRAWS, Scored, combined, drawn, figures, run
from benchmarks.search.losses import RATES
from models.metrics import score
from spaces.choices.detectors import DETECTORS
from tests.support.tiny import COUNTS, write_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_dataset(tmp_path_factory.mktemp("data") / "tiny", counts={**COUNTS, "misc": 20}))


@pytest.mark.slow
def test_detectors_over_one_network_score_as_if_each_had_trained_its_own(folder: str) -> None:
    together = run(folder, 1000, 1, 0, "neighbours")
    assert set(together.scores) == {"mahalanobis", "neighbours", "forest"}
    for name in ("mahalanobis", "forest"):
        np.testing.assert_allclose(run(folder, 1000, 1, 0, name).scores[name], together.scores[name], rtol=1e-4)


def test_figures_are_those_of_the_searches_also_where_scores_are_equal() -> None:
    generator = np.random.default_rng(0)
    found, is_signal = generator.integers(0, 60, 300) / 60, generator.random(300) < 0.4
    times = generator.poisson(1.0, (5, 300))
    for often, row in zip(times, figures(found, is_signal, times), strict=True):
        again = np.repeat(np.arange(300), often)
        at = [score(found[again], is_signal[again], working_point=rate) for rate in RATES]
        np.testing.assert_allclose(row, [*(result.acceptance for result in at), at[0].auc])


def made(separation: float) -> Scored:
    generator = np.random.default_rng(0)
    is_signal = np.arange(200) < 40
    scores = {
        name: 1 / (1 + np.exp(-generator.normal(separation * is_signal, 1.0))) for name in (CLASSIFIER, AGAIN, *DETECTORS)
    }
    return Scored(np.arange(200), np.arange(200) % 5, is_signal, scores)


def test_independent_detectors_help_a_classifier_and_intervals_say_so() -> None:
    one = made(1.5)
    scores = combined(one)
    assert len(scores) == 1 + 2 * len(DETECTORS) + 2
    again = drawn([one], [scores], same=False)
    gained = again["classifier and all detectors, logistic"][:, -1] - again[CLASSIFIER][:, -1]
    assert gained.shape == (DRAWS,)
    assert np.quantile(gained, 0.05) > 0


def test_pits_that_several_sets_share_are_drawn_together() -> None:
    one = made(1.0)
    alone, twice = (drawn(sets, [one.scores] * len(sets), same=True)[CLASSIFIER] for sets in ([one], [one, one]))
    np.testing.assert_allclose(alone, twice)
