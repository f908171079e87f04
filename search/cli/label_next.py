"""The commands that bring new labels into a data set: queue, merge, import. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search.cli import options
from search.cli.console import say, typed
from search.cli.options import Data
from search.cli.plugins import use_plugins
from search.text import counted


def queue(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that export wrote, or its model.onnx.")],
    hits: Annotated[Path, typer.Argument(metavar="HITS", help="hits.csv or hits.parquet that scan wrote.")],
    out: Annotated[Path, typer.Option(help="New folder for the queue.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Hits that are to be looked at.")] = 100,
    frames: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the frames, if not the one that the scan names.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DATA", help="The labelled data so far: hits unlike it are chosen, and none of it.")
    ] = None,
    background: Annotated[str, typer.Option(metavar="LABEL", help="The label that the key n gives.")] = "misc",
    plugin: options.Plugins = None,
) -> None:
    """Choose the hits that are worth labelling.

    Writes a data set without labels, and the page to label it in.
    """
    from foils import load
    from models.inference.bundle import read_bundle
    from scan.queue import PAGE, write_queue

    use_plugins(plugin or ())
    seen = None if data is None else load(data)
    written = write_queue(read_bundle(bundle), hits, out, n, frames=frames, seen=seen, background=background)
    counts = ", ".join(f"{count} {why}" for why, count in written.counts.items())
    say(f"wrote {out}: {sum(written.counts.values())} of {counted(written.hits, 'hit')}: {counts}")
    if written.passed_over:
        say(f"{counted(written.passed_over, 'hit')} of the lowest scores passed over")
    say(f"label them in {out / PAGE}, and download labels.csv")
    say(f"next: {typed('pitsearch', 'merge', data or 'DATA', out, '--labels', 'labels.csv', '--out', 'NEW')}")


def merge(
    data: Data,
    queue: Annotated[Path, typer.Argument(metavar="QUEUE", help="Folder that queue wrote.")],
    out: Annotated[Path, typer.Option(help="New folder for the data set.")],
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="labels.csv that the page downloaded, if it is not in QUEUE.")
    ] = None,
    style: Annotated[str | None, typer.Option(help="The labelling campaign; the queue's name by default.")] = None,
) -> None:
    """Add labelled hits to a data set, in a new folder."""
    from scan.merging import merge as run

    merged = run(data, queue, out, style=style, labels=labels)
    for pit, other in merged.known:
        conflict = f", labelled {pit.label} here and {other.label} there" if pit.label != other.label else ""
        say(f"left out {pit.pit}: it shows the plastic of {other.pit}{conflict}")
    say(f"wrote {out}: {counted(len(merged.added), 'pit')} added, {merged.unlabelled} without a label left out")
    say(f"next: {typed('pitsearch', 'launch', out)}")


def import_(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Tables, a folder of classes, a CSV, or a stack.")],
    out: Annotated[Path, typer.Option(help="New folder for the data set.")],
    kind: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="guessed", help="tables, folders, csv, zooniverse or stack."),
    ] = None,
    signal: Annotated[str, typer.Option(metavar="LABEL", help="The label that is the signal.")] = "candidate",
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Images of the back: mirror them, and reorder the lights.")
    ] = False,
    lights: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of a foil.toml that describes the lights, if not QMUL's.")
    ] = None,
    pixel_um: Annotated[float | None, typer.Option(min=0.001, help="The edge of a pixel, in micrometres.")] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table with a row for each crop of a stack; labels.csv beside it.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the images that Zooniverse's subjects name.")
    ] = None,
    votes: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least share of a subject's votes that gives a label.")] = 0.6,
) -> None:
    """Convert tables, folders or stacks of pits into a data set."""
    from scan.importing.run import ImportOptions, import_source

    options = ImportOptions(kind, signal, mirrored, pixel_um, lights, labels, images, votes)
    imported = import_source(source, out, options)
    for note in (*imported.notes, *imported.data.notes):
        say(f"note: {note}")
    say(f"wrote {out}: {counted(len(imported.data), 'pit')} of {imported.kind}")
    say(f"next: {typed('pitsearch', 'check', out)}")
