"""Every benchmark runs from end to end at a small scale, and its JSON holds what its tables show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import benchmarks
from benchmarks.__main__ import BENCHMARKS, main, markdown
from benchmarks.speed.ceiling import operations
from benchmarks.support.measure import Table
from search import defaults
from search.selection.confirm import ConfirmOptions
from tests.support.studies import SHORT, SMALL_SPACE

APP = typer.Typer()
APP.command()(main)
FEW = ConfirmOptions(top=1, repeats=2, reliability=0.5)


def one() -> int:
    return 1


# What benchmarks run over, cut down to one or two of a kind, where the smallest scale still takes a minute.
CUT: dict[str, object] = {
    "speed.throughput.CASES": (("minihip", 8, 28),),
    "speed.parts.NETWORKS": ("minihip",),
    "speed.compiled.NETWORKS": ("minihip",),
    "speed.load.WORKERS": (1, 2),
    "speed.cost.WORKERS": (1, 2),
    "speed.dashboard.THEIRS": ("a study",),
    "speed.cost.NETWORKS": ("minihip",),
    "speed.cost.COUNTS": (350,),
    "search.search_cost.SPACE": SMALL_SPACE,
    "search.search_cost.LADDER": SHORT,
    "search.search_cost.BEST": 1,
    "search.search_cost.AGAIN": 2,
    "search.pruning.SPACE": SMALL_SPACE,
    "search.fronts.SPACE": SMALL_SPACE,
    "search.fronts.LADDER": SHORT,
    "search.winners.SPACES": ("standard",),
    "search.shown.SHOWN": (2, 10),
    # In this process, for what is cut down here is not in others.
    "search.selected.cpu_count": one,
    "search.selected.TERMS": FEW,
    "search.selected.TRIALS": 3,
    "search.selected.UNSEEN": (1000,),
    "search.finals.cpu_count": one,
    "search.finals.TERMS": FEW,
    "statistics.coverage.cpu_count": one,
    "statistics.coverage.TRIALS": 3,
    "statistics.finding.CASES": ("minihip",),
}


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in CUT.items():
        monkeypatch.setattr(f"benchmarks.{place}", value)
    monkeypatch.setattr(defaults, "LADDER", SHORT)


@pytest.mark.slow
@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_prints_a_table_and_writes_json(name: str, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    result = CliRunner().invoke(APP, [name, "--out", str(out), "--rounds", "1", "--scale", "0.02"])
    assert result.exit_code == 0, result.output
    tables = json.loads(out.read_text())[name]["tables"]
    assert tables
    for table in tables:
        assert table["title"] in result.output.replace("\n", " ")
        assert table["rows"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_an_unknown_benchmark_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, ["speed", "--out", str(tmp_path / "results.json")])
    assert result.exit_code == 2


def test_operations_are_counted_as_by_hand() -> None:
    # minihip on 28 x 28 x 8: 3 x 3 convolutions to 32 channels on 28, 14, 7 and 3 pixels an edge, then 32 x 22 and 22 x 2.
    products = 9 * 32 * (784 * 8 + (196 + 49 + 9) * 32) + 32 * 22 + 22 * 2
    first = 9 * 32 * 784 * 8
    # Forward once, backward twice but for the images themselves, and a quarter of an image forward in validation.
    assert operations("minihip", 8, 28) == pytest.approx(2 * (3.25 * products - first), rel=1e-6)


def test_the_readme_shows_what_was_measured() -> None:
    folder = Path(benchmarks.__file__).parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert set(results) == set(BENCHMARKS)
    for name, result in results.items():
        for table in result["tables"]:
            assert markdown(Table(**table)) in readme, f"{name}: {table['title']}"
