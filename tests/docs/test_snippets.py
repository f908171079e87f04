"""Every command and snippet of README and docs runs, in the order in which a reader of its page meets them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.exceptions import TyperException

from tests.support.commands import Runner
from tests.support.engines import Slurm
from tests.support.pages import LANGUAGES, STATES, Block, Page, page_names, read_page
from tests.support.processes import PATIENCE_S, make, wait_until
from tests.support.snippets import Reader, parse, trains, words_of

PAGES = page_names()
# Each page with a block that no test runs, and the reason that it gives.
NOT_RUN = {
    ("docs/clusters.md", "it needs a Dask scheduler with certificates; tests/faults/clusters.py launches over one on loopback"),
    ("docs/how-to/export.md", "it uploads to a server"),
    ("docs/how-to/gpu.md", "wants two GPUs"),
    ("docs/how-to/own-data.md", "the frames of a real scan are not in the repository"),
    ("docs/how-to/postgresql.md", "needs the administrator of a server"),
    ("docs/how-to/postgresql.md", "there is no server to take the password"),
    ("docs/how-to/postgresql.md", "there is no server"),
    ("docs/how-to/slurm.md", "docs/clusters.md runs these on a real SLURM"),
}
# Of the site: a list of pages, say.
DIRECTIVE = re.compile(r"\{[\w-]+\}.*")
RUNNING = [name for name in PAGES if any(block.runs for block in read_page(name).blocks)]


@pytest.fixture
def reader(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, request: pytest.FixtureRequest
) -> Reader:
    """Run blocks in the current folder, on a database of the test's own where they name one."""

    def database() -> str:
        url: str = request.getfixturevalue("postgres_url")
        return url

    return Reader(Runner(monkeypatch, capsys), monkeypatch, tmp_path, database)


def states_of_jobs(slurm: Slurm | None) -> dict[str, str]:
    """Give the state of every job that the cluster remembers, by its id."""
    return {} if slurm is None else dict(re.findall(r"JobId=(\d+)(?:.|\n)*?JobState=(\w+)", slurm.scontrol("show", "job")))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if trains(read_page(name)) else []) for name in RUNNING]
)
def test_the_blocks_of_a_page_run_as_they_stand(
    name: str, begin: Callable[[str], Path], reader: Reader, request: pytest.FixtureRequest
) -> None:
    page = read_page(name)
    wants_slurm = any("slurm" in block.text for block in page.blocks if block.runs)
    slurm: Slurm | None = request.getfixturevalue("slurm") if wants_slurm else None
    before = states_of_jobs(slurm)
    begin(page.starts_with or "nothing")
    reader.read(page)
    if slurm is not None:
        wait_until(lambda: not slurm.jobs(), "an empty queue", 5 * PATIENCE_S)
        # The launcher cancels jobs that it no longer needs.
        ended = {state for job, state in states_of_jobs(slurm).items() if job not in before}
        assert ended <= {"COMPLETED", "CANCELLED"}, slurm.scontrol("show", "job")


@pytest.mark.slow
def test_what_make_demo_runs_runs_in_small(begin: Callable[[str], Path], reader: Reader) -> None:
    recipe = make("demo", "--dry-run").replace(".venv/bin/", "")
    assert recipe.count("pitsearch ") == 6, recipe
    folder = begin("nothing")
    reader.read(Page("Makefile", "nothing", (Block("bash", recipe, 1),)))
    assert (folder / "demo" / "scores.csv").is_file()
    assert (folder / "studies.db").is_file()


def test_what_is_not_run_is_known() -> None:
    not_run = {(name, block.not_run) for name in PAGES for block in read_page(name).blocks if block.not_run is not None}
    assert not_run == NOT_RUN


@pytest.mark.parametrize("name", PAGES)
def test_every_block_names_its_language_and_every_page_what_it_starts_with(name: str) -> None:
    page = read_page(name)
    unknown = [block for block in page.blocks if block.language not in LANGUAGES and not DIRECTIVE.fullmatch(block.language)]
    assert [f"{name}:{block.line}: {block.language!r}" for block in unknown] == []
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
