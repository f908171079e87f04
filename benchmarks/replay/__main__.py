"""Replay policies on the recorded table and print their regret: `python -m benchmarks.replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.__main__ import markdown
from benchmarks.replay.policies import DEFAULT, Policy
from benchmarks.replay.replay import REPLICATIONS
from benchmarks.replay.report import MINUTES, replay_tables
from benchmarks.table.recorded import HERE, read_all
from search.errors import StudyError


def main(
    policies: Annotated[str, typer.Option(help="RULE/LADDER/SCORE/START, separated by spaces.")] = " ".join(DEFAULT),
    data_sets: Annotated[str, typer.Option(help="Separated by commas; all that are recorded by default.")] = "",
    minutes: Annotated[str, typer.Option(help="Budgets, separated by commas.")] = ",".join(map(str, MINUTES)),
    replications: Annotated[int, typer.Option(min=1, help="Of every policy, each in another order.")] = REPLICATIONS,
    tables: Annotated[Path, typer.Option(help="The folder of the Parquet files.")] = HERE,
) -> None:
    """Print for each data set the regret of policies over budgets."""
    try:
        recorded = read_all(tables)
        names = data_sets.split(",") if data_sets else list(recorded)
        if missing := [name for name in names if name not in recorded]:
            raise ValueError(f"a data set must be one of {', '.join(recorded)}, but got {missing[0]!r}; correct or collect it.")
        parsed = [Policy.parse(text) for text in policies.split()]
        budgets = [float(each) for each in minutes.split(",")]
        drawn = replay_tables(recorded, parsed, names, budgets, replications)
    except (ValueError, StudyError) as error:
        raise SystemExit(str(error)) from None
    typer.echo("\n".join(map(markdown, drawn)))


if __name__ == "__main__":
    typer.run(main)
