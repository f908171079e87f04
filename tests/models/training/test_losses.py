"""Every loss is a loss; focal without focus is cross-entropy; acceptance is reached where cross-entropy misses it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from torch.nn import functional

from models.training.losses import BLOCK, LossFunction, make_loss, misranked, missed, ranked_between
from spaces.choices.losses import LOSSES, Loss

SURROGATES = ("acceptance", "partial-auc")
WORKING_POINT = 0.05


def batch(examples: int = 40, classes: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, targets of which one is soft, and weights, in doubles."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randint(0, classes, (examples,), generator=generator)
    targets = functional.one_hot(numbers, classes).double()
    targets[0] = 1 / classes
    logits = torch.randn(examples, classes, generator=generator, dtype=torch.float64)
    return logits, targets, torch.rand(examples, generator=generator, dtype=torch.float64) + 0.1


def made(name: str, **fields: float) -> LossFunction:
    return make_loss(Loss(name, **fields), WORKING_POINT)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_the_value(name: str, classes: int, smoothing: float) -> None:
    logits, targets, weights = batch(classes=classes)
    loss = made(name, smoothing=smoothing)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets, weights), (logits.requires_grad_(),))


@pytest.mark.parametrize("name", LOSSES)
def test_knowing_costs_less_than_guessing_and_guessing_less_than_erring(name: str) -> None:
    _, targets, weights = batch()
    loss = made(name)
    right, chance, wrong = (float(loss(factor * targets, targets, weights)) for factor in (8.0, 0.0, -8.0))
    assert 0 <= right < chance < wrong


@pytest.mark.parametrize("name", LOSSES)
def test_neither_order_nor_examples_without_weight_matter(name: str) -> None:
    logits, targets, weights = batch()
    loss = made(name)
    value = loss(logits, targets, weights)
    order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loss(logits[order], targets[order], weights[order]), value)
    weights[5:20] = 0
    kept = weights > 0
    torch.testing.assert_close(loss(logits, targets, weights), loss(logits[kept], targets[kept], weights[kept]))


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("only", [0, 1])
@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_one_class_is_no_trouble(name: str, only: int, scale: float) -> None:
    logits = (scale * batch()[0].float()).requires_grad_()
    targets = functional.one_hot(torch.full((40,), only), 3).float()
    value = made(name)(logits, targets, torch.ones(40))
    value.backward()
    assert logits.grad is not None
    assert value.isfinite()
    assert logits.grad.isfinite().all()
    if name in SURROGATES:
        torch.testing.assert_close(value, 0.5 * made("cross-entropy")(logits, targets, torch.ones(40)))


@pytest.mark.parametrize("name", LOSSES)
def test_stacked_folds_cost_what_they_cost_apart(name: str) -> None:
    folds = [batch(seed=seed) for seed in range(3)]
    together = torch.func.vmap(made(name))(*(torch.stack(parts) for parts in zip(*folds, strict=True)))
    torch.testing.assert_close(together, torch.stack([made(name)(*fold) for fold in folds]))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 99), scale=st.floats(0.0, 60.0), smoothing=st.floats(0.0, 0.5))
def test_focal_loss_without_focus_is_cross_entropy_and_with_it_less(seed: int, scale: float, smoothing: float) -> None:
    logits, targets, weights = batch(seed=seed)
    plain = made("cross-entropy", smoothing=smoothing)(scale * logits, targets, weights)
    torch.testing.assert_close(made("focal", focus=0.0, smoothing=smoothing)(scale * logits, targets, weights), plain)
    assert made("focal", focus=0.5, smoothing=smoothing)(scale * logits, targets, weights) < plain


@pytest.mark.parametrize("name", SURROGATES)
def test_without_its_share_an_acceptance_loss_is_cross_entropy(name: str) -> None:
    torch.testing.assert_close(made(name, share=0.0)(*batch()), made("cross-entropy")(*batch()))


def test_a_share_of_the_weight_is_found_in_parts() -> None:
    scores, weights = torch.tensor([1.0, 4.0, 3.0, 2.0]), torch.tensor([0.4, 0.1, 0.2, 0.3])
    assert ranked_between(scores, weights, 0.0, 0.2).tolist() == pytest.approx([0.0, 0.5, 0.5, 0.0])
    assert ranked_between(scores, weights, 0.2, 0.5).tolist() == pytest.approx([0.0, 0.0, 1 / 3, 2 / 3])
    assert ranked_between(scores, torch.zeros(4), 0.0, 0.2).tolist() == [0.0] * 4


def test_costs_far_apart_are_the_shares_that_roc_curves_give() -> None:
    """Steps are sharp where scores are far apart; blocks of signal add up."""
    generator = np.random.default_rng(0)
    signals, backgrounds = BLOCK + 100, 200
    values = np.concatenate([generator.normal(1.5, 1, signals), generator.normal(0, 1, backgrounds)])
    signal = torch.cat([torch.full((signals,), 1 / signals), torch.zeros(backgrounds)]).double()
    background = torch.cat([torch.zeros(signals), torch.full((backgrounds,), 1 / backgrounds)]).double()
    scores = torch.from_numpy(1e9 * values)
    # Ten thresholds lie between half and one and a half times the rate: the 6th to the 15th background score.
    thresholds = np.sort(values[signals:])[::-1][5:15]
    expected = np.mean([(values[:signals] < threshold).mean() for threshold in thresholds])
    assert float(missed(scores, signal, background, rate=0.05)) == pytest.approx(expected, abs=1e-6)
    gaps = np.sort(values[signals:])[::-1][None, :10] - values[:signals, None]
    bound = np.maximum(gaps, 0).mean() * 1e9 / np.log(2)
    assert float(misranked(scores, signal, background, rate=0.05)) == pytest.approx(bound, rel=1e-6)


# Signal around (2.5, 1.2), background around 0 but for 2 % of outliers far along the first axis: less than the working point
# allows, so that signal acceptance does not mind them, and likelihood does. All of unit spread.
SIGNAL, OUTLIER, OUTLIERS = np.array([2.5, 1.2]), np.array([12.0, 0.0]), 0.02


def acceptance_along(angle: float, outliers: float) -> float:
    """Give the true acceptance at the working point when points are scored along a direction."""
    along = np.array([np.cos(angle), np.sin(angle)])

    def excess(threshold: float) -> float:
        rate = (1 - outliers) * stats.norm.sf(threshold) + outliers * stats.norm.sf(threshold - along @ OUTLIER)
        return float(rate - WORKING_POINT)

    return float(stats.norm.sf(optimize.brentq(excess, -30, 30) - along @ SIGNAL))


def best_acceptance(outliers: float) -> float:
    return max(acceptance_along(angle, outliers) for angle in np.linspace(0, np.pi / 2, 46))


def reached(loss: LossFunction, size: int, outliers: float) -> float:
    """Give the true acceptance of a linear network trained on 1,000 points, a fifth of them signal, so many a step."""
    generator, draws = np.random.default_rng(0), torch.Generator().manual_seed(0)
    far = round(800 * outliers)
    means = np.concatenate([np.tile(SIGNAL, (200, 1)), np.tile(OUTLIER, (far, 1)), np.zeros((800 - far, 2))])
    points = torch.from_numpy(means + generator.normal(size=means.shape)).float()
    targets = functional.one_hot((torch.arange(1000) >= 200).long(), 2).float()
    weights = torch.zeros(2, 2, requires_grad=True)
    biases = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([weights, biases], lr=0.1)
    for _ in range(150):
        chosen = torch.randperm(1000, generator=draws)[:size]
        optimiser.zero_grad()
        loss(points[chosen] @ weights + biases, targets[chosen], torch.ones(size)).backward()
        optimiser.step()
    along = (weights[:, 0] - weights[:, 1]).detach().numpy()
    return acceptance_along(float(np.arctan2(along[1], along[0])), outliers)


@pytest.mark.parametrize("size", [64, 256])
def test_acceptance_is_reached_where_cross_entropy_misses_it(size: int) -> None:
    best, plain = best_acceptance(OUTLIERS), reached(made("cross-entropy"), size, OUTLIERS)
    assert plain < best - 0.1
    assert reached(made("acceptance", share=1.0), size, OUTLIERS) > best - 0.03
    assert reached(made("acceptance"), size, OUTLIERS) > plain + 0.1


def test_outliers_move_the_convex_bound_of_the_partial_area() -> None:
    """A limit of `partial-auc` that its users should know, not a virtue."""
    assert reached(made("partial-auc"), 256, OUTLIERS) < reached(made("cross-entropy"), 256, OUTLIERS)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_finds_the_best_direction_between_two_equal_clouds(name: str) -> None:
    """Along the line between the middles, acceptance is Phi(distance + Phi^-1(working point)) and no direction has more."""
    best = stats.norm.cdf(np.linalg.norm(SIGNAL) + stats.norm.ppf(WORKING_POINT))
    assert best_acceptance(0.0) == pytest.approx(best, abs=1e-3)
    assert reached(made(name), 64, 0.0) > best - 0.02
