"""Run the benchmarks, print their tables, write them as JSON: `python -m benchmarks [NAME ...]`, or `make bench` for all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Annotated

import rich.box
import typer
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.replay import report as replay
from benchmarks.scale import report as scale_report
from benchmarks.search import anomaly, finals, fronts, losses, pruning, selected, shown, winners
from benchmarks.search import search_cost as search
from benchmarks.speed import checkpoints, compiled, cost, dashboard, load, parts, scanning, storage, throughput
from benchmarks.speed import report as study_report
from benchmarks.statistics import coverage, diagnosis, finding, fitted_coverage, reliability, verdicts
from benchmarks.support.measure import Table, machine
from benchmarks.table.recorded import is_there

BENCHMARKS: dict[str, Callable[[int, float], list[Table]]] = {
    "throughput": throughput.measure,
    "parts": parts.measure,
    "compiled": compiled.measure,
    "load": load.measure,
    "storage": storage.measure,
    "dashboard": dashboard.measure,
    "checkpoints": checkpoints.measure,
    "cost": cost.measure,
    "scanning": scanning.measure,
    "report": study_report.measure,
    "scale": scale_report.measure,
    "search": search.measure,
    "pruning": pruning.measure,
    "fronts": fronts.measure,
    "losses": losses.measure,
    "shown": shown.measure,
    "winners": winners.measure,
    "coverage": coverage.measure,
    "fitted_coverage": fitted_coverage.measure,
    "finals": finals.measure,
    "selected": selected.measure,
    "reliability": reliability.measure,
    "diagnosis": diagnosis.measure,
    "verdicts": verdicts.measure,
    "finding": finding.measure,
    "anomaly": anomaly.measure,
    **({"replay": replay.measure} if is_there() else {}),
}


def markdown(table: Table) -> str:
    """Write a table as Markdown that is also readable as it stands."""
    drawn = RichTable(*table.columns, box=rich.box.MARKDOWN, pad_edge=True)
    for row in table.rows:
        drawn.add_row(*row)
    console = Console(width=400, file=StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(drawn, highlight=False, markup=False)
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    return "\n".join([f"**{table.title}**", "", *lines, "", *table.notes, *[""] * bool(table.notes)])


def main(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Of {', '.join(BENCHMARKS)}; all by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The JSON file; what it holds of other benchmarks stays.")] = Path(
        "benchmarks/results.json"
    ),
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each measurement.")] = 5,
    scale: Annotated[float, typer.Option(min=0.01, help="Of pits, epochs and trials; small for a quick look.")] = 1.0,
) -> None:
    """Measure, print, and write JSON."""
    results = json.loads(out.read_text()) if out.is_file() else {}
    for name in names or BENCHMARKS:
        if name == "replay" and name not in BENCHMARKS:
            raise typer.BadParameter("replay wants the recorded table, but benchmarks/table holds none; collect it first.")
        if name not in BENCHMARKS:
            raise typer.BadParameter(f"a benchmark must be one of {', '.join(BENCHMARKS)}, but got {name!r}; correct it.")
        machine_now, started = machine(), time.perf_counter()
        tables = BENCHMARKS[name](rounds, scale)
        typer.echo("\n".join(map(markdown, tables)))
        results[name] = {
            "machine": machine_now,
            "rounds": rounds,
            "scale": scale,
            "seconds": round(time.perf_counter() - started),
            "tables": [asdict(table) for table in tables],
        }
        out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
