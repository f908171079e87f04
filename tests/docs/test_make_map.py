"""The map of files: every module of every folder is on it, and a stale page is refused."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, which is in no package."""
    spec = spec_from_file_location("make_map", ROOT / "docs" / "make_map.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_page_is_stale_when_a_docstring_or_a_file_changes(script: ModuleType, tmp_path: Path) -> None:
    room = tmp_path / "search" / "trials"
    room.mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (room / "__init__.py").write_text('"""What a trial records."""\n')
    (room / "ladder.py").write_text('"""Rungs of folds and epochs."""\n')
    assert script.main(["--check"], tmp_path) == 1
    assert script.main([], tmp_path) == 0
    assert script.main(["--check"], tmp_path) == 0
    page = (tmp_path / "docs" / "map.md").read_text()
    assert "| `search/trials/ladder.py` | Rungs of folds and epochs. |" in page
    (room / "ladder.py").write_text('"""Rungs, climbed one by one."""\n')
    assert script.main(["--check"], tmp_path) == 1
    assert script.main([], tmp_path) == 0
    (room / "records.py").write_text('"""Records."""\n')
    assert script.main(["--check"], tmp_path) == 1


def test_the_map_of_the_repository_is_up_to_date(script: ModuleType) -> None:
    assert script.main(["--check"]) == 0
