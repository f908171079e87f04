"""A bundle's `config.json` and tensors, as whoever has safetensors and timm alone reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file
from timm.models._hub import load_model_config_from_path
from torch.nn import functional

from models.inference.bundle import Bundle, write_bundle
from models.inference.bundle_schema import WEIGHTS
from models.inference.ensemble import Ensemble, empty_member
from models.inference.hub_config import CONFIG
from spaces.choices.channels import Channels
from spaces.choices.labelling import Labelling
from spaces.choices.networks import Network
from spaces.config import Config
from tests.support.bundles import ensemble
from tests.support.toys import LIGHTS, crops


def written(made: Ensemble, folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    write_bundle(folder, Bundle(made, 0.25, 0.05, {}))
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    return config, load_file(folder / WEIGHTS)


def tensors_of(member: int, config: dict[str, Any], tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Pick a member's own tensors of the network, as `tensors` of the config says that they are named."""
    before, after = config["tensors"].format(member=member, name="\n").split("\n")
    assert after == ""
    return {name.removeprefix(before): tensor for name, tensor in tensors.items() if name.startswith(before)}


def of_timm(name: str, scheme: str = "binary") -> Ensemble:
    """An ensemble of one untrained network, measured on random crops."""
    torch.manual_seed(0)
    labelling = Labelling(scheme, detector="mahalanobis") if scheme == "anomaly" else Labelling(scheme)
    config = Config(labelling=labelling, channels=Channels("stacked"), network=Network(name), normalisation="dataset")
    member = empty_member(config, LIGHTS, 12, 255)
    member.normalise.measure([torch.from_numpy(crops(8))])
    return Ensemble(config, (member.eval(),), LIGHTS, 12, 255)


@pytest.mark.parametrize("name", ["timm:resnet10t", "timm:convnext_atto"], ids=["as it is", "enlarged"])
def test_timm_alone_scores_as_the_bundle_does(name: str, tmp_path: Path) -> None:
    made = of_timm(name)
    config, tensors = written(made, tmp_path)
    read, architecture, arguments = load_model_config_from_path(tmp_path)
    assert (architecture, read["num_classes"], read["label_names"]) == (name.partition(":")[2], 2, ["signal", "background"])
    network = timm.create_model(architecture, num_classes=read["num_classes"], **arguments).eval()
    network.load_state_dict(tensors_of(0, config, tensors))
    assert config["num_features"] == network.num_features
    mean, std = (torch.tensor(read[key]).view(1, -1, 1, 1) for key in ("mean", "std"))
    images = (torch.from_numpy(crops(5)).float() / config["full_scale"] - mean) / std
    assert images.shape[1] == read["input_size"][0]
    large = functional.interpolate(images, size=tuple(read["input_size"][1:]), mode=read["interpolation"])
    with torch.no_grad():
        p_signal = network(large).softmax(1)[:, 0]
    assert p_signal.numpy() == pytest.approx(made.scores(crops(5)), abs=1e-5)


def test_a_background_models_network_stands_without_its_head(tmp_path: Path) -> None:
    config, tensors = written(of_timm("timm:resnet10t", "anomaly"), tmp_path)
    read, architecture, arguments = load_model_config_from_path(tmp_path)
    assert read["num_classes"] == 0
    timm.create_model(architecture, num_classes=0, **arguments).load_state_dict(tensors_of(0, config, tensors))


def test_networks_of_ours_say_what_builds_them(tmp_path: Path) -> None:
    made = ensemble(members=3)
    config, tensors = written(made, tmp_path)
    assert (config["library_name"], config["architecture"], config["members"]) == ("pitsearch", "pitnet", 3)
    assert Config.from_dict(config["configuration"]) == made.config
    assert (config["crop"], config["full_scale"], config["channels"]) == (12, 255, [light.name for light in LIGHTS])
    for number, member in enumerate(made.members):
        own = tensors_of(number, config, tensors)
        member.network.load_state_dict(own)
        assert {f"{number}.normalise.mean", f"{number}.normalise.deviation"} <= tensors.keys()
