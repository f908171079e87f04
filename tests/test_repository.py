"""The repository keeps its own promises: the map, the house, the documented commands, the pinned versions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from foils.description import read_description
from search.cli.app import app
from spaces.axes import AXES, Range
from spaces.space import Space
from tests.support.pages import read_page
from tests.support.repository import (
    PACKAGES,
    ROOT,
    broken_contracts,
    copy_packages,
    imported,
    imports_of_tests,
    modules,
    not_installed,
    too_long,
    undocumented,
)

DOCS = ROOT / "docs"
# Needed by name alone: by timm, by tifffile, by Dask for TLS, by SQLAlchemy for PostgreSQL.
BY_NAME = ("torchvision", "onnxscript", "imagecodecs", "cryptography", "psycopg")
# A room at every depth to plant faults in.
ROOMS = ("foils", "foils/synthetic", "spaces/choices", "models/networks", "search", "search/trials")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_and_every_public_thing_has_a_docstring(package: str) -> None:
    assert undocumented(ROOT, package) == []


@pytest.mark.parametrize("room", ROOMS)
def test_what_has_no_docstring_is_seen_in_every_room(room: str, tmp_path: Path) -> None:
    package = room.split("/")[0]
    (tmp_path / room).mkdir(parents=True)
    (tmp_path / room / "planted.py").write_text('"""Documented."""\n\n\ndef bare() -> None: ...\n')
    (tmp_path / room / "bare.py").write_text("")
    assert undocumented(tmp_path, package) == [f"{room}/bare.py", f"{room}/planted.py: bare"]


@pytest.mark.parametrize("package", [*PACKAGES, "benchmarks", "tests"])
def test_no_file_is_too_long(package: str, tmp_path: Path) -> None:
    assert too_long(ROOT, package) == []
    (tmp_path / package / "room").mkdir(parents=True)
    (tmp_path / package / "room" / "planted.py").write_text("\n" * 301)
    assert too_long(tmp_path, package) == [f"{package}/room/planted.py: 301"]


def test_tests_import_no_other_test_file() -> None:
    assert imports_of_tests(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "from tests.spaces.test_space import spaces",
        "from tests.spaces import test_space",
        "import tests.spaces.test_space",
        "from tests.search.conftest import finished",
        "from .test_space import spaces",
        "from .. import conftest",
    ],
)
def test_a_planted_import_of_a_test_file_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "tests" / "room").mkdir(parents=True)
    (tmp_path / "tests" / "room" / "shared.py").write_text("from tests.support.engines import Postgres\n")
    (tmp_path / "tests" / "room" / "planted.py").write_text(f"import os\n\n\ndef late() -> None:\n    {line}\n")
    assert imports_of_tests(tmp_path) == ["tests/room/planted.py:5"]


def test_every_folder_is_installed(tmp_path: Path) -> None:
    include = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert not_installed(ROOT, include) == []
    (tmp_path / "search" / "planted").mkdir(parents=True)
    (tmp_path / "search" / "planted" / "module.py").write_text("")
    assert not_installed(tmp_path, include) == ["search/planted"]


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("spaces/planted.py", "import models.metrics", "Packages"),
        ("pitsearch/errors.py", "import foils.images", "Packages"),
        ("search/trials/planted.py", "import search.launcher.launch", "Rooms of search"),
        ("search/planted/room.py", "", "Rooms of search"),
        ("models/networks/planted.py", "import models.training.task", "Rooms of models"),
        ("spaces/choices/planted.py", "import spaces.space", "Tables of choices"),
        ("models/planted.py", "import optuna", "know no Optuna"),
        ("models/planted.py", "import scan.hits", "Packages"),
        ("scan/planted.py", "import search.defaults", "Packages"),
        ("scan/planted.py", "import typer", "know no Optuna"),
        ("foils/planted.py", "import torch", "know no torch"),
        ("search/statistics/intervals.py", "import search.statistics.bootstrap", "No circle"),
    ],
)
def test_a_planted_import_breaks_its_contract(place: str, line: str, contract: str, tmp_path: Path) -> None:
    copy_packages(ROOT, tmp_path)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).parent.joinpath("__init__.py").touch()
    with (tmp_path / place).open("a") as stream:
        stream.write(f"\n{line}\n")
    said = broken_contracts(tmp_path)
    broken = [row for row in said.splitlines() if row.endswith(" BROKEN")]
    assert any(contract in row for row in broken) or (not line and "planted" in said), said


def commands_of(group: typer.core.TyperGroup, before: str = "") -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """Give every command, those of a group within the group by both names."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands_of(command, f"{name} ")
        elif isinstance(command, typer.core.TyperCommand):
            yield f"{before}{name}", command


def test_every_command_and_option_is_documented() -> None:
    page, group = (DOCS / "commands.md").read_text(encoding="utf-8"), typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for name, command in commands_of(group):
        section = re.search(rf"^### pitsearch {name}\b(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        assert section, f"docs/commands.md has no section on {name}"
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option | typer.core.TyperOption) else []:
                assert f"`{option}" in section[1], f"docs/commands.md does not say what {name} {option} is"


def test_versions_are_pinned_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    missing = {re.sub(r"[-_.]+", "-", re.split(r"[<>=\[]", name)[0]) for name in wanted} - pinned
    assert not missing


def test_all_files_that_name_the_version_name_the_same() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \(", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None and newest[1] == version


def test_every_dependency_says_who_needs_it_and_is_needed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    used = {name for package in PACKAGES for path in modules(ROOT, package) for name in imported(path)}
    imports = {
        "pillow": "PIL",
        "pyyaml": "yaml",
        "scikit-learn": "sklearn",
        "scikit-image": "skimage",
        "optuna-dashboard": "optuna_dashboard",
        "tomli-w": "tomli_w",
        "dask-jobqueue": "dask_jobqueue",
        "lazy-loader": "lazy_loader",
    }
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    for line in block.strip().splitlines():
        found = re.fullmatch(r'\s*"([a-z0-9-]+)(?:\[[a-z]+\])?[<>=][^"]*", +# \S.*', line)
        assert found, line
        assert found[1] in BY_NAME or imports.get(found[1], found[1]) in used, f"nothing imports {found[1]}"


def test_the_space_file_of_the_docs_is_the_default_space(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(read_page("docs/spaces.md").block("# space.toml").text)
    space = Space.read(tmp_path / "space.toml")
    searched = {key for key, axis in AXES.items() if isinstance(axis.domain, Range) or len(axis.domain) != 1}
    searched -= {"labelling.detector"}  # of a scheme that the default space does not search
    assert set(space.chosen) == searched
    changed = {key for key, domain in space.chosen.items() if AXES[key].domain != domain}
    assert changed == {"labelling.scheme", "channels.light"}


def test_the_description_in_the_docs_is_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "foil.toml").write_text(read_page("docs/data-format.md").block("# foil.toml").text)
    faults: list[str] = []
    description = read_description(tmp_path, faults)
    assert not faults
    assert description is not None
    assert description.signal == "candidate"
