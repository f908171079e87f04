"""The commands that ask what a study teaches: report, importance, learning curve, diagnosis. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import counting, make_console, on_stop, say, typed
from search.cli.options import Data, MovedData, Storage, StudyName, Workers
from search.cli.plugins import use_plugins

# As they are typed.
SHARES = ",".join(f"{share:g}" for share in defaults.SHARES)


def report(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    data: MovedData = None,
    out: Annotated[Path, typer.Option(help="File for the report: HTML that needs nothing else.")] = Path("report.html"),
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures as PDF and PNG, for a note; needs pitsearch[figures].")
    ] = None,
    plugin: options.Plugins = None,
) -> None:
    """Show all of a study on one page.

    The answer, the data, the search, the winner, and how to repeat it, as figures and sentences; also while it runs.
    """
    from search.report.note_figures.files import check_installed, write_note_figures
    from search.report.out_files import try_out
    from search.report.study_report import write_report
    from search.report.subject import read_subject
    from search.studies.study import find_study

    use_plugins(plugin or ())
    try_out(out)
    if figures is not None:
        check_installed()
    sections = write_report(read_subject(find_study(study, storage, whole=False), data), out)
    for section in sections:
        for warning in section.warnings:
            say(f"{section.title}: {warning}")
    if figures is not None:
        with counting() as step:
            step.begin("figures")
            paths = write_note_figures(sections, figures, step)
        say(f"wrote {len(paths)} files of figures into {figures}")
    say(f"wrote {out}; next: open it in a browser")


def importance(study: StudyName = None, storage: Storage = defaults.STORAGE) -> None:
    """Say which axes mattered.

    For acceptance and, separately, for failing to learn; and how the uses of the lights compare.
    """
    from search.analysis.importance import importance as run
    from search.analysis.light_usage import uses
    from search.report.importance_tables import importance_table
    from search.studies.study import find_study

    handle = find_study(study, storage)
    make_console().print(importance_table(handle.name, run(handle), uses(handle.optuna.get_trials(deepcopy=False))))


def curve(
    data: Data,
    study: Annotated[str | None, typer.Option(help="Take this study's best complete trial, not the sound recipe.")] = None,
    storage: Storage = defaults.STORAGE,
    shares: Annotated[str, typer.Option(help="Shares of each fold's training pits, commas between them.")] = SHARES,
    repeats: Annotated[int, typer.Option(min=1, help="Cross-validations, each with fresh folds.")] = defaults.REPEATS,
    seed: Annotated[int, typer.Option(min=0, help="Folds, choices of pits and trainings follow from it.")] = 0,
    workers: Workers = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at a share of 1; smaller shares get more.")] = (
        defaults.CURVE_EPOCHS
    ),
    out: Annotated[Path, typer.Option(help="File for the figure: HTML that needs nothing else.")] = Path("curve.html"),
) -> None:
    """Draw a learning curve.

    Acceptance and reliability against the examples of each class; validation pits stay the same at every share.
    """
    from foils import load
    from search.analysis.learning_curve_setup import learning_curve, parse_shares
    from search.report.learning_curve_figure import write_figure
    from search.report.learning_curve_table import curve_table
    from search.report.out_files import try_out
    from search.studies.study import find_study

    sizes = parse_shares(shares)
    try_out(out)
    subject, folder = (load(data), None) if study is None else (find_study(study, storage), data)
    with on_stop("finished trainings are kept, the same command goes on"), counting() as step:
        learned_curve = learning_curve(
            subject, data=folder, shares=sizes, repeats=repeats, seed=seed, epochs=epochs, workers=workers, progress=step
        )
    make_console().print(curve_table(learned_curve))
    write_figure(learned_curve, out)
    say(f"wrote {out}; next: open it in a browser")


def diagnose(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    data: MovedData = None,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Diagnose this trial, not the selected one or, before a selection, the best.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Cross-validations on the study's own split.")] = defaults.DIAGNOSIS_SEEDS,
    repeats: Annotated[int, typer.Option(min=1, help="Cross-validations on fresh splits.")] = defaults.DIAGNOSIS_REPEATS,
    workers: Workers = None,
    out: Annotated[Path, typer.Option(help="File for the suspects; a page of their images goes beside it.")] = Path(
        "suspects.csv"
    ),
    plugin: options.Plugins = None,
) -> None:
    """Say whether failures and low scores follow the data or the seed.

    Tests folds against seeds, slides and labelling styles, and lists suspect pits.
    """
    from search.analysis.diagnose import diagnose as run
    from search.report.diagnosis_tables import diagnosis_table
    from search.report.suspect_files import check_out, write_suspects
    from search.studies.study import find_study

    use_plugins(plugin or ())
    check_out(out)
    study_of_name = find_study(study, storage)
    with on_stop("finished cross-validations are kept, the same command goes on"), counting() as step:
        diagnosis = run(study_of_name, data=data, trial=trial, seeds=seeds, repeats=repeats, workers=workers, progress=step)
    make_console().print(diagnosis_table(diagnosis))
    subject = diagnosis.subject
    page = write_suspects(diagnosis.labels.suspects, subject.data, out, f"Suspect pits: {subject.what}")
    out = page.with_suffix(out.suffix)
    then = typed("pitsearch", "relabel", subject.data.folder, out)
    say(f"wrote {out} and {page}; next: look at the page, fill in `corrected` where a label is wrong, then {then}")
