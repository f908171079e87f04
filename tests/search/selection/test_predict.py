"""Export and predict: the bundle is whole or absent, and scores what fits it."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foils import DataError, Dataset, load
from models.errors import BundleError
from models.inference.bundle import read_bundle
from models.inference.onnx_file import TOLERANCE
from search.errors import StudyError
from search.selection.confirm import ConfirmOptions
from search.selection.export import export
from search.selection.model_card import source_of
from search.selection.outcome import Selection
from search.selection.predict import predict, write_scores
from search.selection.select import select
from search.statistics.intervals import wilson
from search.studies.study import Study
from tests.support.tiny import CHANNELS, write_dataset


@pytest.fixture(scope="module")
def selection(finished_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Selection:
    folder = tmp_path_factory.mktemp("selected")
    shutil.copy(finished_folder / "studies.db", folder / "studies.db")
    study = Study("tiny", f"sqlite:///{folder}/studies.db")
    return select(study, ConfirmOptions(top=2, repeats=1, reliability=0.0), workers=1)


@pytest.fixture(scope="module")
def bundle(selection: Selection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(selection, tmp_path_factory.mktemp("exported") / "out" / "bundle")


def test_a_bundle_holds_weights_description_and_card_and_no_more(bundle: Path, selection: Selection) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == [
        *("README.md", "SHA256SUMS", "config.json", "model.json", "model.onnx", "model.safetensors"),
        *("scan.onnx", "scores.csv", "scores.parquet", "test_input.npy", "test_output.npy"),
    ]
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]
    description = json.loads((bundle / "model.json").read_text())
    plan = selection.study.plan
    assert description["threshold"] == selection.threshold
    assert description["classes"] == ["signal", "background"]
    assert description["about"]["fingerprint"] == plan.fingerprint
    assert description["about"]["held_out_pits"] == list(plan.held_out)
    assert set(description["about"]["versions"]) == {"pitsearch", "torch", "timm", "optuna", "numpy"}
    assert description["about"]["metrics"]["held_out"]["auc"] == selection.opening.held_out.auc
    card = (bundle / "README.md").read_text()
    assert f"trial {selection.winner.number}" in card
    assert f"{selection.opening.held_out.auc:.4f}" in card


def test_predicting_the_held_out_set_gives_what_select_saw(bundle: Path, selection: Selection, tiny: Dataset) -> None:
    locked = selection.study.plan.held_out_set(tiny)
    prediction = predict(read_bundle(bundle), tiny)
    assert prediction.unseen is not None
    assert prediction.unseen.auc == selection.opening.held_out.auc
    assert prediction.unseen.acceptance == selection.opening.held_out.points[0].acceptance.value
    assert prediction.seen == len(tiny) - len(locked)
    point = selection.opening.held_out.points[0]
    assert (prediction.acceptance, prediction.rejection) == (point.acceptance, point.rejection)
    flattering, honest = prediction.remarks()
    # The threshold was fixed by background pits of the search: their chance is in the interval, too.
    assert prediction.acceptance is not None
    fixed = wilson(prediction.unseen.accepted, prediction.unseen.signals)
    assert prediction.acceptance.low < fixed.low
    assert str(prediction.acceptance) in honest
    assert flattering.startswith(f"{prediction.seen} of these pits")
    assert honest.startswith(f"on {prediction.unseen.signals} signal and")


def test_a_graph_alone_predicts_the_same(bundle: Path, selection: Selection, tiny: Dataset) -> None:
    whole, graph = (predict(read_bundle(path), tiny) for path in (bundle, bundle / "model.onnx"))
    assert graph.p_signal == pytest.approx(whole.p_signal, abs=TOLERANCE)
    assert (graph.seen, graph.unseen is None, graph.notes) == (whole.seen, whole.unseen is None, whole.notes)


def test_scores_are_written_pit_by_pit(bundle: Path, tiny: Dataset, tmp_path: Path) -> None:
    model = read_bundle(bundle)
    prediction = predict(model, tiny, slides=["2"])
    write_scores(prediction, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["pit", "p_signal", "accepted", "foil", "slide", "x", "y"]
    assert [(row["foil"], row["slide"], row["x"]) for row in rows] == [
        (pit.foil, "2", "" if pit.x is None else f"{pit.x:.10g}") for pit in prediction.data.pits
    ]
    assert [row["pit"] for row in rows] == [pit.pit for pit in tiny.pits if pit.slide == "2"]
    assert [row["accepted"] == "1" for row in rows] == (prediction.p_signal >= model.threshold).tolist()
    np.testing.assert_allclose([float(row["p_signal"]) for row in rows], prediction.p_signal, atol=1e-6)


def searched_by(selection: Selection, data: Dataset) -> set[str]:
    """Name the pits that the search saw, and those that share plastic with one."""
    searched = np.isin(data.groups, selection.study.plan.search_set(data).groups)
    return {pit.pit for pit, seen in zip(data.pits, searched, strict=True) if seen}


@pytest.fixture
def copied(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the data that may be changed."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "copied"))


def edit(path: Path, before: str, after: str) -> None:
    """Replace text in a file, as a person would."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_trained_pits_stay_seen_in_data_that_has_another_name(
    bundle: Path, selection: Selection, tiny: Dataset, copied: Path
) -> None:
    edit(copied / "foil.toml", f'name = "{tiny.description.name}"', 'name = "renamed"')
    renamed = load(copied)
    assert renamed.fingerprint != tiny.fingerprint
    assert predict(read_bundle(bundle), renamed).remarks() == predict(read_bundle(bundle), tiny).remarks()


def test_trained_pits_stay_seen_where_one_label_was_corrected(
    bundle: Path, selection: Selection, tiny: Dataset, copied: Path
) -> None:
    first = next(pit for pit in tiny.pits if pit.label == "top")
    edit(copied / "labels.csv", f"{first.pit},top,", f"{first.pit},bottom,")
    prediction = predict(read_bundle(bundle), load(copied))
    assert prediction.seen == len(searched_by(selection, tiny))


def test_trained_pits_stay_seen_beside_new_ones_and_under_new_names(
    bundle: Path, selection: Selection, tiny: Dataset, copied: Path, tmp_path: Path
) -> None:
    new = load(write_dataset(tmp_path / "new", seed=7))
    lines = (copied / "labels.csv").read_text().splitlines()
    further = (new.folder / "labels.csv").read_text().splitlines()[1:]
    renamed = [line.replace("p", "q", 1).replace(",f1,", ",f2,") for line in further]
    (copied / "labels.csv").write_text("\n".join([*lines, *renamed]) + "\n")
    for file in (new.folder / "crops").iterdir():
        shutil.copy(file, copied / "crops" / file.name.replace("p", "q", 1))
    prediction = predict(read_bundle(bundle), load(copied))
    assert prediction.seen == len(searched_by(selection, tiny))
    assert prediction.unseen is not None
    locked = selection.study.plan.held_out_set(tiny)
    assert prediction.unseen.signals == int(locked.is_signal.sum() + new.is_signal.sum())


def test_pits_on_the_plastic_of_trained_ones_are_seen(bundle: Path, selection: Selection, tiny: Dataset, copied: Path) -> None:
    rows = {line.split(",")[0]: line for line in (copied / "labels.csv").read_text().splitlines()[1:]}
    trained = next(pit for pit in selection.study.plan.search_set(tiny).pits)
    locked = next(pit for pit in selection.study.plan.held_out_set(tiny).pits)
    assert trained.x is not None
    moved = f"{locked.pit},{locked.label},f1,{trained.slide},{trained.x + 3:g},{trained.y:g},new"
    edit(copied / "labels.csv", rows[locked.pit], moved)
    prediction = predict(read_bundle(bundle), load(copied))
    assert prediction.seen == len(searched_by(selection, tiny)) + 1


def test_a_bundle_that_names_no_pixels_tells_for_unchanged_data_alone(
    bundle: Path, selection: Selection, tiny: Dataset, copied: Path
) -> None:
    model = read_bundle(bundle)
    old = replace(model, about={key: value for key, value in model.about.items() if key != "searched_pixels"})
    assert predict(old, tiny).unseen == predict(model, tiny).unseen
    edit(copied / "foil.toml", f'name = "{tiny.description.name}"', 'name = "renamed"')
    prediction = predict(old, load(copied))
    assert (prediction.unseen, prediction.seen) == (None, None)
    assert prediction.remarks() == [
        "the bundle does not tell which pits the search saw: how good these scores are is not known; select again"
    ]


def test_pits_without_labels_are_scored_like_others(bundle: Path, selection: Selection, tiny: Dataset, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "unlabelled")
    lines = (folder / "labels.csv").read_text().splitlines()
    (folder / "labels.csv").write_text("\n".join([lines[0], *(_without_label(line) for line in lines[1:])]) + "\n")
    prediction = predict(read_bundle(bundle), load(folder, labelled=False))
    assert np.array_equal(prediction.p_signal, predict(read_bundle(bundle), tiny).p_signal)
    assert prediction.unseen is None
    assert prediction.seen == len(searched_by(selection, tiny))
    assert len(prediction.remarks()) == 1


def _without_label(line: str) -> str:
    cells = line.split(",")
    return ",".join([cells[0], "", *cells[2:]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": CHANNELS[:4]}, "must have the channels that the model was made for"),
        ({"bits": 16}, r"must have the full scale that the model was made for \(255\), but has \(65535\)"),
    ],
)
def test_data_of_another_kind_is_refused(bundle: Path, tmp_path: Path, options: dict[str, object], message: str) -> None:
    folder = write_dataset(tmp_path / "other", **options)  # type: ignore[arg-type]  # a table of options
    with pytest.raises(BundleError, match=message):
        predict(read_bundle(bundle), load(folder))


def test_data_with_another_signal_label_is_refused(bundle: Path, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "other")
    text = (folder / "foil.toml").read_text()
    (folder / "foil.toml").write_text(text.replace('signal = "candidate"', 'signal = "top"'))
    with pytest.raises(BundleError, match=r"the signal label that the model was made for \(candidate\), but has \(top\)"):
        predict(read_bundle(bundle), load(folder))


def test_pixels_of_another_size_are_refused_and_of_unknown_size_noted(bundle: Path, tiny: Dataset, tmp_path: Path) -> None:
    model = read_bundle(bundle)
    assert model.source is not None
    model = replace(model, source=replace(model.source, pixel_um=0.5))
    assert (
        predict(model, tiny)
        .remarks()[-1]
        .startswith("the data do not say the size of their pixels; the model was made for 0.5")
    )
    folder = write_dataset(tmp_path / "other")
    text = (folder / "foil.toml").read_text()
    (folder / "foil.toml").write_text(f"pixel_um = 2.5\n{text}")
    with pytest.raises(BundleError, match=r"in micrometres that the model was made for \(0\.5\), but has \(2\.5\)"):
        predict(model, load(folder))
    (folder / "foil.toml").write_text(f"pixel_um = 0.49\n{text}")
    assert predict(model, load(folder)).notes == ()
    folder = write_dataset(tmp_path / "finer", frames=True)
    text = (folder / "foil.toml").read_text()
    (folder / "foil.toml").write_text(f"pixel_um = 0.25\nresize_from = 24\n{text}")  # 24 pixels become 12
    assert len(predict(model, load(folder)).p_signal)
    (folder / "foil.toml").write_text(f"pixel_um = 0.5\nresize_from = 24\n{text}")
    with pytest.raises(BundleError, match=r"in micrometres that the model was made for \(0\.5\), but has \(1\)"):
        predict(model, load(folder))


def test_a_model_is_made_for_the_pixels_after_resizing(tiny: Dataset) -> None:
    finer = replace(tiny, description=replace(tiny.description, pixel_um=0.25, resize_from=24))
    assert source_of(finer).pixel_um == 0.5


def test_a_bundle_names_its_data(bundle: Path, selection: Selection, tiny: Dataset) -> None:
    source = read_bundle(bundle).source
    assert source is not None
    assert (source.name, source.signal, source.pixel_um) == (
        tiny.description.name,
        tiny.description.signal,
        tiny.description.pixel_um,
    )
    locked = selection.study.plan.held_out_set(tiny)
    assert set(source.held_out_slides) == {f"{pit.foil}:{pit.slide}" for pit in locked.pits}


def test_an_unknown_slide_is_refused(bundle: Path, tiny: Dataset) -> None:
    with pytest.raises(DataError, match=r"a slide must be in labels\.csv, but got '77'; choose from 1, 2, 3, 4"):
        predict(read_bundle(bundle), tiny, slides=["77"])


def test_nothing_is_overwritten_and_nothing_is_left_half(
    selection: Selection, bundle: Path, tiny: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match="a bundle goes into a new folder, but this one exists"):
        export(selection, bundle)
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="the folder must be writable, but: Not a directory"):
        export(selection, tmp_path / "file" / "bundle")
    with pytest.raises(DataError, match="the scores must be writable, but: No such file or directory"):
        write_scores(predict(read_bundle(bundle), tiny), tmp_path / "nowhere" / "scores.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_pit_without_a_crop_has_a_row_without_a_score_and_a_note(bundle: Path, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "frames", frames=True)
    lines = (folder / "labels.csv").read_text().splitlines()
    cells = lines[3].split(",")
    (folder / "labels.csv").write_text("\n".join([*lines[:3], ",".join([*cells[:4], "3", *cells[5:]]), *lines[4:]]) + "\n")
    prediction = predict(read_bundle(bundle), load(folder))
    notes = prediction.remarks()
    assert f"1 pits left out: nearer to the border than half a crop ({cells[0]})" in notes
    assert "1 pit left out: the rows have no score" in notes
    write_scores(prediction, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as stream:
        rows = {row["pit"]: row for row in csv.DictReader(stream)}
    assert set(rows) == {line.split(",")[0] for line in lines[1:]}
    place = {"foil": cells[2], "slide": cells[3], "x": "3", "y": cells[5]}
    assert rows[cells[0]] == {"pit": cells[0], "p_signal": "", "accepted": "", **place}
    assert all(row["p_signal"] for pit, row in rows.items() if pit != cells[0])
    on_it, elsewhere = (predict(read_bundle(bundle), load(folder), slides=[slide]).left_out for slide in (cells[3], "4"))
    assert (len(on_it), len(elsewhere)) == (1, 0)
