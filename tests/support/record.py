"""Record trainings that really ended so: `python -m tests.support.record [NAME ...]` writes `recorded/NAME.json`.

What is to be judged follows from how a training is spoilt, and is confirmed by pits held out of it, not by the rules that the
recordings test: a training that held-out pits do not confirm is refused. One recipe, `overtrained-balanced`, had fewer of its
labels spoilt after the rules had called it collapsed, and so is weaker evidence.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.search.trainings import NOISES, Recipe, train, write_foils
from benchmarks.statistics.verdicts import Criterion, label
from models.training.verdicts import Evidence, Verdict
from spaces import Config
from spaces.choices.balance import Balance
from spaces.choices.channels import Channels
from spaces.choices.labelling import Labelling
from spaces.choices.losses import Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

FOLDER = Path(__file__).parent / "recorded"
PITS, FOILS = 600, 7
CONFIRMS = {
    Verdict.LEARNED: Criterion.LEARNS,
    Verdict.COLLAPSED: Criterion.NOT,
    Verdict.OVERTRAINED: Criterion.OVERTRAINED,
    Verdict.DIVERGED: Criterion.DIVERGED,
    Verdict.UNFINISHED: Criterion.CUT,
}
IN_USE: dict[str, Any] = {
    "network": Network("minihip"),
    "normalisation": "raw",
    "optimiser": Optimiser("adam", 2e-4, schedule="constant"),
}
BY_HEART: dict[str, Any] = {
    "network": Network("pitnet", depth=3, width=8),
    "optimiser": Optimiser("adam", 1e-3, weight_decay=0.0, batch_size=16, schedule="constant"),
}


@dataclass(frozen=True)
class Case:
    """One training to record: how it is to be judged, why, and its recipe; `config`: the fields of Config that are chosen."""

    verdict: Verdict
    why: str
    config: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 20
    noise: float = 0.0
    twice: bool = False
    stopped: int | None = None
    seed: int = 0

    def recipe(self) -> Recipe:
        """Give the training."""
        return Recipe(Config(**self.config), self.epochs, self.noise, self.twice, self.stopped, self.seed)


SLOW = Optimiser("adamw", 2e-4, batch_size=16)
CASES: dict[str, Case] = {
    "learned": Case(Verdict.LEARNED, "a sound recipe", {"optimiser": Optimiser("adamw", 3e-3, batch_size=16)}),
    "learned-four-way": Case(
        Verdict.LEARNED,
        "four classes",
        {"labelling": Labelling("four-way"), "optimiser": Optimiser("adamw", 3e-3, batch_size=16)},
    ),
    "learned-slowly": Case(Verdict.LEARNED, "a low rate, and time", {"optimiser": SLOW}, epochs=60),
    "learned-over-confident": Case(
        Verdict.LEARNED,
        "a few epochs too many, all labels right: the likelihood turns, and little of it is lost",
        {"optimiser": Optimiser("adam", 1e-3, weight_decay=0.0, batch_size=16, schedule="constant")},
        epochs=12,
    ),
    "learned-focal": Case(
        Verdict.LEARNED,
        "a loss that is no likelihood",
        {"loss": Loss("focal"), "optimiser": Optimiser("adamw", 3e-3, batch_size=16)},
    ),
    "learned-weighted": Case(
        Verdict.LEARNED,
        "class-weighted: its probabilities are of balanced classes",
        {"balance": Balance("weighted"), "optimiser": Optimiser("adamw", 3e-3, batch_size=16)},
    ),
    "learned-few-accepted": Case(
        Verdict.LEARNED,
        "early, or where signal is rare and hard: hardly a pit reaches 1/2, and the likelihood is better than chance",
        {
            "labelling": Labelling("four-way"),
            "network": Network("pitnet", depth=3, width=8, norm="none"),
            "optimiser": Optimiser("lion", 1.1e-4, schedule="constant"),
        },
        epochs=12,
    ),
    "learned-other-loss": Case(
        Verdict.LEARNED,
        "by a loss that is half a likelihood, class-weighted, four classes",
        {
            "labelling": Labelling("four-way"),
            "network": Network("pitnet", depth=2, width=8),
            "loss": Loss("partial-auc"),
            "balance": Balance("weighted"),
            "optimiser": Optimiser("adam", 7e-4, schedule="constant"),
        },
        epochs=20,
    ),
    "learned-unsteadily": Case(
        Verdict.LEARNED,
        "one light, a seventh of the labels wrong, a constant rate: likelihoods go up and down, and end well",
        {
            "labelling": Labelling("four-way"),
            "channels": Channels("single", "1"),
            "network": Network("pitnet", depth=2, width=8),
            "optimiser": Optimiser("sgd", 8e-3, schedule="constant"),
        },
        epochs=12,
        noise=0.15,
    ),
    "collapsed-scaled-twice": Case(
        Verdict.COLLAPSED,
        "the network in use on images scaled twice, one light",
        {**IN_USE, "channels": Channels("single", "1")},
        twice=True,
    ),
    "collapsed-to-background": Case(
        Verdict.COLLAPSED, "the same under all lights: nothing is accepted, yet signal ranks above chance", IN_USE, twice=True
    ),
    "collapsed-weighted": Case(
        Verdict.COLLAPSED,
        "the same with a class-weighted loss: nothing is accepted, by a hair, and the ranking is all but perfect",
        {**IN_USE, "balance": Balance("weighted")},
        twice=True,
    ),
    "collapsed-high-rate": Case(
        Verdict.COLLAPSED,
        "a rate at which every unit dies",
        {"network": Network("minihip"), "optimiser": Optimiser("adam", 0.3, schedule="constant")},
    ),
    "overtrained": Case(
        Verdict.OVERTRAINED, "a third of the labels wrong, and learned by heart", BY_HEART, epochs=40, noise=0.35
    ),
    "overtrained-single": Case(
        Verdict.OVERTRAINED,
        "the same, a seventh of the labels wrong, one light",
        {**BY_HEART, "channels": Channels("single", "1")},
        epochs=60,
        noise=0.15,
    ),
    "overtrained-balanced": Case(
        Verdict.OVERTRAINED,
        "the same under all lights, signal repeated",
        {**BY_HEART, "balance": Balance("repeated")},
        epochs=40,
        noise=0.15,
    ),
    "diverged-nan": Case(
        Verdict.DIVERGED,
        "a rate so high that numbers end",
        {
            "network": Network("pitnet", depth=3, width=8, norm="none"),
            "optimiser": Optimiser("sgd", 1e3, schedule="constant"),
        },
    ),
    "diverged-nan-in-use": Case(
        Verdict.DIVERGED,
        "the same in the network in use, four classes",
        {
            "network": Network("minihip"),
            "labelling": Labelling("four-way"),
            "optimiser": Optimiser("sgd", 1e30, schedule="constant"),
        },
    ),
    "diverged-growing": Case(
        Verdict.DIVERGED,
        "a rate at which the loss explodes within the first epoch, grows on, and stays finite",
        {
            "network": Network("setnet", depth=2, width=8),
            "labelling": Labelling("four-way"),
            "optimiser": Optimiser("sgd", 5.0, schedule="constant"),
        },
        epochs=4,
    ),
    "diverged-at-once": Case(
        Verdict.DIVERGED,
        "the loss explodes within the first epoch, and falls from there, to far above where it began",
        {
            "network": Network("setnet", depth=2, width=8),
            "labelling": Labelling("four-way"),
            "normalisation": "raw",
            "optimiser": Optimiser("sgd", 2.2, schedule="constant"),
        },
        epochs=4,
        noise=0.35,
    ),
    "diverged-batch-norm": Case(
        Verdict.DIVERGED,
        "the same in another network, under one light",
        {
            "channels": Channels("single", "1"),
            "network": Network("pitnet", depth=3, width=8),
            "labelling": Labelling("four-way"),
            "optimiser": Optimiser("nesterov", 2.6, schedule="constant"),
        },
        epochs=4,
        noise=0.35,
    ),
    "unfinished": Case(
        Verdict.UNFINISHED, "a sound recipe, stopped", {"optimiser": Optimiser("adamw", 3e-3, batch_size=16)}, stopped=7
    ),
    "unfinished-collapsing": Case(
        Verdict.UNFINISHED,
        "images scaled twice, stopped: what it would have come to is not known",
        IN_USE,
        twice=True,
        stopped=3,
    ),
}


def read(path: Path) -> tuple[Verdict, Evidence]:
    """Read a recording: the verdict that its recipe asks for, and the evidence."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    return Verdict(recorded["verdict"]), Evidence(**recorded["evidence"])


def _record(name: str, case: Case, folder: str) -> str | None:
    """Train and write a case; say why not, where held-out pits do not confirm it."""
    ended = train(case.recipe(), folder)
    found = label(ended)
    if found is not CONFIRMS[case.verdict]:
        return f"{name}: held-out pits must say `{CONFIRMS[case.verdict]}`, but say `{found}`; spoil it otherwise. {ended}"
    recorded = {
        "verdict": case.verdict,
        "why": case.why,
        "recipe": case.recipe().config.describe(),
        "epochs": case.epochs,
        "wrong labels": case.noise,
        "scaled twice": case.twice,
        "held-out": {"says": found, "loss": ended.held_out[-1], "constant": ended.constant, "auc": ended.auc},
        "evidence": asdict(ended.evidence),
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    return None


def main(names: list[str]) -> None:
    """Record the named cases, all by default."""
    with TemporaryDirectory() as place:
        folders = {noise: write_foils(Path(place), PITS, noise, FOILS) for noise in NOISES}
        refused = [_record(name, CASES[name], folders[CASES[name].noise]) for name in names or CASES]
    sys.exit("\n".join(filter(None, refused)) or None)


if __name__ == "__main__":
    main(sys.argv[1:])
