"""The `pitsearch` command: parses, calls and prints, and nothing more. Each module beside this one holds a group of commands.

Exit codes: 0 success, 1 a refused input, 2 wrong use, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from search.cli.choose import confirm, front, select
from search.cli.clusters import jobscript, storage_app, worker
from search.cli.console import Output
from search.cli.data import check, relabel, synth
from search.cli.foil import align, match
from search.cli.label_next import import_, merge, queue
from search.cli.once_command import OnceCommand
from search.cli.plugins import plugin_app
from search.cli.scanning import scan
from search.cli.search import dashboard, launch, spaces, status
from search.cli.understand import curve, diagnose, importance, report
from search.cli.use import export, predict

# Every command in the order of the help, under the heading of its group, with its example.
COMMANDS: dict[str, tuple[tuple[Callable[..., None], str], ...]] = {
    "Data": (
        (synth, "pitsearch synth foils-demo --seed 1"),
        (check, "pitsearch check foils-demo --sheet foils-demo.png"),
        (relabel, "pitsearch relabel foils-demo suspects.csv"),
        (import_, "pitsearch import pits/ --signal sig --out mydata"),
    ),
    "Search": (
        (spaces, "pitsearch spaces angles --write mine.toml"),
        (launch, "pitsearch launch foils-demo --trials 40 --minutes 30 --workers 2"),
        (status, "pitsearch status --study synthetic"),
        (dashboard, "pitsearch dashboard --port 8080"),
    ),
    "Choose": (
        (confirm, "pitsearch confirm --study synthetic --top 10 --repeats 5"),
        (front, "pitsearch front --study synthetic --out front.html"),
        (select, "pitsearch select --study synthetic"),
    ),
    "Understand": (
        (report, "pitsearch report --study synthetic --out report.html"),
        (importance, "pitsearch importance --study synthetic"),
        (curve, "pitsearch curve foils-demo --shares 0.1,0.35,1 --out curve.html"),
        (diagnose, "pitsearch diagnose --study synthetic --out suspects.csv"),
    ),
    "Use": (
        (export, "pitsearch export --study synthetic best/"),
        (predict, "pitsearch predict best/ foils-demo --out scores.csv"),
    ),
    "Foil": (
        (scan, "pitsearch scan best/ frames/ --out hits/"),
        (match, "pitsearch match hits/ truth.csv --radius 15 --out match.html"),
        (align, "pitsearch align front/ back/ --out pairs.csv"),
        (queue, "pitsearch queue best/ hits/hits.csv --n 100 --out queue"),
        (merge, "pitsearch merge foils-demo queue --labels labels.csv --out foils-more"),
    ),
    "Clusters": (
        (worker, "pitsearch worker --study synthetic --storage postgresql+psycopg://me@db/studies"),
        (jobscript, "pitsearch jobscript --cluster slurm --study synthetic --storage postgresql+psycopg://me@db/studies"),
    ),
}


class GroupedHelp(TyperGroup):
    """Show the commands under the headings of their groups. Typer does so only where rich draws its help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group, in the order of the commands; the columns of all sections line up."""
        width = max(len(name) for name in self.commands)
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            summary = command.get_short_help_str(formatter.width - 6 - width)
            sections.setdefault(heading, []).append((name.ljust(width), summary))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


app = typer.Typer(
    name="pitsearch",
    cls=GroupedHelp,
    help="Find and keep the network that classifies etch pits best.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def print_version(wanted: bool) -> None:
    """Print the version, and those of what results depend on, without importing any of it."""
    if wanted:
        from importlib.metadata import version
        from platform import python_version

        beneath = ", ".join(f"{name} {version(name)}" for name in ("torch", "optuna"))
        print(f"pitsearch {version('pitsearch')} (Python {python_version()}, {beneath})")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find and keep the network that classifies etch pits best."""


for group, commands in COMMANDS.items():
    for command, example in commands:
        # `import` is a word of Python's: its function ends in a mark.
        name = command.__name__.rstrip("_").replace("_", "-")
        app.command(name, cls=OnceCommand, epilog=f"Example: {example}", rich_help_panel=group)(command)
app.add_typer(storage_app, name="storage", rich_help_panel="Clusters")
app.add_typer(plugin_app, name="plugin", rich_help_panel="Search")


def main() -> None:
    """Run the command line; print a refusal as it is and exit with 1."""
    try:
        try:
            app()
        finally:
            Output(sys.stdout).flush()  # the interpreter's own flush would be too late for a line of ours
    except Exception as error:  # told apart below: what is no refusal goes on as it is
        from search.errors import refusal

        lines = refusal(error)
        if not lines:
            raise
        for line in lines:
            print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:  # outside any command; those end by Typer, or say themselves what is left
        raise SystemExit(130) from None
