"""The public names: small, listed once, typed, and each does from Python what its command does."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from importlib import import_module

import pytest

import pitsearch as ps
from pitsearch.location import PACKAGES
from tests.support.repository import ROOT

NAMES = {
    "foils": {
        "Channel",
        "DataError",
        "Dataset",
        "Pit",
        "Stage",
        "SyntheticFoils",
        "grid_stage",
        "load",
        "read_stage",
        "relabel",
        "synthesise",
    },
    "spaces": {
        "Config",
        "FeaturePlugin",
        "LossPlugin",
        "NetworkPlugin",
        "OptimiserPlugin",
        "Plugin",
        "Range",
        "SchemePlugin",
        "Space",
        "SpaceError",
        "use_plugin",
    },
    "models": {"Bundle", "BundleError", "Ensemble", "read_bundle"},
    "scan": {
        "ExpectedOptions",
        "Hit",
        "ImportOptions",
        "Positions",
        "Scan",
        "ScanError",
        "ScanOptions",
        "compare",
        "import_source",
        "line_up",
        "merge",
        "read_hits",
        "read_places",
        "scan",
        "write_queue",
    },
    "search": {
        "Budget",
        "Callback",
        "Cluster",
        "ConfirmOptions",
        "ExportOptions",
        "Holdout",
        "Ladder",
        "Processes",
        "SearchOptions",
        "Study",
        "StudyError",
        "confirm",
        "diagnose",
        "export",
        "export_top",
        "export_trial",
        "importance",
        "launch",
        "log_to",
        "learning_curve",
        "pareto_front",
        "predict",
        "select",
        "summarise",
    },
}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_gives_its_names_and_the_facade_gives_the_same(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) == set(dir(module)) == NAMES[package]
    for name in NAMES[package]:
        assert getattr(module, name) is getattr(ps, name)
        assert getattr(ps, name).__doc__


def test_the_facade_has_no_other_names() -> None:
    assert set(dir(ps)) == {"PitsearchError", "__version__"}.union(*NAMES.values())
    assert ps.__version__.count(".") == 2
    with pytest.raises(AttributeError, match=r"^module 'pitsearch' has no attribute 'lanch'; its names are PitsearchError, "):
        _ = ps.lanch  # type: ignore[attr-defined]  # a slip of the pen


@pytest.mark.parametrize("package", ["pitsearch", *PACKAGES])
def test_types_are_installed_with_the_package(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert (ROOT / package / "__init__.pyi").is_file()


def test_importing_the_facade_imports_nothing_heavy() -> None:
    code = "import sys, pitsearch; dir(pitsearch); sys.exit(bool({'torch', 'optuna', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["DataError", "SpaceError", "BundleError", "StudyError"])
def test_every_refusal_is_a_pitsearch_error_in_other_processes_too(name: str) -> None:
    error = getattr(ps, name)("a rule; a remedy.")
    assert isinstance(error, ps.PitsearchError)
    assert isinstance(error, ValueError)
    assert str(pickle.loads(pickle.dumps(error))) == "a rule; a remedy."  # noqa: S301  # what loky does


def test_the_page_on_python_lists_every_public_name() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `") or line.startswith("| |")]
    owner, listed = "", dict[str, set[str]]()
    for package, names in rows:
        owner = package.strip(" `") or owner
        listed.setdefault(owner, set()).update(re.findall(r"`(\w+)`", names))
    assert listed == {**NAMES, "pitsearch": {"PitsearchError"}}
