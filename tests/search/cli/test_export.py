"""The command `export`: the selected model, any trial's, the best that were kept; and what it says of each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.inference.bundle import read_bundle
from search.selection import export as export_module
from search.selection.model_store import read_model
from tests.support.commands import Runner

FEW = ("--top", "3", "--repeats", "1", "--reliability", "0", "--workers", "1")


@pytest.fixture(autouse=True)
def study(finished_folder: Path, run: Runner) -> None:
    """A study of three complete trials in the current folder."""
    shutil.copy(finished_folder / "studies.db", "studies.db")


def test_models_that_were_not_selected_are_exported(run: Runner) -> None:
    told = run("export", "one", "--trial", "1", "--no-onnx", "--workers", "1")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("note: trial 1 was not selected, and its held-out figures are not known; its card says so\n")
    assert read_bundle("one").about["final"] == "folds"
    both = run("export", "two", "--trial", "1", "--top", "2")
    assert (both.code, both.err) == (1, "error: a model is named by --trial or by --top, but got both, 1 and 2; choose one.\n")
    run("select", *FEW)
    told = run("export", "best", "--top", "9", "--no-onnx", "--workers", "1")
    assert (told.code, told.err) == (0, "")
    folders = sorted(path.name for path in Path("best").iterdir())
    assert told.out.startswith(f"note: the selection kept {len(folders)} trials, fewer than 9\n")
    assert f"pitsearch predict best/{folders[0]} DATA" in told.out
    assert not Path("two").exists()


def test_an_older_versions_model_is_exported_without_what_it_lacks(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    run("select", *FEW)
    lacking = ("scores.csv", "scores.parquet", "config.json")
    former = {"model.safetensors": "weights.safetensors"}

    def older(*which: object) -> dict[str, bytes]:
        files = read_model(*which)  # type: ignore[arg-type]
        return {former.get(name, name): content for name, content in files.items() if name not in lacking}

    monkeypatch.setattr(export_module, "read_model", older)
    told = run("export", "best", "--no-onnx")
    assert (told.code, told.err) == (0, "")
    (note,) = [line for line in told.out.splitlines() if line.startswith("note: ")]
    assert note == "note: an older version kept this model without its scores and config.json; select again writes them"
    # The weights have the name that they have now, and are there once.
    assert sorted(path.name for path in Path("best").glob("*.safetensors")) == ["model.safetensors"]
    assert read_bundle("best").about["final"] == "ensemble"
