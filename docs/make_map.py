"""Write docs/map.md: a table for every folder of code, a line for every module, from the modules' docstrings.

`python docs/make_map.py` writes the page; with `--check` it writes nothing and fails where the page is stale. Imports none of
the modules: it parses them.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In the order of the page; a folder that is missing is passed over.
FOLDERS = ("foils", "spaces", "models", "scan", "search", "pitsearch", "benchmarks")
# A package's own page line is the introduction of its table; `python -m` has nothing to tell.
LEFT_OUT = ("__init__.py", "__main__.py")
HEAD = """# Map

`python docs/make_map.py` writes this page from the first line of each module's docstring. Do not edit it by hand.
"""
REMEDY = "docs/map.md must match the docstrings of the modules, but it does not; run `python docs/make_map.py`."


def summary(path: Path) -> str:
    """Give the first line of a module's docstring, ready for a table; empty where there is none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].strip().replace("|", "\\|")


def packages(root: Path) -> Iterator[Path]:
    """Give every folder with Python files, each package before the folders within it."""
    for name in FOLDERS:
        yield from sorted({path.parent for path in (root / name).rglob("*.py")})


def table(root: Path, package: Path) -> str:
    """Lay out one folder: its introduction, and its modules where it has any."""
    init = package / "__init__.py"
    lines = [f"## {package.relative_to(root).as_posix()}", ""]
    introduction = summary(init) if init.is_file() else ""
    if introduction:
        lines += [introduction, ""]
    modules = [path for path in sorted(package.glob("*.py")) if path.name not in LEFT_OUT]
    if modules:
        lines += ["| file | what it does |", "| --- | --- |"]
        lines += [f"| `{path.relative_to(root).as_posix()}` | {summary(path)} |" for path in modules]
        lines.append("")
    return "\n".join(lines)


def make_map(root: Path) -> str:
    """Lay out the whole page."""
    return "\n".join([HEAD, *(table(root, package) for package in packages(root))])


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the page, or check it; give the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/map.md from the docstrings of the modules.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is stale")
    page, text = root / "docs" / "map.md", make_map(root)
    if not parser.parse_args(arguments).check:
        page.write_text(text, encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return 0
    print(REMEDY, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
