"""The commands of the page on scans run as they stand, from an exported bundle to a data set with new labels."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path

import pytest

from foils import load
from foils.description import read_description
from models.inference.bundle import Bundle, write_bundle
from models.inference.bundle_schema import SourceData
from models.inference.ensemble import Ensemble
from models.inference.example import write_example
from models.training.cross_validation import start_fold
from models.training.task import make_task
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.commands import Runner
from tests.support.pages import read_page


def commands() -> list[list[str]]:
    """The commands of the page's first block."""
    block = read_page("docs/scanning.md").block("pitsearch synth")
    return [shlex.split(line)[1:] for line in block.commands]


def write_best(folder: Path, frames: Path) -> None:
    """Train a small network on the frames' pits for a moment, and write it as a bundle."""
    import numpy as np

    data = load(frames)
    config = Config(network=Network("pitnet", depth=2, width=8), optimiser=Optimiser("adamw", 3e-3, batch_size=16))
    task = make_task(data, config, epochs=6, working_point=0.05)
    training = start_fold(task, np.arange(len(data)) % 2, 0, 0, 0)
    training.advance(6)
    about = data.description
    ensemble = Ensemble(config, (training.eval_model,), about.channels, about.crop, data.full_scale)
    threshold = float(np.quantile(ensemble.scores(data.crops()), 0.7))
    bundle = Bundle(ensemble, threshold, 0.05, {}, SourceData(about.name, about.signal, about.pixel_um))
    folder.mkdir()
    write_bundle(folder, bundle)
    write_example(folder, bundle, data)


@pytest.mark.slow
def test_the_five_commands_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run, (synth, *others) = Runner(monkeypatch, capsys), commands()
    assert run(*synth).code == 0
    write_best(Path("best"), Path("foil"))
    for words in others:
        if words[0] == "merge":
            _answer(Path("queue/labels.csv"), Path("labels.csv"))
        workers = ["--workers", "1"] if words[0] == "scan" else []
        ran = run(*words, *workers)
        assert ran.code == 0, ran.err
    assert "efficiency" in Path("match.html").read_text()
    assert len(list(Path("hits").glob("hits.*"))) == 3
    more, before = load("more"), read_description(Path("foil"), [])
    assert before is not None and more.description.channels == before.channels
    assert len(more) > len(load("foil"))


def _answer(queue: Path, out: Path) -> None:
    """Label all of the queue, as its page does."""
    with queue.open(newline="") as stream, out.open("w", newline="") as answered:
        rows = csv.DictReader(stream)
        writer = csv.DictWriter(answered, rows.fieldnames or ())
        writer.writeheader()
        writer.writerows({**row, "label": "misc"} for row in rows)
