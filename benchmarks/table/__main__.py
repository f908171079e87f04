"""Record the table and make its Parquet files: `python -m benchmarks.table record FOLDER`, then `collect FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from joblib import cpu_count

from benchmarks.table.collect import Pits
from benchmarks.table.collect import collect as collect_trainings
from benchmarks.table.data_sets import DATA_SETS, read
from benchmarks.table.record import COUNT, record_missing
from benchmarks.table.recorded import HERE

app = typer.Typer(add_completion=False)


@app.callback()
def _app() -> None:
    """Record whole trainings, so that policies of searching can be judged by replay."""


@app.command()
def record(
    folder: Annotated[Path, typer.Argument(help="Where data sets and trainings are kept.")],
    names: Annotated[str, typer.Option(help="Data sets, separated by commas.")] = ",".join(DATA_SETS),
    minutes: Annotated[float, typer.Option(help="After which no further training begins.")] = 180.0,
    count: Annotated[int, typer.Option(help="Of configurations on each data set.")] = COUNT,
    workers: Annotated[int, typer.Option(help="Processes, of a thread each.")] = cpu_count(),
    table: Annotated[Path, typer.Option(help="The Parquet files so far: what they hold is not recorded again.")] = HERE,
) -> None:
    """Train what is missing; run again, it goes on. BENCHMARK_DATA names the folder of the craters."""
    try:
        for (name, number, seed), seconds in record_missing(folder, table, names.split(","), count, workers, 60 * minutes):
            typer.echo(f"{name} {number} seed {seed}: {seconds:.1f} s")
    except ValueError as error:
        raise SystemExit(str(error)) from None


@app.command()
def collect(
    folder: Annotated[Path, typer.Argument(help="Where `record` kept data sets and trainings.")],
    names: Annotated[str, typer.Option(help="Data sets, separated by commas.")] = ",".join(DATA_SETS),
    out: Annotated[Path, typer.Option(help="Where the Parquet files are written.")] = HERE,
) -> None:
    """Add what is recorded so far to the Parquet files. BENCHMARK_DATA names the folder of the craters."""
    for name in names.split(","):
        try:
            count = collect_trainings(folder, name, Pits.of(read(name, folder)), out)
        except ValueError as error:
            raise SystemExit(str(error)) from None
        typer.echo(f"{name}: {count} trainings")


if __name__ == "__main__":
    app()
