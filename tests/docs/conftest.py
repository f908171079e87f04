"""What the folder of a page holds at first. Each state is made once, in the folder that all pages are run in, and put aside."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pitsearch as ps
from search.storage.connect import forget_storages
from tests.support.pages import STATES
from tests.support.small import LADDER

# Learns the synthetic pits in seconds, and still varies names and a rate: 20 trials tell which of them mattered.
SPACE = ps.Space(
    {
        "labelling.scheme": ("binary", "four-way"),
        "channels.mode": ("stacked",),
        "network.name": ("pitnet",),
        "network.depth": (2,),
        "network.width": (4, 8),
        "optimiser.name": ("adam", "adamw"),
        "optimiser.learning_rate": ps.Range(3e-3, 3e-2, log=True),
        "optimiser.batch_size": (16,),
    }
)
TRIALS = 22
COUNTS = {"candidate": 30, "top": 20, "bottom": 50, "misc": 8, "maybe": 4}


def add_data() -> None:
    """Write the data set `mydata`: synthetic pits that are easy to tell apart, under ten lights."""
    folder = ps.synthesise(Path("mydata"), ps.SyntheticFoils(COUNTS, difficulty=0.0, seed=3))
    described = folder / "foil.toml"
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace('name = "synthetic"', 'name = "mydata"'), encoding="utf-8")


def add_study() -> None:
    """Search it: the study `mydata` in studies.db."""
    options, budget = ps.SearchOptions(ladder=ps.Ladder.parse(LADDER)), ps.Budget(trials=TRIALS)
    study = ps.launch(ps.load("mydata"), SPACE, options, budget=budget, executor=ps.Processes(workers=1))
    assert ps.summarise(study).complete


def add_bundle() -> None:
    """Select a model and export it: the bundle `best`."""
    terms = ps.ConfirmOptions(top=2, repeats=1, reliability=0.0)
    ps.export(ps.select(ps.Study("mydata", "sqlite:///studies.db"), terms, workers=1, progress=False), "best")


STEPS: dict[str, Callable[[], None]] = {"data": add_data, "study": add_study, "bundle": add_bundle}


@pytest.fixture(scope="session")
def page_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder that pages are run in, always the same, for studies hold its path; and that of the states put aside."""
    return tmp_path_factory.mktemp("page") / "reader", tmp_path_factory.mktemp("states")


@pytest.fixture
def begin(page_folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Give a function that fills the pages' folder with a state and makes it the current one."""
    folder, aside = page_folders

    def fill(state: str) -> Path:
        empty(folder)
        forget_storages()  # its database is another file now, of the same name
        monkeypatch.chdir(folder)
        for name in STATES[1 : STATES.index(state) + 1]:
            if (aside / name).exists():
                empty(folder)
                shutil.copytree(aside / name, folder, dirs_exist_ok=True)
            else:
                STEPS[name]()
                shutil.copytree(folder, aside / name)
        return folder

    yield fill


def empty(folder: Path) -> None:
    """Remove what is in a folder; the folder stays, for it may be the current one."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
