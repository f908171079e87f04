"""Every optimiser and schedule by name: it learns, spares biases and norms, and is the same however a training is cut."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers
from torch import nn

from foils import Dataset
from foils.folds import fold_numbers
from models.training import optimisers
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.optimisers import START, build_average, build_optimiser, check_optimiser
from models.training.task import make_task
from spaces.choices.optimisers import OPTIMISERS, RISE, SCHEDULES, Optimiser
from spaces.errors import SpaceError
from tests.support.configs import ELSEWHERE, USABLE
from tests.support.trainings import SMALL


def start(data: Dataset, **optimiser: Any) -> FoldTraining:
    config = replace(SMALL, optimiser=replace(SMALL.optimiser, **optimiser))
    return start_fold(make_task(data, config, epochs=2, working_point=0.1), fold_numbers(data, 5, 0), 0, 0, 0)


def rates(optimiser: Optimiser, steps: int) -> list[float]:
    """Give the rate of every step, and the one after the last."""
    built, schedule = build_optimiser(optimiser, nn.Linear(2, 1), steps)
    seen = [built.param_groups[0]["lr"]]
    for step in range(steps):
        if schedule is not None:
            schedule.step_update(step + 1)
        seen.append(built.param_groups[0]["lr"])
    return seen


def test_an_optimiser_that_would_kill_the_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimisers, "bfloat16_works", lambda: False)
    for name in ("muon", "timm:adamuon"):
        with pytest.raises(SpaceError, match="in bfloat16, but that kills the process here; choose another"):
            check_optimiser(name)
    check_optimiser("adamw")


@pytest.mark.parametrize(("name", "schedule"), list(itertools.product(USABLE, SCHEDULES)))
def test_every_optimiser_brings_the_loss_down_under_every_schedule(name: str, schedule: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 4))
    images, targets = torch.randn(32, 1, 3, 3), torch.randint(4, (32,))
    built, scheduler = build_optimiser(Optimiser(name, learning_rate=0.02, schedule=schedule), network, 30)
    losses = []
    for step in range(30):
        loss = nn.functional.cross_entropy(network(images), targets)
        built.zero_grad()
        loss.backward()
        built.step()
        if scheduler is not None:
            scheduler.step_update(step + 1)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.97 * losses[0]
    assert all(bool(group.get("fused")) == OPTIMISERS[name].fused for group in built.param_groups)


@pytest.mark.parametrize("name", USABLE)
def test_cutting_a_training_changes_nothing(tiny: Dataset, name: str) -> None:
    given = {"name": name, "schedule": "step", "warmup": 0.2, "clip": 0.5, "average": 0.9}
    at_once, in_steps = start(tiny, **given), start(tiny, **given)
    at_once.advance(2)
    for epoch in (1, 2):
        in_steps.advance(epoch)
        in_steps.scores()
    assert at_once.train_loss == in_steps.train_loss
    assert at_once.validation_loss == in_steps.validation_loss
    assert np.isfinite(at_once.train_loss).all()
    assert np.array_equal(at_once.scores(), in_steps.scores())


@pytest.mark.parametrize("name", [*USABLE, "timm:sgdw"])
def test_biases_and_norms_are_not_decayed(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 1))
    built, _ = build_optimiser(Optimiser(name, weight_decay=0.1), network, 1)
    decays = {(weight.ndim > 1, group["weight_decay"]) for group in built.param_groups for weight in group["params"]}
    assert decays == {(True, 0.1), (False, 0.0)}


@pytest.mark.parametrize("name", [name for name in USABLE if OPTIMISERS[name].momentum])
def test_momentum_is_what_the_optimiser_takes_and_by_default_its_own(name: str) -> None:
    def given(built: torch.optim.Optimizer) -> float:
        group = built.param_groups[0]
        return float(group["momentum"] if OPTIMISERS[name].momentum == "momentum" else group["betas"][0])

    own, network = create_optimizer_v2(nn.Linear(2, 1), OPTIMISERS[name].timm), nn.Linear(2, 1)
    assert given(build_optimiser(Optimiser(name), network, 1)[0]) == given(own)
    for momentum in (0.0, 0.5):
        built, _ = build_optimiser(Optimiser(name, momentum=momentum), network, 1)
        assert given(built) == momentum
        others = [{group.get("betas", (0,))[1:] for group in optimiser.param_groups} for optimiser in (built, own)]
        assert others[0] == others[1]


def test_nesterov_is_another_than_sgd_and_without_momentum_the_same() -> None:
    def trained(name: str, momentum: float) -> torch.Tensor:
        torch.manual_seed(0)
        network, inputs = nn.Linear(3, 1), torch.randn(8, 3)
        built, _ = build_optimiser(Optimiser(name, 0.1, momentum=momentum), network, 1)
        for _ in range(3):
            built.zero_grad()
            network(inputs).square().mean().backward()
            built.step()
        return network.weight.detach()

    assert torch.equal(trained("sgd", 0.0), trained("nesterov", 0.0))
    assert not torch.allclose(trained("sgd", 0.9), trained("nesterov", 0.9))


def test_rates_follow_their_schedules() -> None:
    found = {schedule: rates(Optimiser("adam", 0.01, schedule=schedule), 20) for schedule in SCHEDULES}
    assert found["constant"] == [0.01] * 21
    assert [found["cosine"][step] for step in (0, 10, 20)] == pytest.approx([0.01, 0.005, 0.0])
    assert found["step"] == pytest.approx([0.01] * 10 + [0.001] * 5 + [0.0001] * 6)
    top = round(RISE * 20)
    assert found["one-cycle"][0] == pytest.approx(0.01 * START)
    assert max(found["one-cycle"]) == found["one-cycle"][top] == pytest.approx(0.01)
    assert found["one-cycle"] == [*sorted(found["one-cycle"][:top]), *sorted(found["one-cycle"][top:], reverse=True)]
    assert found["one-cycle"][20] == pytest.approx(0.0)


@pytest.mark.parametrize("schedule", [schedule for schedule in SCHEDULES if schedule != "one-cycle"])
def test_a_warm_up_rises_and_leaves_the_rest_to_the_schedule(schedule: str) -> None:
    found = rates(Optimiser("adam", 0.01, schedule=schedule, warmup=0.25), 20)
    assert found[:6] == sorted(found[:6])
    assert found[0] == pytest.approx(0.01 * START)
    assert found[5] == pytest.approx(0.01)
    assert found[20] == pytest.approx({"constant": 0.01, "cosine": 0.0, "step": 0.0001}[schedule])
    if schedule == "step":  # its drops come when they would come without
        assert found[9:11] == pytest.approx([0.01, 0.001])


@pytest.mark.parametrize(("schedule", "steps"), list(itertools.product(SCHEDULES, (1, 2, 3))))
def test_a_training_of_few_steps_has_rates_too(schedule: str, steps: int) -> None:
    warmup = 0.0 if schedule == "one-cycle" else 0.5
    found = rates(Optimiser("adam", 0.01, schedule=schedule, warmup=warmup), steps)
    assert all(0 <= rate <= 0.01 for rate in found)
    assert max(found[:steps]) > 0


def test_any_other_optimiser_of_timm_works_or_says_why_not(tiny: Dataset) -> None:
    # One name of each class. Kron compiles itself for half a minute, to be refused: it draws from torch's own generator.
    names = map(str, list_optimizers(exclude_filters=["*kron*", *ELSEWHERE]))
    for name in {get_optimizer_info(name).opt_class: name for name in names}.values():
        check_optimiser(f"timm:{name}")
    for name in map(str, list_optimizers(list(ELSEWHERE))):
        with pytest.raises(SpaceError, match=rf"^`optimiser\.name = timm:{name}` must train a network here, but: .*; choose"):
            check_optimiser(f"timm:{name}")
    training = start(tiny, name="timm:lookahead_adamp", schedule="one-cycle")
    training.advance(2)
    assert training.train_loss[-1] < training.train_loss[0]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("timm:adamq", "did you mean timm:adam, timm:"),
        ("timm:ADAM", "see timm.optim.list_optimizers()."),
        ("timm:lookahead_adamz", "did you mean timm:"),
        ("timm:?", "see timm.optim.list_optimizers()."),
    ],
)
def test_a_name_that_timm_does_not_know_is_refused_with_those_close_to_it(name: str, remedy: str) -> None:
    with pytest.raises(SpaceError) as caught:
        build_optimiser(Optimiser(name), nn.Linear(2, 1), 1)
    assert str(caught.value).startswith(f"`optimiser.name = {name}` must be an optimiser that timm ")
    assert remedy in str(caught.value)


def test_trying_an_optimiser_leaves_torchs_randomness_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check_optimiser("timm:lookahead_lars")
    assert torch.equal(torch.rand(2), expected)


def test_clipping_bounds_the_gradients_norm(tiny: Dataset) -> None:
    clipped, free = start(tiny, clip=1e-3), start(tiny)
    images, _ = free.draw()
    norms = []
    for training in (clipped, free):
        training.classifier.train()
        training.step(0, images[0], None)
        gradients = [weight.grad.flatten() for weight in training.classifier.parameters() if weight.grad is not None]
        norms.append(float(torch.cat(gradients).norm()))
    assert norms[0] == pytest.approx(1e-3, rel=1e-3)
    assert norms[1] > 2e-3


def test_the_average_is_of_the_weights_and_soon_forgets_the_start() -> None:
    torch.manual_seed(0)
    linear, norm = nn.Linear(1, 1), nn.BatchNorm1d(1)
    network = nn.Sequential(linear, norm)
    average = build_average(Optimiser(average=0.9), network)
    assert average is not None
    expected = torch.zeros(1, 1)
    for step in range(1, 31):
        with torch.no_grad():
            linear.weight.fill_(float(step))
            norm.get_buffer("running_mean").fill_(float(-step))
        average.update(network, step)
        decay = min(0.9, 1 - step ** (-2 / 3))
        expected = decay * expected + (1 - decay) * step
        torch.testing.assert_close(average.module.get_parameter("0.weight").detach(), expected)
        torch.testing.assert_close(average.module.get_buffer("1.running_mean"), -expected[0])
    assert build_average(Optimiser(), network) is None


def test_averaged_weights_are_scored_and_kept(tiny: Dataset) -> None:
    plain, averaged = start(tiny), start(tiny, average=0.95)
    for training in (plain, averaged):
        training.advance(1)
    assert plain.eval_model is plain.classifier
    assert averaged.train_loss == plain.train_loss  # what is trained is the same
    assert averaged.eval_model is not averaged.classifier
    assert not np.array_equal(averaged.scores(), plain.scores())
    shown = averaged.validation_images()
    with torch.no_grad():
        logits = averaged.eval_model(averaged.task.inputs.pick(shown))
    assert logits.softmax(1)[:, 0].double().numpy() == pytest.approx(averaged.scores())
    twin = averaged.twin()
    twin.advance(2)
    assert np.array_equal(averaged.evaluate(shown).numpy(), logits.numpy())
    averaged.advance(2)
    assert np.array_equal(twin.scores(), averaged.scores())
