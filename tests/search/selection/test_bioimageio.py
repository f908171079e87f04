"""What `export --bioimageio` writes is read, checked and run by bioimage.io's own rules, without a network."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml
from bioimageio.spec import InvalidDescr, load_description
from bioimageio.spec.model import ModelDescr
from bioimageio.spec.model.v0_5 import ChannelAxis

from foils.open_image import Grey
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.bundle_schema import SourceData
from models.inference.example import INPUT, ONNX, OUTPUT
from models.inference.onnx_file import write_onnx
from search.errors import StudyError
from search.selection.bioimageio import FILE, TEST_OUTPUTS, write_bioimageio
from search.selection.export import ExportOptions
from search.selection.front_matter import CARD
from tests.support.bundles import ensemble
from tests.support.toys import LIGHTS, crops


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its graph, as an export has it before its description is added."""
    folder = tmp_path_factory.mktemp("exported")
    bundle = Bundle(ensemble(), 0.25, 0.05, {"study": "my/study: 2", "trial": 7}, SourceData("tiny", "candidate", 0.5))
    write_bundle(folder, bundle)
    pixels: Grey = crops(5)
    np.save(folder / INPUT, pixels)
    np.save(folder / OUTPUT, bundle.score(pixels))
    (folder / CARD).write_text("# A model\n\n## Validation\n\nNone.\n")
    write_onnx(folder / ONNX, bundle, pixels, bundle.score(pixels))
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "bundle"))


def described(folder: Path) -> ModelDescr | InvalidDescr:
    """Read the description with every check of files; addresses there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        description = load_description(folder / FILE, perform_io_checks=True)
    assert isinstance(description, ModelDescr | InvalidDescr)
    return description


def test_the_description_is_valid_and_its_graph_gives_its_outputs(folder: Path) -> None:
    write_bioimageio(folder, "cc-by-4.0")
    model = described(folder)
    assert isinstance(model, ModelDescr)
    assert (model.name, model.license) == ("Etch pits my_study_ 2 trial 7", "CC-BY-4.0")
    (pixels,) = model.inputs
    assert isinstance(pixels.axes[1], ChannelAxis)
    assert pixels.axes[1].channel_names == [light.name for light in LIGHTS]
    assert [axis.size for axis in pixels.axes[2:]] == [12, 12]
    assert pixels.axes[2].scale == 0.5
    session = onnxruntime.InferenceSession(folder / ONNX)
    assert [output.id for output in model.outputs] == [output.name for output in session.get_outputs()]
    computed = session.run(None, {pixels.id: np.load(folder / INPUT)})
    for output, values in zip(model.outputs, computed, strict=True):
        stored = np.load(folder / TEST_OUTPUTS[output.id])
        assert (stored.dtype, stored.shape) == (values.dtype, values.shape)
        np.testing.assert_allclose(stored, values, atol=1e-6)
    assert model.config.model_dump()["pitsearch"]["threshold"] == read_bundle(folder).threshold


def test_every_file_that_it_names_is_there_as_its_hash_says(folder: Path) -> None:
    write_bioimageio(folder, None)
    values = yaml.safe_load((folder / FILE).read_text())
    tensors = [tensor["test_tensor"] for tensor in (*values["inputs"], *values["outputs"])]
    named = {file["source"]: file["sha256"] for file in (values["documentation"], values["weights"]["onnx"], *tensors)}
    assert named.keys() == {CARD, ONNX, INPUT, *TEST_OUTPUTS.values()}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256 for name, sha256 in named.items())
    assert "license" not in values


def test_what_bioimage_io_does_not_take_is_refused_before_anything_is_written() -> None:
    with pytest.raises(StudyError, match=r"bioimage.io knows must be one of agpl-3.0, .*, but got 'mine'; choose"):
        ExportOptions(licence="mine", bioimageio=True)
    with pytest.raises(StudyError, match=r"bioimage\.io describes a graph, but none is written; leave out --no-onnx"):
        ExportOptions(onnx=False, bioimageio=True)
