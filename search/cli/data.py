"""The commands of data sets: write synthetic ones, check, correct labels. `search/cli/app.py` lists them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from search.cli.console import make_console, say, typed
from search.cli.options import Data


def synth(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the data set.")],
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it.")] = 0,
    pits: Annotated[int | None, typer.Option(min=40, help="Pits in all, classes in the real shares; 1393 by default.")] = None,
    difficulty: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 easy, 0.5 as on real foils, 1 hard.")] = 0.5,
    frames: Annotated[bool, typer.Option("--frames", help="Write whole slides, 640 x 480, instead of crops.")] = False,
) -> None:
    """Write a synthetic data set.

    Etched cones under ten lights, with the class counts of real foils.
    """
    from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise

    options = SyntheticFoils(seed=seed, difficulty=difficulty, frames=frames)
    synthesise(folder, options if pits is None else replace(options, counts=scaled_counts(pits)))
    say(f"wrote {folder}; next: {typed('pitsearch', 'check', folder)}")


def check(
    data: Data,
    sheet: Annotated[Path | None, typer.Option(help="Also write a contact sheet of every label, as PNG.")] = None,
) -> None:
    """Report every fault of a data set, or sum it up."""
    from foils import DataError, load
    from foils.readiness import background_note, obstacles
    from search import defaults
    from search.report.data_table import data_table
    from search.report.out_files import try_out
    from search.studies.learnable import unlearnable_data

    if sheet is not None:
        try_out(sheet, "--sheet")
    loaded = load(data)
    make_console().print(data_table(loaded))
    if sheet is not None:
        from foils.contact_sheet import contact_sheet, save_sheet

        lights = [channel.name for channel in loaded.description.channels]
        pits = [pit.pit for pit in loaded.pits]
        save_sheet(contact_sheet(loaded.crops(), loaded.labels.tolist(), lights, names=pits, per_label=8), sheet)
        say(f"wrote {sheet}")
    hopeless = unlearnable_data(loaded)
    for note in (*([hopeless] if hopeless is not None else []), *background_note(loaded, defaults.WORKING_POINT)):
        say(f"note: {note}")
    if lines := obstacles(loaded):
        raise DataError(lines)
    say(f"no faults; next: {typed('pitsearch', 'launch', data)}")


def relabel(
    data: Data,
    suspects: Annotated[Path, typer.Argument(metavar="SUSPECTS", help="What diagnose wrote, `corrected` filled in.")],
) -> None:
    """Correct the labels that a person filled in.

    Writes a new labels.csv and keeps the old one beside it.
    """
    from foils.relabel import relabel as run

    result = run(data, suspects)
    for correction in result.corrections:
        say(f"{correction.pit}: {correction.label} -> {correction.corrected}")
    confirmed = f", {result.confirmed} confirmed" if result.confirmed else ""
    changed = f"{len(result.corrections)} {'label' if len(result.corrections) == 1 else 'labels'} changed"
    say(f"wrote {data / 'labels.csv'}: {changed}{confirmed}; the old ones are in {result.kept}")
    say("the data's fingerprint is new, so studies of the old labels refuse it")
    say(f"next: {typed('pitsearch', 'launch', data, '--study', 'NEW')}")
