"""Fully convolutional networks as a graph: the same map in ONNX Runtime, on frames of any size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models.errors import BundleError
from models.inference.bundle import Bundle
from models.inference.dense import DenseScorer, is_dense
from models.inference.onnx_file import TOLERANCE
from models.inference.scan_graph import check_scan_onnx, write_scan_onnx
from spaces.config import Config
from tests.support import tiny
from tests.support.bundles import ensemble
from tests.support.configs import FORMS, NAMED
from tests.support.dense_networks import SIZE, config_of, ensemble_of, frame
from tests.support.toys import crops

# Every network in one mode, and pitnet in all.
FIRST = dict(reversed(FORMS))
CASES = [(name, mode) for name, mode in FORMS if name == "pitnet" or FIRST[name] == mode]
# Frames are put together from these.
CROPS = np.stack([frame(SIZE, SIZE, seed) for seed in range(30)])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_every_dense_network_can_be_written(name: str, mode: str, tmp_path: Path) -> None:
    networks = ensemble_of(config_of(name, mode))
    assert is_dense(networks)
    write_scan_onnx(tmp_path / "scan.onnx", Bundle(networks, 0.5, 0.05, {}), CROPS)


@pytest.mark.slow
@pytest.mark.parametrize(("pooling", "head"), [("average", "average"), ("stride", "max")])
def test_every_kind_of_pooling_can_be_written(pooling: str, head: str, tmp_path: Path) -> None:
    network = replace(NAMED["pitnet"], pooling=pooling, head=head)
    write_scan_onnx(tmp_path / "scan.onnx", Bundle(ensemble_of(Config(network=network)), 0.5, 0.05, {}), CROPS)


@pytest.mark.slow
def test_frames_of_any_size_have_the_same_map(tmp_path: Path) -> None:
    bundle = Bundle(ensemble(), 0.5, 0.05, {})
    write_scan_onnx(tmp_path / "scan.onnx", bundle, crops(8))
    said = {entry.key: entry.value for entry in onnx.load(tmp_path / "scan.onnx").metadata_props}
    assert (said["stride"], said["crop"]) == ("4", str(tiny.SIZE))
    session = onnxruntime.InferenceSession(tmp_path / "scan.onnx")
    scorer = DenseScorer(bundle.ensemble)  # type: ignore[arg-type]  # it holds networks
    for shape in ((1, 6, 31, 90), (3, 6, 64, 40)):
        frames = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        with torch.no_grad():
            own = scorer(torch.from_numpy(frames)).numpy()
        np.testing.assert_allclose(session.run(["heat"], {"pixels": frames})[0], own, atol=TOLERANCE)
    shown = np.zeros((1, 6, 40, 40), np.uint8)
    check_scan_onnx(tmp_path / "scan.onnx", scorer, shown)
    scorer.offset += 0.1
    with pytest.raises(BundleError, match="must give the networks' own map"):
        check_scan_onnx(tmp_path / "scan.onnx", scorer, shown)
