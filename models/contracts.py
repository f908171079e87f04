"""Check networks, losses, optimisers, features and labelling schemes against the contract of their kind.

These functions test our own parts and those of a plugin (`pitsearch plugin check`). Each raises ContractError at the first
broken rule, with the rule and the value received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from foils.description import Channel
from models.errors import ContractError
from models.inference.graph_trial import graph_obstacle
from models.inputs import lay_out
from models.networks.build import build
from models.networks.features import Features
from models.training.losses import make_loss
from models.training.optimisers import build_optimiser
from spaces.choices.channels import MODES, Channels, used_lights
from spaces.choices.labelling import Labelling, Scheme
from spaces.choices.losses import Loss
from spaces.choices.networks import Network, fits, kind_of
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from spaces.plugins import Plugin, PluginRef, registered_plugin

# Eight lights all round, then backlit and halo; small crops.
LIGHTS = (
    *(Channel(str(number + 1), "rotating", 45.0 * number) for number in range(8)),
    Channel("9", "backlit", None),
    Channel("10", "halo", None),
)
PITS, SIZE = 6, 12


def require(holds: bool, part: str, rule: str, got: object = "") -> None:
    """Raise ContractError where a rule does not hold."""
    if not holds:
        raise ContractError(f"{part} must {rule}, but {got or 'does not'}; correct it.")


def check_network(
    network: Network, mode: str, scheme: str = "binary", lights: Sequence[Channel] = LIGHTS, size: int = SIZE
) -> None:
    """Check a network in one channel mode: its shape, what learns, and the same from one seed and from saved weights."""
    part = f"the network {network.name} in mode {mode}"
    channels = Channels(mode, lights[0].name if mode == "single" else None)
    config = Config(labelling=Labelling(scheme), channels=channels, network=network)
    crops = np.random.default_rng(0).integers(0, 256, (PITS, len(lights), size, size), dtype=np.uint8)
    inputs = lay_out(crops, config.channels, lights)

    def fresh(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return build(config, inputs.channels, inputs.size, inputs.full_scale)

    classifier, images = fresh(0), inputs.pick(torch.arange(PITS * inputs.per_pit))
    logits = classifier(images)
    shape = (len(images), len(config.labelling.classes))
    require(logits.shape == shape, part, f"give one logit a class, {list(shape)}", f"gave {list(logits.shape)}")
    require(bool(logits.isfinite().all()), part, "give finite logits")
    logits.square().sum().backward()
    silent = [name for name, weight in classifier.named_parameters() if weight.grad is None or not weight.grad.any()]
    require(not silent, part, "learn in every weight", f"no gradient reaches {', '.join(silent)}")
    alike = zip(fresh(1).state_dict().values(), fresh(1).state_dict().values(), strict=True)
    require(all(torch.equal(one, other) for one, other in alike), part, "start from the same weights with the same seed")
    again = fresh(2)
    again.load_state_dict(classifier.state_dict())
    same = torch.equal(classifier.eval()(images), again.eval()(images))
    require(same, part, "give the same logits from its saved weights")


def check_loss(loss: Loss, working_point: float = 0.05) -> None:
    """Check a loss: one finite number, finite gradients, and less for right answers than for wrong ones."""
    part, generator = f"the loss {loss.name}", torch.Generator().manual_seed(0)
    compute = make_loss(loss, working_point)
    classes = torch.arange(32) % 3
    targets, weights = nn.functional.one_hot(classes, 3).float(), torch.rand(32, generator=generator) + 0.5
    logits = torch.randn(32, 3, generator=generator, requires_grad=True)
    cost = compute(logits, targets, weights)
    require(cost.shape == () and bool(cost.isfinite()), part, "give one finite number", f"gave {cost}")
    cost.backward()
    gradient = logits.grad
    require(gradient is not None and bool(gradient.isfinite().all() and gradient.any()), part, "have finite gradients")
    right, wrong = (float(compute(10 * sign * (targets - 1 / 3), targets, weights)) for sign in (1, -1))
    require(right < wrong, part, "cost less where every answer is right than where all are wrong", f"costs {right} and {wrong}")


def check_optimiser(optimiser: Optimiser, steps: int = 60) -> None:
    """Check an optimiser on a small problem: it learns, and gives the same weights again."""
    part = f"the optimiser {optimiser.name}"
    first, last, weights = _fit_small(optimiser, steps)
    require(bool(weights.isfinite().all()), part, "give finite weights")
    require(last < first, part, f"lower the loss within {steps} steps", f"went from {first:.4g} to {last:.4g}")
    require(torch.equal(weights, _fit_small(optimiser, steps)[2]), part, "give the same numbers from the same seed")


def _fit_small(optimiser: Optimiser, steps: int) -> tuple[float, float, torch.Tensor]:
    """Fit a small network; give the first loss, the last, and the weights."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    images, classes = torch.randn(64, 1, 4, 4), torch.arange(64) % 2
    images[classes == 1] += 0.5
    instance, schedule = build_optimiser(optimiser, network, steps)
    losses = []
    for step in range(steps):
        instance.zero_grad()
        loss = nn.functional.cross_entropy(network(images), classes)
        loss.backward()
        instance.step()
        if schedule is not None:
            schedule.step_update(step + 1)
        losses.append(float(loss.detach()))
    return losses[0], losses[-1], torch.cat([weight.detach().flatten() for weight in network.parameters()])


def check_scheme(name: str, scheme: Scheme) -> None:
    """Check a labelling scheme: two classes or more, each once, and no label in two."""
    part, members = f"the labelling scheme {name}", [label for _, labels in scheme.members for label in labels]
    require(len(scheme.classes) > 1, part, "have two classes or more", f"has {len(scheme.classes)}")
    require(len(set(scheme.classes)) == len(scheme.classes), part, "have each class once", f"has {', '.join(scheme.classes)}")
    require(len(set(members)) == len(members), part, "put each label into one class", f"lists {', '.join(members)}")
    left_over = sum(not labels for _, labels in scheme.members)
    require(left_over < 2, part, "have one class at most for all labels left over", f"has {left_over}")


def check_feature(name: str, mode: str, lights: Sequence[Channel] = LIGHTS) -> None:
    """Check a feature in one mode: finite values, one image a feature, and values c times as large from such images."""
    part = f"the feature {name} in mode {mode}"
    channels = Channels(mode, features=name)
    features, count = Features(channels, lights), len(used_lights(channels, lights))
    images = torch.randint(0, 100, (2, count, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    values = features(images)
    shape = (2, features.count, SIZE, SIZE)
    require(values.shape == shape, part, f"give images {list(shape)}", f"gave {list(values.shape)}")
    require(bool(values.isfinite().all()), part, "give finite values")
    require(torch.allclose(features(2 * images), 2 * values, atol=1e-3), part, "scale with the grey values")


def check_plugin(ref: PluginRef) -> Iterator[str]:
    """Check every part of a plugin that is in use, and give a line for each passed check."""
    for line, check in _checks(registered_plugin(ref)):
        check()
        yield f"{line}: kept"


def graph_notes(
    names: Iterable[str],
    modes: Iterable[str] = tuple(MODES),
    lights: Sequence[Channel] = LIGHTS,
    size: int = SIZE,
    full_scale: int = 255,
) -> Iterator[str]:
    """Say of which networks an export could write no graph, and why: each is tried, small, in 2-D and 3-D where it takes that.

    `names`: networks; `modes`: those that it may be shown pits in; the rest as for `graph_obstacle`.
    """
    modes = tuple(modes)
    for name in names:
        first = {MODES[mode].dims: mode for mode in reversed(modes) if fits(name, mode)}
        for mode in first.values():
            channels = Channels(mode, lights[0].name if mode == "single" else None)
            obstacle = graph_obstacle(Config(channels=channels, network=_small(name)), lights, size, full_scale)
            if obstacle is not None:
                yield f"network {name}, mode {mode}: {obstacle}"


def _small(name: str) -> Network:
    varies = kind_of(name).varies
    return Network(name, depth=3 if "depth" in varies else None, width=4 if "width" in varies else None)


def _checks(plugin: Plugin) -> Iterator[tuple[str, Callable[[], None]]]:
    for network in plugin.networks:
        own = _small(network.name)
        for mode in MODES:
            if fits(network.name, mode):
                yield f"network {network.name}, mode {mode}", partial(check_network, own, mode)
    for loss in plugin.losses:
        yield f"loss {loss.name}", partial(check_loss, Loss(loss.name))
    for optimiser in plugin.optimisers:
        yield f"optimiser {optimiser.name}", partial(check_optimiser, Optimiser(optimiser.name, learning_rate=3e-3))
    for scheme in plugin.schemes:
        yield f"labelling scheme {scheme.name}", partial(check_scheme, scheme.name, scheme.scheme)
    for feature in plugin.features:
        for mode in feature.modes:
            yield f"feature {feature.name}, mode {mode}", partial(check_feature, feature.name, mode)
