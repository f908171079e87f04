"""Export copies the model that select kept: it trains nothing, opens nothing, and refuses what has been changed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from optuna.trial import create_trial

from models.inference.bundle import networks_of, read_bundle
from models.inference.example import INPUT, ONNX, SCAN_ONNX
from models.inference.onnx_file import TOLERANCE
from search.errors import StudyError
from search.selection import export as export_module
from search.selection import final_model
from search.selection.confirm import ConfirmOptions
from search.selection.export import CHECKSUMS, ExportOptions, export
from search.selection.front_matter import CARD
from search.selection.held_out import openings
from search.selection.model_store import read_model
from search.selection.outcome import Selection
from search.selection.select import select
from search.selection.selection_record import SELECTION
from search.studies.study import Study
from tests.support.trials import reached, recipe, written

OPTIONS = ConfirmOptions(top=2, repeats=1, reliability=0.0)


@pytest.fixture
def selection(finished: Study) -> Selection:
    return select(finished, OPTIONS, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (ONNX, SCAN_ONNX, CHECKSUMS, CARD)}


def test_a_bundle_is_a_copy_of_what_select_kept_and_trains_nothing(
    finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = select(finished, OPTIONS, final="refit", workers=1)
    monkeypatch.setattr(final_model, "make_training", None)
    export(selection, tmp_path / "one")
    export(finished, tmp_path / "two", ExportOptions(onnx=False))
    assert {ONNX, SCAN_ONNX, CHECKSUMS} <= {path.name for path in (tmp_path / "one").iterdir()}
    assert not (tmp_path / "two" / ONNX).exists()
    for name in ("one", "two"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", CHECKSUMS], cwd=tmp_path / name, check=True)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(selection.bundle_folder)
    assert len(openings(finished)) == 1


def test_a_copy_needs_neither_torch_nor_the_data(finished: Study, selection: Selection, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from search.selection.export import ExportOptions, export\n"
        "from search.studies.study import Study\n"
        f"export(Study('tiny', {finished.storage!r}), {str(tmp_path / 'out')!r}, ExportOptions(onnx=False))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])
    assert contents(tmp_path / "out") == contents(selection.bundle_folder)


def test_a_card_begins_with_what_catalogues_read(selection: Selection, tmp_path: Path) -> None:
    folder = export(selection, tmp_path / "out", ExportOptions(licence="cc-by-4.0", bioimageio=True))
    assert yaml.safe_load((folder / "bioimageio.yaml").read_text())["license"] == "CC-BY-4.0"
    assert "  bioimageio.yaml\n" in (folder / CHECKSUMS).read_text()
    nothing, block, card = (folder / CARD).read_text().split("---\n", 2)
    assert nothing == ""
    assert card.strip() == (selection.bundle_folder / CARD).read_text().strip()
    said = yaml.safe_load(block)
    assert (said["library_name"], said["license"], "onnx" in said["tags"]) == ("pitsearch", "cc-by-4.0", True)
    (model,) = said["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["name"] == "tiny"
    held_out = selection.opening.held_out
    point = held_out.points[0]
    found = {metric["name"]: metric for metric in result["metrics"]}
    assert found["area under the curve, held out"]["value"] == held_out.auc
    accepted = found[f"acceptance at {point.working_point:.0%} false positives, held out"]
    assert (accepted["type"], accepted["value"]) == ("recall", point.acceptance.value)
    assert accepted["args"]["interval_90"] == [point.acceptance.low, point.acceptance.high]
    without = (export(selection, tmp_path / "without", ExportOptions(onnx=False)) / CARD).read_text()
    assert not re.search("^license:|- onnx$", without, re.MULTILINE)


@pytest.mark.slow
def test_the_lines_of_a_bundles_card_run_without_torch(selection: Selection, tmp_path: Path) -> None:
    folder = export(selection, tmp_path / "out")
    found = re.search(r"nothing but numpy and onnxruntime.*\n\n((?:    .*\n)+)", (folder / CARD).read_text())
    assert found
    lines = textwrap.dedent(found[1])
    assert len(lines.splitlines()) == 5
    script = "import sys\nfor name in ('torch', 'models', 'search', 'foils', 'spaces'): sys.modules[name] = None\n" + lines
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, capture_output=True, text=True)
    assert float(ran.stdout) < TOLERANCE


def test_a_model_of_an_older_version_is_copied_alone(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {name: content for name, content in read_model(selection.study, selection.key).items() if name != INPUT}
    monkeypatch.setattr(export_module, "read_model", lambda *_: older)
    with pytest.raises(StudyError, match=r"^a graph must be compared on pits that select kept, but an older .* --no-onnx\.$"):
        export(selection, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (export(selection, tmp_path / "out", ExportOptions(onnx=False)) / "model.json").is_file()


def test_the_selected_model_is_exported_whatever_came_after(finished: Study, selection: Selection, tmp_path: Path) -> None:
    better = written(recipe(), reached(accepted=(10,) * 5, auc=(1.0,) * 5))
    finished.optuna.add_trial(create_trial(value=1.0, user_attrs=better))
    bundle = read_bundle(export(finished, tmp_path / "out", ExportOptions(onnx=False)))
    assert bundle.about["trial"] == selection.winner.number
    assert bundle.about["metrics"]["held_out_reading"] == selection.opening.number
    assert bundle.about["model_sha256"] == selection.key.sha256 == selection.bundle_folder.name
    assert bundle.threshold == selection.threshold
    assert networks_of(bundle).weights() == selection.ensemble.weights()


def test_an_earlier_selection_is_exported_too(finished: Study, selection: Selection, tmp_path: Path) -> None:
    refit = select(finished, OPTIONS, final="refit", workers=1)
    assert read_bundle(export(finished, tmp_path / "last", ExportOptions(onnx=False))).about["final"] == "refit"
    assert read_bundle(export(selection, tmp_path / "first", ExportOptions(onnx=False))).about["final"] == "ensemble"
    assert {path.name for path in refit.bundle_folder.parent.iterdir()} == {refit.key.sha256, selection.key.sha256}


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", "README.md"])
def test_a_kept_model_that_was_changed_or_removed_is_refused(
    finished: Study, selection: Selection, tmp_path: Path, name: str
) -> None:
    file = selection.bundle_folder / name
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(
        StudyError, match=f"{name}: the selected model must be as select wrote it, but this file has been"
    ) as one:
        export(finished, tmp_path / "out")
    file.unlink()
    with pytest.raises(StudyError, match=f"{name}: the selected model must be where select kept it, but: No such file") as two:
        export(finished, tmp_path / "out")
    for caught in (one, two):
        assert "run `pitsearch select --study tiny` again" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()
    again = select(finished, OPTIONS, workers=1)
    assert again.opening == selection.opening
    export(finished, tmp_path / "out", ExportOptions(onnx=False))


def test_a_study_without_a_kept_model_is_refused(finished: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="must have a selection, but has none; run `pitsearch select --study tiny`"):
        export(finished, tmp_path / "out")
    unhashed = {"top": 2, "repeats": 1, "reliability": 0.0, "winner": {"trial": 1, "final": "ensemble", "repeats": 1}}
    finished.optuna.set_user_attr(SELECTION, unhashed)
    with pytest.raises(StudyError, match="must have a kept model of trial 1, but the version that selected it kept none; run"):
        export(finished, tmp_path / "out")


def test_only_what_an_export_made_itself_is_removed(
    finished: Study, selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "out.unfinished"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("precious")
    before = {path.name for path in tmp_path.iterdir()}

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(StudyError, match="out: the folder must be writable, but: No space left on device; choose another"):
            export(finished, tmp_path / "out", ExportOptions(onnx=False))
    assert {path.name for path in tmp_path.iterdir()} == before
    assert contents(export(finished, tmp_path / "out", ExportOptions(onnx=False))) == contents(selection.bundle_folder)
    assert (foreign / "thesis.tex").read_text() == "precious"


def test_a_link_is_no_new_folder(finished: Study, selection: Selection, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StudyError, match="out: a bundle goes into a new folder, but this one exists"):
        export(finished, tmp_path / "out")
