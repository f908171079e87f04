"""The repository keeps its own promises: the map, the house, the documented commands, the pinned versions."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from foils.description import read_description
from search.cli import app
from spaces.axes import AXES, Range
from spaces.space import Space

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = ("foils", "spaces", "models", "search")
# Needed by name alone: by timm, by tifffile, by Dask for TLS, by SQLAlchemy for PostgreSQL.
BY_NAME = ("torchvision", "imagecodecs", "cryptography", "psycopg")
# search -> models -> spaces, foils: imports run left to right only.
MAY_IMPORT = {"foils": set(), "spaces": set(), "models": {"foils", "spaces"}, "search": {"foils", "spaces", "models"}}
MUST_NOT_KNOW = {"foils": {"torch", "optuna"}, "spaces": {"torch"}, "models": {"optuna", "typer"}, "search": set[str]()}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).glob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_in_the_readme_has_a_line_for_every_file_and_no_other(package: str) -> None:
    mapped = set(re.findall(rf"^\| `{package}/(\w+\.py)` \|", README, re.MULTILINE))
    there = {path.name for path in modules(package) if path.name not in ("__init__.py", "__main__.py")}
    assert mapped == there


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_in_one_direction(package: str) -> None:
    for path in modules(package):
        ours = imported(path) & set(PACKAGES)
        assert ours <= MAY_IMPORT[package] | {package}, path.name
        assert not imported(path) & MUST_NOT_KNOW[package], path.name


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_and_every_public_thing_has_a_docstring(package: str) -> None:
    for path in modules(package):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path.name
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def commands_of(group: typer.core.TyperGroup, before: str = "") -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """Give every command, those of a group within the group by both names."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands_of(command, f"{name} ")
        elif isinstance(command, typer.core.TyperCommand):
            yield f"{before}{name}", command


def test_every_command_and_option_is_documented() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    for name, command in commands_of(group):
        section = re.search(rf"^### pitsearch {name}\b(.*?)(?=^##|\Z)", README, re.MULTILINE | re.DOTALL)
        assert section, f"README has no section on {name}"
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option | typer.core.TyperOption) else []:
                assert f"`{option}" in section[1], f"README does not say what {name} {option} is"


def test_versions_are_pinned_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    missing = {re.split(r"[<>=\[]", name)[0] for name in wanted} - pinned
    assert not missing


def test_every_dependency_says_who_needs_it_and_is_needed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    used = {name for package in PACKAGES for path in modules(package) for name in imported(path)}
    imports = {
        "pillow": "PIL",
        "scikit-learn": "sklearn",
        "optuna-dashboard": "optuna_dashboard",
        "tomli-w": "tomli_w",
        "dask-jobqueue": "dask_jobqueue",
    }
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]
    for line in block.strip().splitlines():
        found = re.fullmatch(r'\s*"([a-z-]+)(?:\[[a-z]+\])?[<>=][^"]*", +# \S.*', line)
        assert found, line
        assert found[1] in BY_NAME or imports.get(found[1], found[1]) in used, f"nothing imports {found[1]}"


def block(start: str) -> str:
    """Give the indented block of the README that begins with this line."""
    found = re.search(rf"^    {re.escape(start)}\n((?:    .*\n|\n)*)", README, re.MULTILINE)
    assert found, start
    return textwrap.dedent(f"    {start}\n{found[1]}")


def test_the_space_file_of_the_readme_is_the_default_space(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(block('labelling = ["binary", "four-way"]           # three-way, too'))
    space = Space.read(tmp_path / "space.toml")
    searched = {key for key, axis in AXES.items() if isinstance(axis.domain, Range) or len(axis.domain) != 1}
    searched -= {"labelling.detector"}  # of a scheme that the default space does not search
    assert set(space.chosen) == searched
    changed = {key for key, domain in space.chosen.items() if AXES[key].domain != domain}
    assert changed == {"labelling.scheme", "channels.light"}


def test_the_description_in_the_readme_is_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "foil.toml").write_text(block("# foil.toml"))
    faults: list[str] = []
    description = read_description(tmp_path, faults)
    assert not faults
    assert description is not None
    assert description.signal == "candidate"
