"""The `pitsearch` command: parses, calls and prints, and nothing more.

Exit codes: 0 success, 1 a refused input, 2 wrong use, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from search import defaults, options
from search.options import Data, MovedData, Storage, StudyName, Workers

# Where no terminal says how wide it is, tables keep this width and lines are not wrapped.
WIDE = 140
# Nor is any choice of `spaces`, for whoever looks for one with grep.
ONE_LINE = 250

app = typer.Typer(
    name="pitsearch",
    help="Find and keep the network that classifies etch pits best.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; print a refusal as it is and exit with 1."""
    try:
        app()
    except Exception as error:  # told apart below: what is no refusal goes on as it is
        from search.errors import refusal

        lines = refusal(error)
        if not lines:
            raise
        for line in lines:
            print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("stopped at once; finished trials are kept, the same command goes on", file=sys.stderr)
        raise SystemExit(130) from None


def _console(width: int = WIDE) -> Console:
    # Labels and file names are shown as they are, also those that look like rich's markup.
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    return console


def _say(text: str) -> None:
    _console().print(Text(text), soft_wrap=True)


@app.command(epilog="Example: pitsearch synth foils-demo --seed 1")
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
    from foils.synthetic import SyntheticFoils, scaled_counts, synthesise

    options = SyntheticFoils(seed=seed, difficulty=difficulty, frames=frames)
    synthesise(folder, options if pits is None else replace(options, counts=scaled_counts(pits)))
    _say(f"wrote {folder}; next: pitsearch check {folder}")


@app.command(epilog="Example: pitsearch check foils-demo --sheet foils-demo.png")
def check(
    data: Data,
    sheet: Annotated[Path | None, typer.Option(help="Also write a contact sheet of every label, as PNG.")] = None,
) -> None:
    """Report every fault of a data set, or sum it up."""
    from foils import load
    from search.tables import data_table

    loaded = load(data)
    _console().print(data_table(loaded))
    if sheet is not None:
        from foils.sheet import contact_sheet, save_sheet

        lights = [channel.name for channel in loaded.description.channels]
        pits = [pit.pit for pit in loaded.pits]
        save_sheet(contact_sheet(loaded.crops(), loaded.labels.tolist(), lights, names=pits, per_label=8), sheet)
        _say(f"wrote {sheet}")
    _say(f"no faults; next: pitsearch launch {data}")


@app.command(epilog="Example: pitsearch spaces angles --write mine.toml")
def spaces(
    space: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="A ready-made space, or a space file.")] = None,
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a new space file, to be changed.")] = None,
) -> None:
    """List every choice that a search has, or what one space varies."""
    from search.space_tables import choices_table, space_table
    from spaces.choosing import copy_space, find_space

    if write is not None:
        copy_space(space or defaults.SPACE, write)
        _say(f"wrote {write}; next: change it, then pitsearch launch DATA --space {write}")
    elif space is not None:
        _console().print(space_table(space, find_space(space)))
    else:
        _console(width=ONE_LINE).print(choices_table())


@app.command(epilog="Example: pitsearch launch foils-demo --trials 40 --minutes 30 --workers 2")
def launch(
    data: Data,
    trials: options.Trials = defaults.TRIALS,
    minutes: options.Minutes = None,
    workers: Workers = None,
    study: options.NewStudy = None,
    storage: Storage = defaults.STORAGE,
    space: options.Space = defaults.SPACE,
    fix: options.Fix = None,
    enqueue: options.Enqueue = None,
    seed: options.Seed = 0,
    holdout_slide: options.HoldoutSlide = None,
    holdout_share: options.HoldoutShare = defaults.HOLDOUT_SHARE,
    working_point: options.WorkingPoint = defaults.WORKING_POINT,
    pruner: options.Pruner = defaults.PRUNER,
    audit: options.Audit = defaults.AUDIT,
    ladder: options.Ladder = None,
    device: options.Device = defaults.DEVICE,
) -> None:
    """Search for the best network, or go on searching.

    A study of the same name goes on where it stopped. Ctrl-C once ends running trials after their epoch, twice at once.
    """
    from contextlib import nullcontext

    from foils import load
    from search.launching import launch as run
    from search.progress import LiveTable, PlainLines
    from search.status import summarise
    from search.tables import status_table
    from spaces.choosing import find_space, pin
    from spaces.known import read_known

    console = _console()
    watcher: LiveTable | PlainLines = LiveTable(console) if console.is_terminal else PlainLines(console)
    chosen, first = pin(find_space(space), fix or ()), read_known(enqueue) if enqueue else ()
    with watcher if isinstance(watcher, LiveTable) else nullcontext():
        launched = run(
            load(data),
            chosen,
            enqueue=first,
            trials=trials,
            minutes=minutes,
            workers=workers,
            study=study,
            storage=storage,
            seed=seed,
            holdout_slides=holdout_slide or (),
            holdout_share=holdout_share,
            working_point=working_point,
            ladder=ladder,
            pruner=pruner,
            audit=audit,
            device=device,
            watcher=watcher,
        )
    status = summarise(launched)
    if isinstance(watcher, PlainLines):
        console.print(status_table(status))
    if watcher.interrupted:
        _say("stopped; finished trials are kept, the same command goes on where it stopped")
        raise typer.Exit(130)
    _say(f"next: pitsearch select --study {launched.name}{_where(storage)}")


@app.command(epilog="Example: pitsearch status --study synthetic")
def status(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    trial: Annotated[int | None, typer.Option(min=0, help="Print this trial's configuration, for launch --enqueue.")] = None,
) -> None:
    """Show a study: trials, verdicts, best so far."""
    from search.launching import reap
    from search.status import known_text, summarise
    from search.studies import find_study
    from search.tables import status_table

    found = find_study(study, storage)
    if trial is not None:
        _say(known_text(found, trial).rstrip())
        return
    reap(found.optuna)
    _console().print(status_table(summarise(found)))


@app.command(epilog="Example: pitsearch select --study synthetic")
def select(
    study: StudyName = None, storage: Storage = defaults.STORAGE, data: MovedData = None, workers: Workers = None
) -> None:
    """Choose the model that converges best.

    Shows why each complete trial was kept or dropped, fixes the winner's threshold, and opens the held-out set once.
    """
    from search.selection import select as run
    from search.studies import find_study
    from search.tables import selection_table

    found = find_study(study, storage)
    _console().print(selection_table(run(found, data=data, workers=workers)))
    _say(f"next: pitsearch export --study {found.name}{_where(storage)} OUT/")


@app.command(epilog="Example: pitsearch importance --study synthetic")
def importance(study: StudyName = None, storage: Storage = defaults.STORAGE) -> None:
    """Say which axes mattered.

    For acceptance and, separately, for failing to learn; and how the uses of the lights compare.
    """
    from search.importance import importance as run
    from search.importance_tables import importance_table
    from search.lights import uses
    from search.studies import find_study

    found = find_study(study, storage)
    _console().print(importance_table(found.name, run(found), uses(found.optuna.get_trials(deepcopy=False))))


@app.command(epilog="Example: pitsearch curve foils-demo --shares 0.1,0.35,1 --out curve.html")
def curve(
    data: Data,
    study: Annotated[
        str | None, typer.Option(help="Take this study's best complete trial, not the sound recipe that searches start from.")
    ] = None,
    storage: Storage = defaults.STORAGE,
    shares: Annotated[str, typer.Option(help="Shares of each fold's training pits, commas between them.")] = ",".join(
        f"{share:g}" for share in defaults.SHARES
    ),
    repeats: Annotated[int, typer.Option(min=1, help="Cross-validations, each with fresh folds.")] = defaults.REPEATS,
    seed: Annotated[int, typer.Option(min=0, help="Held-out pits, folds, choices of pits and trainings follow from it.")] = 0,
    workers: Workers = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at the largest share of 1; fewer pits get more.")] = (
        defaults.CURVE_EPOCHS
    ),
    out: Annotated[Path, typer.Option(help="File for the figure: HTML that needs nothing else.")] = Path("curve.html"),
) -> None:
    """Draw a learning curve.

    Acceptance and reliability against the examples of each class; validation pits stay the same at every share.
    """
    from rich.progress import Progress

    from search.curve import Plot, draw_curve, parse_shares
    from search.curve_figure import write_figure
    from search.curve_subject import sound_subject, study_subject
    from search.curve_table import curve_table
    from search.studies import find_study

    given = parse_shares(shares)
    subject = sound_subject(data, seed) if study is None else study_subject(find_study(study, storage), data)
    plot = Plot(given, repeats, seed, epochs, subject.working_point)
    console = _console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("trainings", total=None)
        drawn = draw_curve(
            subject.data,
            subject.config,
            plot,
            workers=workers,
            done=lambda finished, of: progress.update(bar, completed=finished, total=of),
        )
    console.print(curve_table(drawn))
    write_figure(drawn, out)
    _say(f"wrote {out}; next: open it in a browser")


@app.command(epilog="Example: pitsearch export --study synthetic best/")
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the bundle.")],
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    data: MovedData = None,
    workers: Workers = None,
) -> None:
    """Write the selected model as a bundle.

    A new folder with weights, description and model card.
    """
    from search.exporting import check_new
    from search.exporting import export as run
    from search.selection import selected
    from search.studies import find_study

    check_new(out)
    run(selected(find_study(study, storage), data=data, workers=workers), out)
    _say(f"wrote {out}; next: pitsearch predict {out} DATA --out scores.csv")


@app.command(epilog="Example: pitsearch predict best/ foils-demo --out scores.csv")
def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that export wrote.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="File for the scores: pit,p_signal,accepted.")] = Path("scores.csv"),
    slide: Annotated[list[str] | None, typer.Option(help="Score only this slide; may be given again.")] = None,
) -> None:
    """Score the pits of a data set; labels are not needed."""
    from foils import load
    from models.bundle import read_bundle
    from search.predicting import predict as run
    from search.predicting import write_scores

    prediction = run(read_bundle(bundle), load(data, labelled=False), slides=slide or ())
    write_scores(prediction, out)
    _say(f"wrote {out}: {len(prediction.data)} pits, {int(prediction.accepted.sum())} accepted as signal")
    for line in prediction.remarks():
        _say(line)


@app.command(epilog="Example: pitsearch dashboard --port 8080")
def dashboard(
    storage: Storage = defaults.STORAGE, port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8080
) -> None:
    """Show the studies in Optuna's dashboard.

    Listens on 127.0.0.1 only.
    """
    import optuna_dashboard

    from search.errors import StudyError
    from search.studies import open_storage

    opened = open_storage(storage)
    _say(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)")
    try:
        optuna_dashboard.run_server(opened, host="127.0.0.1", port=port)
    except OSError as error:
        raise StudyError(f"port {port} must be free, but: {error.strerror}; choose another --port.") from None


def _where(storage: str) -> str:
    """Name a storage in a command to be typed next, unless it is the default; its password stays out of sight."""
    from sqlalchemy.engine import make_url

    return "" if storage == defaults.STORAGE else f" --storage {make_url(storage).render_as_string(hide_password=True)}"
