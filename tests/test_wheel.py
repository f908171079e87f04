"""The archives of a release: what they hold and say, and that an installed wheel works far from the checkout."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.repository import PACKAGES, ROOT
from tests.support.tiny import write_dataset

# For the repository alone: a source archive needs none of them.
NOT_IN_THE_SOURCES = (".ci/", ".github/", ".gitignore", ".pre-commit-config.yaml")
OLD_BUNDLE = ROOT / "tests" / "search" / "studies_0_1_0" / "bundle"


@dataclass(frozen=True)
class Archives:
    """What `python -m build` made of the tracked files, and these."""

    wheel: Path
    sources: Path
    tracked: frozenset[str]


def run(folder: Path, *words: object) -> str:
    """Run a command, and give what it prints on stdout. Fails the test where it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.run(
        [str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Build in a copy of the tracked files: nothing else gets in, and the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("archives")
    tracked = run(ROOT, "git", "ls-files").splitlines()
    for name in tracked:
        target = folder / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    run(folder, sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "checkout")
    (wheel,), (sources,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return Archives(wheel, sources, frozenset(tracked))


def below(names: Iterable[str], folders: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith(tuple(folders))}


@pytest.mark.slow
def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == below(archives.tracked, [f"{package}/" for package in PACKAGES])


@pytest.mark.slow
def test_the_source_archive_holds_what_the_tests_and_pages_need(archives: Archives) -> None:
    with tarfile.open(archives.sources) as sources:
        files = {name.split("/", 1)[1] for name in sources.getnames() if "/" in name and not sources.getmember(name).isdir()}
    made = {"PKG-INFO", "setup.cfg"} | below(files, ["pitsearch.egg-info/"])
    assert files - made == archives.tracked - below(archives.tracked, NOT_IN_THE_SOURCES)


@pytest.mark.slow
def test_the_wheel_says_what_it_is(archives: Archives) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(archives.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        said = email.message_from_bytes(wheel.read(name))
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("pitsearch", project["version"], "BSD-3-Clause")
    assert said["Description-Content-Type"] == "text/markdown"
    text = said.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode("utf-8").strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()
    assert said.get_all("Classifier") == project["classifiers"]


@pytest.mark.slow
def test_an_installation_works_far_from_the_checkout(archives: Archives, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place)
    python = place / "bin" / "python"
    run(
        tmp_path,
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        archives.wheel,
    )
    # What it depends on is that of the tests; a path alone brings none of their editable installations.
    (site,) = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    script = f"import {', '.join(PACKAGES)}; print({', '.join(f'{one}.__file__' for one in PACKAGES)})"
    places = run(tmp_path, python, "-c", script)
    assert all(Path(one).is_relative_to(site) for one in places.split()), places

    work, pitsearch = tmp_path / "work", place / "bin" / "pitsearch"
    work.mkdir()
    data = write_dataset(work / "tiny")
    assert archives.wheel.name.split("-")[1] in run(work, pitsearch, "--version")
    assert "launch" in run(work, pitsearch, "--help")
    run(work, pitsearch, "synth", "foils", "--pits", "150")
    run(work, pitsearch, "check", "foils", "--sheet", "sheet.png")
    small = ["--ladder", "5x2", "--scheme", "binary", "--fix", "optimiser.batch_size=16", "--workers", "1"]
    run(work, pitsearch, "launch", data, "--trials", "1", *small)
    run(work, pitsearch, "report")
    run(work, pitsearch, "predict", OLD_BUNDLE, data)
    assert {"sheet.png", "report.html", "scores.csv", "studies.db"} <= {path.name for path in work.iterdir()}
