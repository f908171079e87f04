"""Every command and snippet of README and docs runs, in the order in which a reader of its page meets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.exceptions import TyperException

from tests.support.commands import Runner
from tests.support.engines import Slurm
from tests.support.pages import LANGUAGES, STATES, page_names, read_page
from tests.support.processes import PATIENCE_S, wait_until
from tests.support.snippets import Reader, parse, trains, words_of

PAGES = page_names()
RUNNING = [name for name in PAGES if any(block.runs for block in read_page(name).blocks)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if trains(read_page(name)) else []) for name in RUNNING]
)
def test_the_blocks_of_a_page_run_as_they_stand(
    name: str,
    begin: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    page = read_page(name)
    begin(page.starts_with or "nothing")
    wants_slurm = any("slurm" in block.text for block in page.blocks if block.runs)
    slurm: Slurm | None = request.getfixturevalue("slurm") if wants_slurm else None

    def database() -> str:
        url: str = request.getfixturevalue("postgres_url")
        return url

    Reader(Runner(monkeypatch, capsys), monkeypatch, tmp_path, database).read(page)
    if slurm is not None:
        wait_until(lambda: not slurm.jobs(), "an empty queue", 2 * PATIENCE_S)


@pytest.mark.parametrize("name", PAGES)
def test_every_block_names_its_language_and_every_page_what_it_starts_with(name: str) -> None:
    page = read_page(name)
    assert [f"{name}:{block.line}: {block.language!r}" for block in page.blocks if block.language not in LANGUAGES] == []
    assert page.starts_with in ((None,) if name not in RUNNING else STATES)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_parses_also_where_it_is_not_run(name: str) -> None:
    for block in read_page(name).blocks:
        if block.language == "bash" and block.file is None:
            for words in (words for command in block.commands for words in words_of(command)):
                parse(words)


@pytest.mark.parametrize(
    "command",
    [
        "pitsearch launch mydata --trails 40",
        "pitsearch launch mydata --trials many",
        "pitsearch lunch mydata",
        "pitsearch storage check",
        "mkdir a && pitsearch launch mydata --trails 40 | tee log.txt",
        "A=1 pitsearch synth",
        "if true; then pitsearch synth; fi",
    ],
)
def test_a_command_that_does_not_parse_is_seen(command: str) -> None:
    (words,) = words_of(command)
    with pytest.raises((KeyError, TyperException)):
        parse(words)
