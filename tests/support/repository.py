"""Checks of a checkout that its tests run: every function takes the root, so that a test can plant a fault in a copy."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[2]
PACKAGES = ("pitsearch", "foils", "spaces", "models", "scan", "search")
# No file is longer.
MOST_LINES = 300


def modules(root: Path, package: str) -> list[Path]:
    """List the Python files of a package, at every depth."""
    return sorted((root / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Give the top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def imports_of_tests(root: Path) -> list[str]:
    """List the imports, in files under tests/, of another test file or of a conftest."""
    lines = []
    for path in modules(root, "tests"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module or ''}.{name}" for name in names]
            parts = {part for name in names for part in name.split(".")}
            if any(part == "conftest" or part.startswith("test_") for part in parts):
                lines.append(f"{path.relative_to(root)}:{node.lineno}")  # type: ignore[attr-defined]  # an import has a line
    return lines


def undocumented(root: Path, package: str) -> list[str]:
    """List the modules and the public functions and classes of a package that have no docstring."""
    names = []
    for path in modules(root, package):
        tree, place = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(root))
        if not ast.get_docstring(tree):
            names.append(place)
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):  # type: ignore[arg-type]  # narrowed in `public`
                names.append(f"{place}: {node.name}")  # type: ignore[attr-defined]
    return names


def too_long(root: Path, package: str) -> list[str]:
    """List the files of a package that have more than MOST_LINES lines."""
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(root, package)}
    return [f"{path.relative_to(root)}: {count}" for path, count in counts.items() if count > MOST_LINES]


def not_installed(root: Path, include: list[str]) -> list[str]:
    """List the folders with Python files that an installation with these patterns would leave out."""
    folders = {path.parent for package in PACKAGES for path in modules(root, package)}
    installed = {name.replace(".", "/") for name in find_packages(str(root), include=include)}
    return sorted(str(folder.relative_to(root)) for folder in folders if str(folder.relative_to(root)) not in installed)


def copy_packages(root: Path, into: Path) -> None:
    """Copy the packages and their contracts, to plant faults in."""
    for package in PACKAGES:
        shutil.copytree(root / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", into)


def broken_contracts(root: Path) -> str:
    """Run import-linter over a checkout and give what it prints where a contract is broken; empty where all are kept."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr
