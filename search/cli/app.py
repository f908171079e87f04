"""The `pitsearch` command: parses, calls and prints, and nothing more.

Exit codes: 0 success, 1 a refused input, 2 wrong use, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.clusters import jobscript, storage_app, worker
from search.cli.console import counting, make_console, on_stop, say, where
from search.cli.options import Data, MovedData, Storage, StudyName, Workers
from search.cli.reports import check, curve, dashboard, diagnose, front, importance, spaces, status

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
    except KeyboardInterrupt:  # outside any command; those end by Typer, or say themselves what is left
        raise SystemExit(130) from None


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
    say(f"wrote {folder}; next: pitsearch check {folder}")


def launch(
    data: Data,
    trials: options.Trials = defaults.TRIALS,
    minutes: options.Minutes = None,
    workers: options.LaunchWorkers = None,
    study: options.NewStudy = None,
    storage: Storage = defaults.STORAGE,
    space: options.Space = defaults.SPACE,
    scheme: options.Scheme = None,
    fix: options.Fix = None,
    enqueue: options.Enqueue = None,
    seed: options.Seed = 0,
    holdout_slide: options.HoldoutSlide = None,
    holdout_share: options.HoldoutShare = defaults.HOLDOUT_SHARE,
    working_point: options.WorkingPoint = defaults.WORKING_POINT,
    pruner: options.Pruner = defaults.PRUNER,
    audit: options.Audit = defaults.AUDIT,
    objectives: options.Objectives = defaults.OBJECTIVES,
    ladder: options.Ladder = None,
    devices: options.Devices = defaults.DEVICE,
    runs: options.Runs = None,
    cluster: options.ClusterName = None,
    jobs: options.Jobs = defaults.JOBS,
) -> None:
    """Search for the best network, or go on searching.

    A study of the same name goes on where it stopped. Ctrl-C once ends running trials after their epoch, twice at once.
    """
    from contextlib import nullcontext

    from foils import load
    from search.analysis.status import summarise
    from search.launcher.launch import launch as run
    from search.report.progress import LiveTable, PlainLines
    from search.report.tables import status_table
    from spaces.known_configs import read_known
    from spaces.named_spaces import find_space, pin

    console = make_console()
    watcher: LiveTable | PlainLines = LiveTable(console) if console.is_terminal else PlainLines(console)
    pins = [*(fix or ()), *([f"labelling={scheme}"] if scheme else [])]
    chosen, first = pin(find_space(space), pins), read_known(enqueue) if enqueue else ()
    kept = "finished trials are kept, the same command goes on"
    with on_stop(kept), watcher if isinstance(watcher, LiveTable) else nullcontext():
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
            objectives=objectives,
            devices=devices,
            runs=runs,
            cluster=cluster,
            jobs=jobs,
            watcher=watcher,
        )
    status = summarise(launched)
    if isinstance(watcher, PlainLines):
        console.print(status_table(status))
    if watcher.interrupted:
        say("stopped; finished trials are kept, the same command goes on where it stopped")
        raise typer.Exit(130)
    say(f"next: pitsearch select --study {launched.name}{where(storage)}")


def confirm(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    top: options.Top = defaults.TOP,
    repeats: options.Repeats = defaults.CONFIRMATIONS,
    reliability: options.Reliability = defaults.RELIABILITY,
    data: MovedData = None,
    workers: Workers = None,
) -> None:
    """Train the best configurations again.

    On fresh splits and seeds, as a race: what can no longer win is trained no further. The held-out set stays locked.
    """
    from search.report.selection_tables import race_table
    from search.selection.candidates import draw
    from search.selection.confirm import ConfirmOptions
    from search.selection.confirm import confirm as run
    from search.statistics.intervals import wilson
    from search.studies.study import find_study, study_data
    from search.trials.records import RungResult

    found, terms = find_study(study, storage), ConfirmOptions(top, repeats, reliability)
    loaded = study_data(found, data)
    with on_stop("finished repeats are kept, the same command goes on"), counting("repeats") as progress:
        race = run(found, terms, data=loaded, workers=workers, progress=progress)
    plan = found.plan
    drawn = {entrant.number: draw(entrant, plan, plan.search_set(loaded)) for entrant in race if entrant.repeats}
    searched = {entrant.number: wilson(*RungResult.demand(found.trial(entrant.number)).pooled) for entrant in race}
    make_console().print(race_table(found.name, race, searched, drawn, terms))
    say(f"next: pitsearch select --study {found.name}{where(storage)}")


def select(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    top: options.Top = defaults.TOP,
    repeats: options.Repeats = defaults.CONFIRMATIONS,
    reliability: options.Reliability = defaults.RELIABILITY,
    final: options.Final = defaults.FINAL,
    data: MovedData = None,
    runs: options.MovedRuns = None,
    workers: Workers = None,
) -> None:
    """Choose the model that converges best.

    Confirms the best trials, shows why each was kept or dropped, trains and keeps the winner, and opens the held-out set once.
    """
    from search.report.selection_tables import selection_table
    from search.selection.confirm import ConfirmOptions
    from search.selection.select import select as run
    from search.studies.study import find_study

    found, terms = find_study(study, storage), ConfirmOptions(top, repeats, reliability)
    with on_stop("finished repeats are kept, the same command goes on"), counting("repeats") as progress:
        selection = run(found, terms, final=final, data=data, runs=runs, workers=workers, progress=progress)
    make_console().print(selection_table(selection))
    say(f"next: pitsearch export --study {found.name}{where(storage)} OUT/")


def relabel(
    data: Data,
    suspects: Annotated[Path, typer.Argument(metavar="SUSPECTS", help="What diagnose wrote, `corrected` filled in.")],
) -> None:
    """Correct labels as a person filled them in.

    Writes a new labels.csv and keeps the old one beside it.
    """
    from foils.relabel import relabel as run

    done = run(data, suspects)
    for correction in done.corrections:
        say(f"{correction.pit}: {correction.label} -> {correction.corrected}")
    confirmed = f", {done.confirmed} confirmed" if done.confirmed else ""
    changed = f"{len(done.corrections)} {'label' if len(done.corrections) == 1 else 'labels'} changed"
    say(f"wrote {data / 'labels.csv'}: {changed}{confirmed}; the old ones are in {done.kept}")
    say("the data's fingerprint is new, so studies of the old labels refuse it")
    say(f"next: pitsearch launch {data} --study NEW")


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the bundle.")],
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    runs: options.MovedRuns = None,
) -> None:
    """Write the selected model as a bundle.

    Copies what select kept into a new folder: weights, description and model card. Trains nothing.
    """
    from search.selection.export import check_new
    from search.selection.export import export as run
    from search.studies.study import find_study

    check_new(out)
    run(find_study(study, storage), out, runs=runs)
    say(f"wrote {out}; next: pitsearch predict {out} DATA --out scores.csv")


def predict(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that export wrote.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="File for the scores: pit,p_signal,accepted.")] = Path("scores.csv"),
    slide: Annotated[list[str] | None, typer.Option(help="Score only this slide; may be given again.")] = None,
) -> None:
    """Score the pits of a data set; labels are not needed."""
    from foils import load
    from models.inference.bundle import read_bundle
    from search.selection.predict import predict as run
    from search.selection.predict import write_scores

    prediction = run(read_bundle(bundle), load(data, labelled=False), slides=slide or ())
    write_scores(prediction, out)
    say(f"wrote {out}: {len(prediction.data)} pits, {int(prediction.accepted.sum())} accepted as signal")
    for line in prediction.remarks():
        say(line)


# Every command in the order of the help, with its example.
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (synth, "pitsearch synth foils-demo --seed 1"),
    (check, "pitsearch check foils-demo --sheet foils-demo.png"),
    (spaces, "pitsearch spaces angles --write mine.toml"),
    (launch, "pitsearch launch foils-demo --trials 40 --minutes 30 --workers 2"),
    (status, "pitsearch status --study synthetic"),
    (confirm, "pitsearch confirm --study synthetic --top 5 --repeats 5"),
    (front, "pitsearch front --study synthetic --out front.html"),
    (select, "pitsearch select --study synthetic"),
    (importance, "pitsearch importance --study synthetic"),
    (curve, "pitsearch curve foils-demo --shares 0.1,0.35,1 --out curve.html"),
    (diagnose, "pitsearch diagnose --study synthetic --out suspects.csv"),
    (relabel, "pitsearch relabel foils-demo suspects.csv"),
    (export, "pitsearch export --study synthetic best/"),
    (predict, "pitsearch predict best/ foils-demo --out scores.csv"),
    (dashboard, "pitsearch dashboard --port 8080"),
    (worker, "pitsearch worker --study synthetic --storage postgresql+psycopg://me@db/studies"),
    (jobscript, "pitsearch jobscript --cluster slurm --study synthetic --storage postgresql+psycopg://me@db/studies"),
)

for command, example in COMMANDS:
    app.command(epilog=f"Example: {example}")(command)
app.add_typer(storage_app, name="storage")
