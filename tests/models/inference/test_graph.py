"""A graph of somebody else reads no other file."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from models.errors import BundleError
from models.inference.bundle import read_bundle


def elsewhere() -> TensorProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return tensor


@pytest.mark.parametrize("where", ["weights", "a node", "a graph within"])
def test_numbers_in_another_file_are_refused(where: str, tmp_path: Path) -> None:
    node = helper.make_node("Constant", [], ["y"], value=elsewhere())
    inner = helper.make_graph([node], "inner", [], [])
    nodes = {"weights": [], "a node": [node], "a graph within": [helper.make_node("If", ["c"], ["y"], then_branch=inner)]}
    weights = [elsewhere()] if where == "weights" else []
    model = helper.make_model(helper.make_graph(nodes[where], "g", [], [], weights))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match="takes some from another file"):
        read_bundle(tmp_path / "model.onnx")
