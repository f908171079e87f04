"""Pictures of README and docs: one older than what it shows is refused, and README and tutorial show all of them."""

from __future__ import annotations

import io
import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.support.repository import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, which is in no package."""
    spec = spec_from_file_location("make_screenshots", ROOT / "docs" / "make_screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)  # its dataclasses look there for their annotations
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(script: ModuleType, tmp_path: Path) -> Path:
    """A checkout whose pictures are as new as what they show."""
    for picture in script.PICTURES:
        for pattern in picture.sources:
            shown = tmp_path / pattern.replace("*", "one")
            shown.parent.mkdir(parents=True, exist_ok=True)
            shown.write_text("shown")
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / picture.name).touch()
    hashes = {picture.name: script.hash_of(tmp_path, picture) for picture in script.PICTURES}
    (tmp_path / script.HASHES).write_text(json.dumps(hashes))
    return tmp_path


def test_the_pictures_of_the_repository_are_as_new_as_what_they_show(script: ModuleType) -> None:
    assert [picture.name for picture in script.stale(ROOT)] == []


def test_a_picture_is_stale_when_what_it_shows_changes_or_it_is_gone(
    script: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--check"], checkout) == 0
    figure = next((checkout / "search" / "report" / "figures").iterdir())
    figure.write_text("changed")
    assert script.stale(checkout) == [script.REPORT]
    figure.write_text("shown")
    (figure.parent / "another.py").write_text("new")
    assert script.stale(checkout) == [script.REPORT]
    assert script.main(["--check"], checkout) == 1
    assert capsys.readouterr().err.startswith("docs/report.png must be as new as what it shows (search/report/templates/page")
    (figure.parent / "another.py").unlink()
    (checkout / "docs" / script.TERMINAL.name).unlink()
    assert script.stale(checkout) == [script.TERMINAL]
    (checkout / script.HASHES).unlink()
    assert script.stale(checkout) == [*script.PICTURES]
    figure.unlink()
    with pytest.raises(FileNotFoundError, match="a picture must show files that are there, but got none; correct PICTURES"):
        script.stale(checkout)


def test_every_state_of_a_view_is_found_in_what_a_terminal_was_sent(script: ModuleType) -> None:
    sent = io.StringIO()
    console = Console(file=sent, force_terminal=True, width=40, color_system="truecolor")
    with Live(console=console, auto_refresh=False) as live:
        for number in range(3):
            table = Table("trial")
            table.add_row(f"[red]state {number}[/red]")
            live.update(table, refresh=True)
    states = script.states_of(sent.getvalue().replace("\n", "\r\n"))
    assert [re.findall(r"state \d", state) for state in states[:3]] == [["state 0"], ["state 1"], ["state 2"]]
    drawing = script.draw_terminal(states[1], "pitsearch <launch>")
    assert "state&#160;1" in drawing and "state&#160;2" not in drawing
    assert "pitsearch&#160;&lt;launch&gt;" in drawing
    assert re.findall(r"url\((?!#)[^)]*\)|(?:src|href)=", drawing) == []  # nothing of another place


def test_the_readme_or_the_tutorial_shows_every_picture(script: ModuleType) -> None:
    readme, tutorial = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/tutorial.md"))
    shown = [f"](docs/{picture.name})" in readme or f"]({picture.name})" in tutorial for picture in script.PICTURES]
    assert [picture.name for picture, is_shown in zip(script.PICTURES, shown, strict=True) if not is_shown] == []
