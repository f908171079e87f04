"""Whatever stands in a file or in a study's rows, it is read, or refused on one line: quickly, and in little memory."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pitsearch.errors import PitsearchError
from search.errors import StudyError
from tests.support.fuzzing import LENGTHS, assert_one_line, bounded, edited_bytes, edited_text, edited_values, frugal
from tests.support.readers import READERS
from tests.support.repository import PACKAGES, ROOT, modules
from tests.support.stored_values import STORED

EXAMPLES = {"few": 8, "many": 400}

# What reads a file, or plain values that somebody else may have written.
PRIMITIVES = {
    *("read_regular", "open_regular", "read_toml_text", "read_text", "read_bytes", "parse_json", "read_table", "open_file"),
    *("json.loads", "json.load", "csv.reader", "csv.DictReader", "np.load", "np.memmap", "zarr.open", "tifffile.TiffFile"),
    *("read_cached", "map_cached", "from_plain", "from_json", "safetensors.torch.load", "onnxruntime.InferenceSession"),
    *("pyarrow.parquet.read_table", "pyarrow.parquet.ParquetFile", "sqlite3.connect"),
}
# Modules whose readers other tests damage.
COVERED = {
    "foils.description": "tests/foils/test_fuzz.py",
    "foils.label_table": "tests/foils/test_fuzz.py",
    "foils.labels": "tests/foils/test_fuzz.py",
    "foils.relabel": "tests/foils/test_fuzz.py",
    "foils.image_files": "tests/foils/test_fuzz.py",
    "foils.images": "tests/foils/test_fuzz.py",
    "foils.tiff": "tests/foils/test_fuzz.py",
    "foils.cache": "tests/foils/test_cache.py",
    "foils.crops": "tests/foils/test_crops.py",
    "foils.dataset": "tests/foils/test_dataset.py",
    "foils.pack": "tests/foils/test_pack.py",
    "spaces.toml_file": "tests/spaces/test_fuzz.py",
    "scan.parquet": "tests/scan/importing/test_bombs.py",
    "spaces.named_spaces": "tests/spaces/test_named_spaces.py",
    "models.inference.bundle": "tests/models/inference/test_fuzz.py",
    "models.inference.bundle_schema": "tests/models/inference/test_fuzz.py",
    "models.inference.weights_file": "tests/models/inference/test_fuzz.py",
    "models.inference.graph": "tests/models/inference/test_onnx_file.py",
    "models.training.checkpoint": "tests/models/training/test_checkpoint_hostile.py",
    "search.launcher.cluster_config": "tests/search/launcher/test_fuzz.py",
    "search.selection.model_store": "tests/search/selection/test_model_store.py",
    "search.selection.slide_validation": "tests/search/selection/test_damaged_records.py",
    "search.storage.checkpoints": "tests/search/storage/test_checkpoints.py",
    "search.storage.raw_rows": "tests/search/studies/test_damage.py",
    "scan.merging": "tests/scan/test_queue_and_merge.py",
    "search.storage.salvage": "tests/search/studies/test_salvage.py",
}
# Modules that read what no other program has written, or read by way of readers in the tables, and why.
OURS = {
    "foils.synthetic.synthesise": "copies files that it has drawn",
    "models.inference.example": "files of a kept model, whose hashes are compared before",
    "models.inference.scan_graph": "a graph that it has just written",
    "pitsearch.json_text": "is what readers read by",
    "pitsearch.regular_file": "is what readers read by",
    "pitsearch.toml_text": "is what readers read by",
    "scan.importing.run": "reads by the readers of sources",
    "scan.importing.source": "is what the readers of sources read by",
    "search.selection.bioimageio": "a bundle that export has just written",
    "search.selection.export": "a bundle that it has just written",
    "search.storage.attributes": "rows of a study that was read whole before, where damage is told",
    "search.storage.clock": "the machine's own mark",
    "search.storage.json_values": "JSON that it has just written",
    "search.storage.leases": "rows of a study that was read whole before, where damage is told",
    "search.storage.places": "rows of a study that was read whole before, where damage is told",
    "search.studies.migrations": "is called by the reader of plans",
    "search.training.fold_cache": "files of the cache, under a hash of key and content",
    "search.training.kept_results": "files of the cache, under a hash of key and content",
}


def called(node: ast.Call) -> str:
    """Give the name of what is called, as it is written."""
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def reading(root: Path) -> set[str]:
    """Find the modules that read files, or values that were stored."""
    found = set()
    for package in PACKAGES:
        for path in modules(root, package):
            text = path.read_text()
            if not any(name.rpartition(".")[2] in text for name in PRIMITIVES):
                continue
            calls = {called(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
            if any(name in PRIMITIVES or name.rpartition(".")[2] in PRIMITIVES for name in calls):
                found.add(".".join(path.relative_to(root).with_suffix("").parts))
    return found


def test_every_module_that_reads_is_fuzzed_or_says_why_not() -> None:
    fuzzed = {reader.module for reader in READERS.values()} | {value.module for value in STORED.values()}
    assert reading(ROOT) - fuzzed == {*COVERED, *OURS}
    assert not {*COVERED} & {*OURS}


def test_a_new_reader_is_seen(tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "planted.py").write_text("def read(path):\n    return path.read_text()\n")
    assert reading(tmp_path) == {"scan.planted"}


@pytest.mark.parametrize("module", COVERED)
def test_what_is_said_to_cover_a_reader_is_there(module: str) -> None:
    assert (ROOT / COVERED[module]).is_file()
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file(name: str, length: str, tmp_path: Path) -> None:
    reader = READERS[name]
    good = reader.write(tmp_path)
    reader.read(good)  # what is damaged is read before
    content = good.read_bytes()

    @bounded(EXAMPLES[length])
    @given(edited_text(content.decode()) if reader.is_text else edited_bytes(content))
    def check(damaged: str | bytes) -> None:
        good.write_bytes(damaged.encode("utf-8", "surrogatepass") if isinstance(damaged, str) else damaged)
        try:
            with frugal():
                reader.read(good)
        except reader.refuses as error:
            assert_one_line(error)

    check()


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", STORED)
def test_a_damaged_record(name: str, length: str) -> None:
    stored = STORED[name]
    assert stored.read(json.loads(json.dumps(stored.good))) is not None

    @bounded(EXAMPLES[length])
    @given(edited_values(json.loads(json.dumps(stored.good))))
    def check(damaged: Any) -> None:
        try:
            with frugal():
                stored.read(json.loads(json.dumps(damaged)))
        except PitsearchError as error:
            assert isinstance(error, StudyError)
            assert_one_line(error)

    check()
