"""The commands around labelling what a scan found: import foreign pits. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search.cli.console import say, typed
from search.text import counted


def import_(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="File or folder that another program wrote.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="New folder for the data set.")],
    kind: Annotated[
        str | None,
        typer.Option(help="qmul, folders, csv, zooniverse, ome-tiff or zarr; told from the source where it is left out."),
    ] = None,
    signal: Annotated[str, typer.Option(metavar="LABEL", help="The label that is the signal.")] = "candidate",
    like: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Data set with the same lights; QMUL's rig where it is left out.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV with a row for each pit of a stack; of its name, beside it, else.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the images of a table are; beside the table, else.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Photographed from the back: turn images, and reorder their lights.")
    ] = False,
    share: Annotated[
        float, typer.Option(help="Share of the votes that the most frequent answer needs; pits with less are `maybe`.")
    ] = 0.7,
) -> None:
    """Write pits of another program as a data set.

    Reads QMUL's tables as NPZ or Parquet, folders of one class each, a CSV of paths, Zooniverse classifications, and stacks as
    OME-TIFF or Zarr.
    """
    from scan.importing.convert import import_pits
    from scan.importing.pit_table import ImportOptions

    options = ImportOptions(kind, signal, like, labels, images, mirrored, share)
    data, notes = import_pits(source, out, options)
    for note in (*notes, *data.notes):
        say(f"note: {note}")
    counts = ", ".join(f"{count} {label}" for label, count in data.counts().items())
    say(f"wrote {out}: {counted(len(data), 'pit')}: {counts}; next: {typed('pitsearch', 'check', out)}")
