"""setnet does not know the order of the lights, ringnet not where their ring begins."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from foils import Dataset, load
from models.networks.build import build
from models.networks.ringnet import Neighbours, RingNet
from models.networks.setnet import SetNet
from models.training import probe
from models.training.task import make_task
from spaces.choices.channels import Channels
from spaces.choices.networks import OVER_LIGHTS, Network
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.tiny import write_dataset
from tests.support.trainings import SMALL, trainings

once = settings(deadline=None, max_examples=20, derandomize=True)


def pits(lights: int, seed: int, size: int = 20) -> torch.Tensor:
    return torch.randn(3, lights, size, size, generator=torch.Generator().manual_seed(seed))


def setnet(over: str, **knobs: float) -> SetNet:
    torch.manual_seed(0)
    return SetNet(Network("setnet", depth=3, width=4, lights=over), 2, size=20)


def ringnet(lights: int, over: str, pooling: str = "max") -> RingNet:
    torch.manual_seed(0)
    return RingNet(Network("ringnet", depth=3, width=4, lights=over, pooling=pooling), lights, 2, size=20)


@once
@given(
    order=st.permutations(range(6)), seed=st.integers(0, 99), over=st.sampled_from(sorted(OVER_LIGHTS)), trains=st.booleans()
)
def test_setnet_does_not_know_the_order_of_the_lights(order: list[int], seed: int, over: str, trains: bool) -> None:
    network = setnet(over).train(trains)
    torch.testing.assert_close(network(pits(6, seed)[:, order]), network(pits(6, seed)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("over", OVER_LIGHTS)
def test_setnet_takes_any_number_of_lights_with_the_same_weights(over: str) -> None:
    network = setnet(over).eval()
    seen = pits(3, 0)
    twice = seen.repeat_interleave(2, 1)  # every light said twice adds nothing
    torch.testing.assert_close(network(twice), network(seen))
    assert not torch.allclose(network(pits(3, 1)), network(seen))
    assert network(seen[:, :1]).shape == (3, 2)


@once
@given(
    lights=st.integers(3, 9),
    turn=st.integers(0, 8),
    seed=st.integers(0, 99),
    over=st.sampled_from(sorted(OVER_LIGHTS)),
    pooling=st.sampled_from(["max", "average", "stride"]),
)
def test_rolling_the_lights_is_no_news_to_ringnet(lights: int, turn: int, seed: int, over: str, pooling: str) -> None:
    network = ringnet(lights, over, pooling)
    images = pits(lights, seed)
    torch.testing.assert_close(network(images.roll(turn, 1)), network(images), rtol=1e-4, atol=1e-5)


def test_ringnet_knows_the_order_of_the_lights() -> None:
    network = ringnet(6, "max").eval()
    images = pits(6, 0)
    assert not torch.allclose(network(images[:, [1, 0, 2, 3, 4, 5]]), network(images), atol=1e-3)


def test_a_convolution_of_neighbours_is_the_one_that_wraps_around() -> None:
    flat = nn.Conv2d(3 * 2, 5, 3, padding=1)
    values = torch.randn(4, 2, 6, 9, 9)  # images, features, lights, y, x
    folded = values.transpose(1, 2).flatten(0, 1)
    got = flat(Neighbours(6)(folded)).unflatten(0, (4, 6)).transpose(1, 2)
    kernel = flat.weight.unflatten(1, (3, 2)).transpose(1, 2)
    wrapped = torch.cat([values[:, :, -1:], values, values[:, :, :1]], 2)
    torch.testing.assert_close(got, functional.conv3d(wrapped, kernel, flat.bias, padding=(0, 1, 1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "mode"), [("setnet", "stacked"), ("ringnet", "volume")])
def test_they_train_fused_as_apart(tiny: Dataset, name: str, mode: str) -> None:
    config = Config(channels=Channels(mode), network=Network(name, 2, 4), optimiser=SMALL.optimiser)
    made = trainings(tiny, config)
    where, difference = probe._compare(made, probe._batches(made))
    assert difference < probe.TOLERANCES[where] / 2


def test_a_classifier_of_single_images_may_be_a_set_of_one() -> None:
    classifier = build(Config(channels=Channels("single", "1"), network=Network("setnet", 2, 4)), 1, 12, 255)
    assert classifier(torch.zeros(2, 1, 12, 12, dtype=torch.uint8)).shape == (2, 2)


def test_lights_that_are_no_ring_are_refused_before_training(tmp_path: Path) -> None:
    lights = (("1", "rotating", 0.0), ("2", "rotating", 90.0), ("3", "rotating", 180.0), ("4", "rotating", 200.0))
    data = load(write_dataset(tmp_path / "data", channels=lights))
    config = Config(channels=Channels("volume"), network=Network("ringnet", 2, 4))
    with pytest.raises(SpaceError, match="90 degrees apart, but got 0, 90, 180, 200; "):
        make_task(data, config, epochs=1, working_point=0.1)
