"""Networks of timm: each listed one takes small crops, weights are read once and from where they are said to be."""

from __future__ import annotations

import copy
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import load_state_dict
from torch.nn import functional

from foils import Dataset
from models.inference.ensemble import Ensemble, with_weights
from models.networks import timm_networks
from models.networks.build import Classifier, build
from search.studies.options import SearchOptions
from search.studies.plan import make_plan
from search.trials.ladder import Ladder
from spaces import Space
from spaces.choices.networks import NETWORKS, TIMM, Network
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.toys import LIGHTS
from tests.support.trainings import SMALL, trainings

LISTED = [name for name in NETWORKS if name.startswith(TIMM)]
SMALLEST = "timm:lcnet_050"


def built(network: Network, channels: int = 8, size: int = 28, *, pretrained: bool = True) -> Classifier:
    torch.manual_seed(0)
    return build(Config(network=network), channels, size, 255, pretrained=pretrained)


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_network_takes_a_step_on_small_crops(name: str) -> None:
    classifier = built(Network(name))
    images = torch.randint(0, 256, (2, 8, 28, 28), dtype=torch.uint8)
    state = torch.random.get_rng_state()
    loss = functional.cross_entropy(classifier(images), torch.tensor([0, 1]))
    loss.backward()
    assert torch.equal(torch.random.get_rng_state(), state), "random numbers were drawn on the way"
    assert loss.isfinite()
    torch.optim.AdamW(classifier.parameters(), 1e-4).step()  # norms over two images of one pixel give huge gradients
    with torch.no_grad():
        logits = classifier.eval()(images)
        assert logits.shape == (2, 2)
        assert logits.isfinite().all()
        again = built(Network(name))
        again.load_state_dict(classifier.state_dict())
        assert torch.equal(again.eval()(images), logits)


@pytest.mark.parametrize("size", [8, 33])
@pytest.mark.parametrize("name", [SMALLEST, "timm:convnext_atto", "timm:vit_tiny_patch16_224"])
def test_smaller_and_larger_crops_are_taken_too(name: str, size: int) -> None:
    images = torch.zeros(2, 1, size, size, dtype=torch.uint8)
    assert built(Network(name), 1, size)(images).shape == (2, 2)


def test_a_network_that_is_not_listed_is_enlarged_to_a_multiple_of_32() -> None:
    network = built(Network("timm:mobilenetv3_small_075")).network
    assert isinstance(network, timm_networks.Enlarged)
    assert network.edge == 32


def test_an_edge_that_is_too_small_gives_way_to_the_own_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Picky(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if images.shape[-1] < 224:
                raise RuntimeError("too small\nby far")
            return images.mean((1, 2, 3))[:, None].expand(-1, 2)

    monkeypatch.setattr(timm, "create_model", lambda *args, **kwargs: Picky())
    network = built(Network("timm:resnet34")).network
    assert isinstance(network, timm_networks.Enlarged)
    assert network.edge == 224
    monkeypatch.setattr(timm, "create_model", lambda *args, **kwargs: torch.nn.Identity())
    with pytest.raises(SpaceError) as caught:
        built(Network("timm:resnet34"))
    assert str(caught.value) == (
        "`network.name = timm:resnet34` must take 8 channels of 32 or 224 pixels, but: it gives no logits; choose another."
    )


@pytest.mark.parametrize(("name", "remedy"), [("timm:resnet81", "did you mean timm:resnet18, "), ("timm:qq", "see timm.list_")])
def test_a_name_that_timm_does_not_know_is_refused(tiny: Dataset, name: str, remedy: str) -> None:
    line = f"`network.name = {name}` must be a network that timm {timm.__version__} knows; {remedy}"
    with pytest.raises(SpaceError) as caught:
        built(Network(name))
    assert str(caught.value).startswith(line)
    space = Space({"network.name": ("pitnet", name), "channels.mode": ("stacked",)})
    with pytest.raises(SpaceError) as at_launch:
        make_plan(tiny, space, SearchOptions(ladder=Ladder.parse("5x2")))
    assert str(at_launch.value) == str(caught.value)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the smallest network for colour photographs of five classes."""
    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(timm.create_model("lcnet_050", num_classes=5).state_dict(), path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("channels", [1, 3, 8])
def test_weights_of_a_file_are_where_training_starts(file: Path, tmp_path: Path, suffix: str, channels: int) -> None:
    there = load_state_dict(str(file))
    if suffix == ".pth":
        file = tmp_path / "mine.pth"
        torch.save(there, file)
    random, started = (built(Network(SMALLEST, weights=name), channels).network.state_dict() for name in ("none", str(file)))
    same = [name for name, tensor in started.items() if there[name].shape == tensor.shape and torch.equal(tensor, there[name])]
    other = set(started) - set(same)
    assert other == {"classifier.weight", "classifier.bias"} | ({"conv_stem.weight"} if channels != 3 else set())
    if channels == 1:
        torch.testing.assert_close(started["conv_stem.weight"], there["conv_stem.weight"].sum(1, keepdim=True))
    assert started["conv_stem.weight"].shape == random["conv_stem.weight"].shape


def test_weights_are_not_read_again_for_a_bundle(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "gone.safetensors"
    path.write_bytes(file.read_bytes())
    config = replace(SMALL, network=Network(SMALLEST, weights=str(path)))
    made = Ensemble(config, (build(config, 6, 12, 255),), LIGHTS, 12, 255)
    path.unlink()
    again = with_weights(made.weights(), config, 1, LIGHTS, 12, 255)
    for name, tensor in again.members[0].state_dict().items():
        assert torch.equal(tensor, made.members[0].state_dict()[name])


def test_folds_start_from_the_same_weights_but_for_the_head(tiny: Dataset, file: Path) -> None:
    first, second = trainings(tiny, replace(SMALL, network=Network(SMALLEST, weights=str(file))))[:2]
    pairs = zip(first.classifier.network.state_dict().items(), second.classifier.network.state_dict().values(), strict=True)
    assert [name for (name, one), other in pairs if not torch.equal(one, other)] == ["classifier.weight"]


def test_files_that_do_not_fit_are_refused(file: Path, tmp_path: Path) -> None:
    torn, code = tmp_path / "torn.safetensors", tmp_path / "code.pth"
    torn.write_bytes(file.read_bytes()[:1000])
    torch.save({"model": copy.copy}, code)
    for name, path, reason in (
        (SMALLEST, tmp_path / "none.safetensors", "there is no such file"),
        (SMALLEST, torn, ""),
        (SMALLEST, code, ""),
        ("timm:resnet10t", file, "Error(s) in loading state_dict for ResNet: Missing key(s) in state_dict: "),
    ):
        with pytest.raises(SpaceError) as caught:
            built(Network(name, weights=str(path)))
        line = str(caught.value)
        known = name.removeprefix(TIMM)
        assert line.startswith(f"`network.weights = {path}` must give weights of {known}, but: {reason}")
        assert line.endswith(f"; name a file of {known}, or none.")
        assert "\n" not in line
        assert len(line) < 450


def test_a_hub_that_cannot_be_reached_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    timm_networks._reach_hub.cache_clear()
    with pytest.raises(SpaceError) as caught:
        built(Network(SMALLEST, weights="timm"))
    assert str(caught.value) == (
        "`network.weights = timm` must give weights of lcnet_050, but: https://huggingface.co cannot be reached (no route); "
        "with HF_HUB_OFFLINE=1 timm takes what it downloaded before; else name a local file, or none."
    )
    assert built(Network(SMALLEST, weights="timm"), pretrained=False)
