"""Every network, in every channel mode, scores the same in ONNX Runtime; what a graph cannot hold is refused on one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle import Bundle, model_hash, networks_of, read_bundle, write_bundle
from models.inference.ensemble import Ensemble, empty_member
from models.inference.graph import Graph
from models.inference.onnx_file import TOLERANCE, check_onnx, write_onnx
from models.metrics import Floats
from models.networks.background import AnomalyClassifier
from spaces.choices.channels import SCORES, Channels
from spaces.choices.detectors import DETECTORS
from spaces.choices.features import FEATURES
from spaces.choices.labelling import Labelling
from spaces.choices.networks import NETWORKS, TIMM, Network
from spaces.choices.normalisation import NORMALISATIONS
from spaces.config import Config
from tests.support.channels import QMUL
from tests.support.configs import FORMS, NAMED, channels_of
from tests.support.slow_cases import slow_after_first

SIZE = 28


def bundle_of(config: Config, members: int = 2, full_scale: int = 255) -> Bundle:
    """A bundle of networks that were not trained, but whose buffers are as if they had been."""
    torch.manual_seed(0)
    classifiers = tuple(_member(config, full_scale) for _ in range(members))
    ensemble = Ensemble(config, classifiers, QMUL, SIZE, full_scale, temperature=1.3, offset=-0.2)
    return Bundle(ensemble, 0.4, 0.05, {"fingerprint": "abc"})


def _member(config: Config, full_scale: int) -> Any:
    member = empty_member(config, QMUL, SIZE, full_scale)
    member.normalise.mean.uniform_(0.4, 0.6)
    member.normalise.deviation.uniform_(0.1, 0.3)
    for module in member.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    if isinstance(member, AnomalyClassifier):
        images = torch.from_numpy(pixels(full_scale, 60))[:, : member.normalise.mean.shape[1]]
        with torch.no_grad():
            features = member.eval().embed(images)
        member.detector.fit(features, np.arange(60) % 3, 0)
    return member


def pixels(full_scale: int = 255, pits: int = 7) -> Grey:
    kind = np.uint8 if full_scale == 255 else np.uint16
    drawn: Grey = np.random.default_rng(0).integers(0, full_scale + 1, (pits, len(QMUL), SIZE, SIZE)).astype(kind)
    return drawn


def outputs(path: Path, images: Grey) -> tuple[Floats, Floats, Floats]:
    graph = read_bundle(path).ensemble
    assert isinstance(graph, Graph)
    return graph.outputs(images)


def is_the_same(config: Config, folder: Path, **kinds: Any) -> None:
    bundle, images = bundle_of(config, **kinds), pixels(kinds.get("full_scale", 255))
    expected = bundle.score(images)
    write_onnx(folder / "model.onnx", bundle, images, expected)  # which compares
    for part in (images[:1], images):  # any number of pits
        p_signal, p_class, spread = outputs(folder / "model.onnx", part)
        assert p_signal == pytest.approx(expected[: len(part)], abs=TOLERANCE)
        assert p_class.shape == (len(part), len(config.labelling.classes))
        assert p_class[:, 0] == pytest.approx(p_signal)
        assert p_class.sum(1) == pytest.approx(1.0)
        assert (spread >= 0).all()


@pytest.mark.parametrize(("network", "mode"), slow_after_first(FORMS))
def test_networks_of_our_own(network: str, mode: str, tmp_path: Path) -> None:
    is_the_same(Config(channels=channels_of(mode), network=NAMED[network]), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("network", [name for name in NETWORKS if name.startswith(TIMM)])
def test_networks_of_timm(network: str, tmp_path: Path) -> None:
    is_the_same(Config(channels=channels_of("stacked"), network=Network(network)), tmp_path, members=1)


@pytest.mark.slow
@pytest.mark.parametrize("features", [name for name in FEATURES if name != "none"])
def test_features(features: str, tmp_path: Path) -> None:
    is_the_same(Config(channels=Channels("stacked", features=features), network=NAMED["pitnet"]), tmp_path, members=1)


@pytest.mark.parametrize("scores", slow_after_first(SCORES))
def test_rules_over_a_pits_images(scores: str, tmp_path: Path) -> None:
    config = Config(
        labelling=Labelling(scheme="four-way"), channels=Channels("examples", scores=scores), network=NAMED["pitnet"]
    )
    is_the_same(config, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_normalisations_of_16_bits(normalisation: str, tmp_path: Path) -> None:
    config = Config(channels=channels_of("stacked"), network=NAMED["pitnet"], normalisation=normalisation)
    is_the_same(config, tmp_path, members=1, full_scale=65535)


@pytest.mark.parametrize("detector", slow_after_first(DETECTORS))
def test_models_of_background(detector: str, tmp_path: Path) -> None:
    labelling = Labelling(scheme="anomaly", detector=detector)
    is_the_same(Config(labelling=labelling, channels=channels_of("stacked"), network=NAMED["pitnet"]), tmp_path)


@pytest.mark.slow
def test_the_spread_is_that_of_the_members(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("stacked"), network=NAMED["pitnet"]), members=3), pixels()
    write_onnx(tmp_path / "model.onnx", bundle, images, bundle.score(images))
    networks = networks_of(bundle)
    alone = [replace(networks, members=(member,), temperature=1.0, offset=0.0).scores(images) for member in networks.members]
    assert outputs(tmp_path / "model.onnx", images)[2] == pytest.approx(np.std(alone, axis=0), abs=1e-6)


@pytest.mark.slow
def test_a_graph_says_what_it_is(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("single"), network=NAMED["minihip"])), pixels()
    write_onnx(tmp_path / "model.onnx", bundle, images, bundle.score(images))
    said = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(said.pop("model.json"))["config"] == bundle.ensemble.config.to_dict()
    assert len(said.pop("graph_sha256")) == 64
    assert said == {
        "fingerprint": "abc",
        "threshold": "0.4",
        "working_point": "0.05",
        "classes": json.dumps(["signal", "background"]),
        "channels": json.dumps([str(number) for number in range(1, 11)]),
        "model_sha256": model_hash(bundle),
    }


@pytest.mark.slow
def test_another_score_is_refused(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("single"), network=NAMED["minihip"])), pixels()
    expected = bundle.score(images)
    write_onnx(tmp_path / "model.onnx", bundle, images, expected)
    with pytest.raises(BundleError, match=r"ONNX Runtime must give the trainer's P\(signal\) within 1e-05, but one differs by"):
        check_onnx(tmp_path / "model.onnx", images, expected + 1e-4)
    with pytest.raises(BundleError, match="ONNX Runtime must give"):
        check_onnx(tmp_path / "model.onnx", images, np.full(len(images), np.nan))


class Counting(nn.Module):
    """Goes one way or another, by what it sees."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        shares = images.flatten(1).mean(1)
        return torch.stack([shares if shares.sum().item() > 0 else -shares, shares], 1)


class Fixed(nn.Module):
    """Takes as many images as it saw first."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :2] * torch.ones(len(images), 1)


def test_what_a_graph_cannot_hold_is_refused_on_one_line(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("single"), network=NAMED["minihip"]), members=1), pixels()
    networks_of(bundle).members[0].network = Counting()
    with pytest.raises(BundleError, match=r"^the network must be one that ONNX can hold, but minihip is not: ") as raised:
        write_onnx(tmp_path / "model.onnx", bundle, images, bundle.score(images))
    assert str(raised.value).endswith("; export with --no-onnx, for the weights alone.")
    assert "\n" not in str(raised.value)
    assert not [*tmp_path.iterdir()]


def test_a_number_of_pits_that_is_fixed_is_refused_on_one_line(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("single"), network=NAMED["minihip"]), members=1), pixels()
    networks_of(bundle).members[0].network = Fixed()
    with pytest.raises(
        BundleError, match=r"ONNX Runtime must be able to score any number of pits, but: .*; export with"
    ) as raised:
        write_onnx(tmp_path / "model.onnx", bundle, images, bundle.score(images))
    assert "\n" not in str(raised.value)


def test_a_graph_alone_is_a_bundle(tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("stacked"), network=NAMED["pitnet"])), pixels()
    write_onnx(tmp_path / "model.onnx", bundle, images, bundle.score(images))
    read = read_bundle(tmp_path / "model.onnx")
    assert (read.threshold, read.working_point, read.about) == (bundle.threshold, bundle.working_point, bundle.about)
    assert read.ensemble.config == bundle.ensemble.config
    assert read.score(images) == pytest.approx(bundle.score(images), abs=TOLERANCE)
    assert (read.predict(images) == bundle.predict(images)).all()
    assert read.score(images[:0]).shape == (0,)
    many = np.repeat(images, 60, 0)
    assert read.score(many) == pytest.approx(bundle.score(many), abs=TOLERANCE)
    with pytest.raises(BundleError, match="crops must be uint8 as the microscope stored them, never scaled, but got float32"):
        read.score((images / 255).astype(np.float32))
    with pytest.raises(BundleError, match="a bundle must hold its networks, but got a graph of them; give the bundle's folder"):
        write_bundle(tmp_path, read)


def _other_weights(model: onnx.ModelProto) -> None:
    for weights in model.graph.initializer:
        weights.raw_data = bytes(reversed(weights.raw_data))


def _other_threshold(model: onnx.ModelProto) -> None:
    (entry,) = [entry for entry in model.metadata_props if entry.key == "model.json"]
    entry.value = entry.value.replace('"threshold": 0.4', '"threshold": 0.1')


def _silent(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


@pytest.mark.parametrize("change", slow_after_first([_other_weights, _other_threshold, _silent]))
def test_a_changed_graph_is_refused_on_one_line(change: Callable[[onnx.ModelProto], None], tmp_path: Path) -> None:
    bundle, images = bundle_of(Config(channels=channels_of("single"), network=NAMED["minihip"]), members=1), pixels()
    path = tmp_path / "model.onnx"
    write_onnx(path, bundle, images, bundle.score(images))
    model = onnx.load(path)
    change(model)
    onnx.save_model(model, path)
    with pytest.raises(BundleError) as raised:
        read_bundle(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"no graph at all" * 99])
def test_what_is_no_graph_is_refused_on_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(
        BundleError, match=r"^.*model\.onnx: a graph must be one that export wrote, but: .*; check the path, or"
    ):
        read_bundle(tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"^.*none\.onnx: a graph must be one that export wrote, but: .*No such file"):
        read_bundle(tmp_path / "none.onnx")
