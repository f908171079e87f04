"""The command line at work: exit codes, one-line refusals, and what it says to do next."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from search.studies.study import Study
from tests.support.commands import Runner
from tests.support.golden import assert_golden
from tests.support.studies import SHORT, SMALL_SPACE
from tests.support.tiny import CHANNELS, write_dataset

FEW = "--top", 2, "--repeats", 1, "--reliability", 0.0, "--workers", 1


def test_the_whole_road_on_the_command_line(run: Runner, tiny_folder: Path, tmp_path: Path) -> None:
    Path("space.toml").write_text(SMALL_SPACE.write())
    checked = run("check", tiny_folder)
    assert checked.code == 0
    assert f"next: pitsearch launch {tiny_folder}" in checked.out
    words = ["--trials", 2, "--workers", 1, "--ladder", SHORT, "--space", "space.toml", "--log-to", "tensorboard:board"]
    launched = run("launch", tiny_folder, *words)
    assert launched.code == 0
    assert {path.parent.name for path in Path("board").rglob("*.tfevents.*")} == {"trial-0000", "trial-0001"}
    assert len(re.findall(r"^trial \d+ +(?:complete|pruned) +acceptance ", launched.out, re.MULTILINE)) == 2
    assert "next: pitsearch select --study tiny" in launched.out
    status = run("status")
    assert "2 of 2 done: " in status.out
    assert "; 0 running, 0 interrupted, 0 failed" in status.out
    confirmed = run("confirm", "--study", "tiny", *FEW)
    assert "trained again on fresh splits and seeds" in confirmed.out
    assert "next: pitsearch select --study tiny" in confirmed.out
    selected = run("select", "--study", "tiny", *FEW)
    assert "held-out set, opened for the first time" in selected.out
    assert "next: pitsearch export --study tiny OUT/" in selected.out
    exported = run("export", "--study", "tiny", "best")
    assert "next: pitsearch predict best DATA --out scores.csv" in exported.out
    predicted = run("predict", "best", tiny_folder, "--out", "scores.csv", "--slide", 1)
    assert predicted.code == 0
    assert (tmp_path / "scores.csv").read_text().startswith("pit,p_signal,accepted,foil,slide,x,y\n")


def test_a_space_is_shown_copied_and_chosen(run: Runner, tiny_folder: Path, tmp_path: Path) -> None:
    assert re.search(r"^network.name +minihip +yes +MoEDAL's network in use", run("spaces").out, re.MULTILINE)
    assert run("spaces", "quick").out.startswith("space quick: a first look at new data")
    assert "next: change it, then pitsearch launch DATA --space mine.toml" in run("spaces", "quick", "--write", "mine.toml").out
    words = ["--storage", f"sqlite:///{tmp_path}/studies.db", "--trials", 2, "--workers", 1, "--ladder", "5x1"]
    words += ["--space", "mine.toml", "--fix", "channels=single"]
    refused = run("launch", tiny_folder, *words)
    assert "`augmentation.lights` must not be set where no `channels.mode` uses it" in refused.err
    words[-3:] = ["quick", "--fix", "channels=single", "--fix", "network.width=4"]
    assert re.search(r"^trial 1 .*, single \d+, pitnet d\d w4, ", run("launch", tiny_folder, *words).out, re.MULTILINE)


def test_a_trials_configuration_can_be_enqueued(run: Runner, tiny_folder: Path, finished: Study) -> None:
    where = ["--storage", finished.storage]
    printed = run("status", "--trial", 1, *where)
    assert printed.out.startswith("# trial 1 of study tiny: acceptance ")
    Path("known.toml").write_text(printed.out)
    Path("space.toml").write_text(SMALL_SPACE.write())
    words = [
        *where,
        "--ladder",
        SHORT,
        "--space",
        "space.toml",
        "--pruner",
        "none",
        "--working-point",
        0.1,
        "--enqueue",
        "known.toml",
    ]
    waits = run("launch", tiny_folder, "--trials", 3, *words)
    assert waits.code == 0
    assert "note: 1 of the first configurations wait, for --trials leaves no room for them" in waits.out
    assert re.search(
        r"^trial 3 +complete ", run("launch", tiny_folder, "--trials", 4, "--workers", 1, *words).out, re.MULTILINE
    )
    assert run("status", "--trial", 9, *where).err == (
        "error: a trial must have a configuration, but trial 9 of study 'tiny' has none; choose from 0 to 3.\n"
    )


@pytest.mark.slow
def test_a_front_is_searched_for_and_drawn(run: Runner, tiny_folder: Path, finished: Study) -> None:
    Path("space.toml").write_text(SMALL_SPACE.write())
    words = ["--storage", finished.storage, "--study", "two", "--trials", 2, "--workers", 1, "--ladder", "1x1,5x16"]
    launched = run("launch", tiny_folder, *words, "--space", "space.toml", "--objectives", "acceptance,cost")
    assert launched.code == 0
    assert re.search(r"^trial 0 .* k multiply-adds a pit  rung ", launched.out, re.MULTILINE)
    assert "front: signal acceptance against multiply-adds a pit" in launched.out
    drawn = run("front", *words[:4])
    assert drawn.code == 0
    assert drawn.out.startswith("front: signal acceptance against multiply-adds a pit")
    assert drawn.out.endswith("wrote front.html; next: open it in a browser\n")
    assert Path("front.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("select", *words[:4], *FEW).code == 0
    refused = run("front", "--storage", finished.storage, "--study", "tiny", "--out", "none.html")
    assert (refused.code, len(refused.err.splitlines())) == (1, 1)
    assert refused.err.startswith("error: a front needs two objectives, but the study was made for acceptance alone; launch")
    assert not Path("none.html").exists()


def test_a_storage_elsewhere_is_named_in_what_comes_next(run: Runner, tiny_folder: Path, tmp_path: Path) -> None:
    Path("space.toml").write_text(SMALL_SPACE.write())
    storage = f"sqlite:///{tmp_path}/other.db"
    words = ["--trials", 1, "--workers", 1, "--ladder", "5x6", "--space", "space.toml", "--storage", storage]
    assert f"next: pitsearch select --study tiny --storage {storage}" in run("launch", tiny_folder, *words).out
    selected = run("select", "--storage", storage, *FEW)
    assert f"next: pitsearch export --study tiny --storage {storage} OUT/" in selected.out
    assert not (tmp_path / "studies.db").exists()


REFUSED = {
    "no_folder": (["launch", "nowhere"], "nowhere: a data set is a folder, but there is none by this name; check the path."),
    "no_studies": (
        ["status"],
        "studies.db: a storage must exist, but this file does not; run `pitsearch launch DATA` first, or give --storage.",
    ),
    "no_space": (["launch", "DATA", "--space", "quik"], "a space must be one of quick, standard, angles, everything, or a"),
    "no_axis": (["launch", "DATA", "--fix", "netwrk=minihip"], "`netwrk` must be an axis of the space, but is not; perhaps"),
    "no_known": (["launch", "DATA", "--enqueue", "no.toml"], "no.toml: a file of known configurations must be readable TOML"),
    "no_space_file": (["launch", "DATA", "--space", "no.toml"], "no.toml: a space file must be readable TOML, but:"),
    "unknown_axis": (
        ["launch", "DATA", "--space", "odd.toml"],
        "odd.toml:2: `network.depht` must be an axis of the space (",
    ),
    "unknown_slide": (
        ["launch", "DATA", "--holdout-slide", "9"],
        "tiny: a slide must be in labels.csv, but got '9'; choose from 1, 2, 3, 4.",
    ),
    "no_bundle": (["predict", "no-bundle", "DATA"], "no-bundle/model.json: a bundle must hold readable model.json and"),
    "no_channel_left": (
        ["launch", "BROKEN"],
        "foil.toml: each channel needs its images, but channel '9' has none (looked for crops/p000_9.png, ...); "
        "add them, or remove its [[channels]] entry.",
    ),
    "share": (
        ["launch", "DATA", "--holdout-share", "0.9"],
        "`0.05 <= share <= 0.5` must hold for the held-out set, but got 0.9;",
    ),
    "device": (
        ["launch", "DATA", "--devices", "tpu"],
        "a device must be cpu, cuda or cuda:NUMBER, but got 'tpu'; choose one of these.",
    ),
    "shares": (["curve", "DATA", "--shares", "10%"], "shares must be numbers with commas between them, but got '10%';"),
    "starved": (["curve", "DATA", "--shares", "0.1,1"], "each class needs at least 3 training pits in every fold, but a share"),
    "objectives": (
        ["launch", "DATA", "--objectives", "cost"],
        "the objectives must be 'acceptance' or 'acceptance,rejection' or 'acceptance,cost', but got 'cost'; choose one of",
    ),
    "no_place": (
        ["diagnose", "--out", "page.html"],
        "--out must not end in .html, for that is the page beside it, but got page.html;",
    ),
    "no_suspects": (
        ["relabel", "DATA", "none.csv"],
        "none.csv: a list of suspects must exist, but does not; run `pitsearch diagnose` first.",
    ),
    "audit": (
        ["launch", "DATA", "--audit", "1.5"],
        "`0 <= audit <= 1` must hold (share of trials never pruned), but got 1.5; choose e.g. 0.05.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_gets_one_line_and_writes_nothing(run: Runner, tiny_folder: Path, tmp_path: Path, name: str) -> None:
    broken = write_dataset(tmp_path / "broken", counts={"candidate": 8, "bottom": 8})
    for path in (broken / "crops").glob("*_9.png"):
        path.unlink()
    Path("odd.toml").write_text("[network]\ndepht = [2]\n")
    before = sorted(tmp_path.iterdir())
    words, message = REFUSED[name]
    refused = run(*({"DATA": tiny_folder, "BROKEN": broken}.get(word, word) for word in words))
    assert refused.code == 1
    assert refused.err.startswith(f"error: {message}")
    assert len(refused.err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_every_fault_of_a_data_set_gets_its_line(run: Runner, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "faulty", counts={"candidate": 8, "bottom": 8}, channels=CHANNELS[:2])
    lines = (folder / "labels.csv").read_text().splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[1], "botom")
    lines[5] = lines[5].replace(lines[5].split(",")[1], "")
    lines.append(lines[1])
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "crops" / "p005_1.png").unlink()
    (folder / "crops" / "p006_2.png").write_bytes((folder / "crops" / "p006_2.png").read_bytes()[:60])
    for command in ("check", "launch"):
        refused = run(command, folder)
        assert refused.code == 1
        assert_golden("faults", refused.err)


def test_a_study_is_asked_what_mattered_and_for_its_learning_curve(
    run: Runner, tiny_folder: Path, finished_folder: Path, tmp_path: Path
) -> None:
    shutil.copy(finished_folder / "studies.db", tmp_path / "asked.db")
    storage = ["--storage", f"sqlite:///{tmp_path}/asked.db"]
    asked = run("importance", *storage)
    assert (asked.code, asked.out) == (1, "")
    assert asked.err.startswith("error: importance needs at least 20 finished trials, so that the best quarter holds 5, but ")
    words = ["--study", "tiny", "--shares", "0.5,1", "--repeats", 1, "--epochs", 2, "--workers", 1]
    drawn = run("curve", tiny_folder, *words, *storage)
    assert drawn.code == 0
    assert "tiny: learning curve at 10% false positives" in drawn.out
    assert re.search(r"^acceptance .* from 50% to 100% of the training pits: ", drawn.out, re.MULTILINE)
    assert drawn.out.endswith("wrote curve.html; next: open it in a browser\n")
    assert (tmp_path / "curve.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_study_is_diagnosed_and_its_labels_corrected(
    run: Runner, tiny_folder: Path, finished_folder: Path, tmp_path: Path
) -> None:
    shutil.copy(finished_folder / "studies.db", "studies.db")
    shutil.copytree(tiny_folder, "mine")
    words = ["diagnose", "--data", "mine", "--trial", 1, "--seeds", 2, "--repeats", 1, "--workers", 1]
    diagnosed = run(*words)
    assert diagnosed.code == 0
    assert "acceptance at 10% false positives, seeds against folds" in diagnosed.out
    assert re.search(r"^(no slide stands out|slide f1:\d stands out: )", diagnosed.out, re.MULTILINE)
    assert diagnosed.out.endswith(
        "wrote suspects.csv and suspects.html; next: look at the page, fill in `corrected` where a label is wrong, then "
        f"pitsearch relabel {tmp_path / 'mine'} suspects.csv\n"
    )
    assert Path("suspects.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path("suspects.csv").read_text().startswith("pit,label,suggested,sure,repeats,reason,corrected\n")
    pit, label, *_ = Path("mine/labels.csv").read_text().splitlines()[1].split(",")
    corrected = "top" if label != "top" else "bottom"
    with Path("suspects.csv").open("a", encoding="utf-8") as stream:
        stream.write(f"{pit},{label},,,,by hand,{corrected}\n")
    relabelled = run("relabel", "mine", "suspects.csv")
    assert (relabelled.code, relabelled.out.splitlines()) == (
        0,
        [
            f"{pit}: {label} -> {corrected}",
            "wrote mine/labels.csv: 1 label changed; the old ones are in mine/labels.1.csv",
            "the data's fingerprint is new, so studies of the old labels refuse it",
            "next: pitsearch launch mine --study NEW",
        ],
    )
    assert run(*words).err.startswith("error: suspects.csv: suspects must not be written over what a person filled in, but")
    assert run(*words, "--out", "more.csv").err.startswith("error: study 'tiny' was made from other data (fingerprint ")
    assert run("relabel", "mine", "suspects.csv").err.startswith("error: suspects.csv:")


def test_ctrl_c_keeps_what_is_finished_of_a_diagnosis(
    run: Runner, finished_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    shutil.copy(finished_folder / "studies.db", "studies.db")
    monkeypatch.setattr("search.analysis.diagnose.diagnose", interrupted)
    ended = run("diagnose")
    says = "finished cross-validations are kept, the same command goes on"
    assert (ended.code, ended.out, ended.err) == (130, "", f"stopped at once; {says}\n")
    assert [path.name for path in Path.cwd().iterdir()] == ["studies.db"]


@pytest.mark.parametrize(
    ("command", "stopped", "says"),
    [
        ("launch", "search.launcher.launch.launch", "finished trials are kept, the same command goes on"),
        ("curve", "search.analysis.learning_curve_setup.draw_curve", "finished trainings are kept, the same command goes on"),
    ],
)
def test_ctrl_c_says_what_is_left(
    run: Runner, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, stopped: str, says: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stopped, interrupted)
    ended = run(command, tiny_folder)
    assert (ended.code, ended.out, ended.err) == (130, "", f"stopped at once; {says}\n")
    assert not list(Path.cwd().iterdir())


@pytest.mark.slow
def test_a_changed_bundle_is_refused(run: Runner, tiny_folder: Path, finished_folder: Path) -> None:
    shutil.copy(finished_folder / "studies.db", "studies.db")
    run("select", *FEW)
    run("export", "best")
    weights = Path("best/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    refused = run("predict", "best", tiny_folder, "--out", "scores.csv")
    assert refused.code == 1
    assert refused.err == (
        "error: best/model.safetensors: the weights must be those that were exported, but their hash differs from "
        "model.json's; export the model again.\n"
    )
    assert not Path("scores.csv").exists()
