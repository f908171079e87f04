"""The commands that use a model: export it as a bundle, score pits with one. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import counting, say, typed
from search.cli.options import Data, MovedData, Storage, StudyName, Workers
from search.cli.plugins import use_plugins
from search.errors import StudyError
from search.text import counted


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the bundle.")],
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    runs: options.MovedRuns = None,
    onnx: Annotated[bool, typer.Option(help="Write graphs, which run without pitsearch, and compare what they give.")] = True,
    licence: Annotated[
        str | None, typer.Option("--license", metavar="NAME", help="Licence that the model card names, e.g. cc-by-4.0.")
    ] = None,
    trial: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Write the model of this complete trial, not of the selected one.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Write the best N models that the selection kept, a folder each.")
    ] = None,
    data: MovedData = None,
    workers: Workers = None,
    bioimageio: Annotated[
        bool, typer.Option("--bioimageio", help="Write bioimageio.yaml too, a description for bioimage.io.")
    ] = False,
    plugin: options.Plugins = None,
) -> None:
    """Write the selected model as a bundle.

    Copies what select kept into a new folder: weights, description and model card. Adds graphs of it, model.onnx and, where it
    runs over whole frames, scan.onnx. Trains nothing; with --trial or --top it trains again what is no longer kept.
    """
    from search.selection.export import ExportOptions, check_new
    from search.selection.export import export as run
    from search.selection.pit_scores import CSV
    from search.studies.study import find_study

    use_plugins(plugin or ())
    check_new(out)
    if trial is not None and top is not None:
        raise StudyError(f"a model is named by --trial or by --top, but got both, {trial} and {top}; choose one.")
    handle, parts = find_study(study, storage), ExportOptions(onnx, licence, bioimageio)
    bundle = out
    if trial is not None:
        from search.selection.export_others import export_trial

        with counting() as progress:
            export_trial(handle, trial, out, parts, data=data, workers=workers, progress=progress)
        say(f"note: trial {trial} was not selected, and its held-out figures are not known; its card says so")
    elif top is not None:
        from search.selection.export_others import export_top

        with counting() as progress:
            bundle, *others = export_top(handle, top, out, parts, data=data, runs=runs, workers=workers, progress=progress)
        if len(others) + 1 < top:
            say(f"note: the selection kept {counted(len(others) + 1, 'trial')}, fewer than {top}")
    else:
        run(handle, out, parts, runs=runs)
    if not (bundle / CSV).exists():
        say("note: an older version kept this model without its scores and config.json; select again writes them")
    say(f"wrote {out}; next: {typed('pitsearch', 'predict', bundle, 'DATA', '--out', 'scores.csv')}")


def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that export wrote, or its model.onnx.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="File for the scores: pit,p_signal,accepted,foil,slide,x,y.")] = Path("scores.csv"),
    slide: Annotated[list[str] | None, typer.Option(help="Score only this slide; may be given again.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """Score the pits of a data set, or of a folder of images; labels are not needed."""
    from models.inference.bundle import read_bundle
    from search.report.out_files import try_out
    from search.selection.predict import predict as run
    from search.selection.predict import write_scores

    use_plugins(plugin or ())
    try_out(out)
    prediction = run(read_bundle(bundle), data, slides=slide or ())
    write_scores(prediction, out)
    say(f"wrote {out}: {len(prediction.data)} pits, {int(prediction.accepted.sum())} accepted as signal")
    for line in prediction.remarks():
        say(line)
