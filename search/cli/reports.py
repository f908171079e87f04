"""The commands that only report: they read a data set or a study, print, and draw. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli.console import ONE_LINE, counting, make_console, on_stop, say
from search.cli.options import Data, MovedData, Storage, StudyName, Workers

# As they are typed.
SHARES = ",".join(f"{share:g}" for share in defaults.SHARES)


def check(
    data: Data,
    sheet: Annotated[Path | None, typer.Option(help="Also write a contact sheet of every label, as PNG.")] = None,
) -> None:
    """Report every fault of a data set, or sum it up."""
    from foils import load
    from search.report.tables import data_table

    loaded = load(data)
    make_console().print(data_table(loaded))
    if sheet is not None:
        from foils.contact_sheet import contact_sheet, save_sheet

        lights = [channel.name for channel in loaded.description.channels]
        pits = [pit.pit for pit in loaded.pits]
        save_sheet(contact_sheet(loaded.crops(), loaded.labels.tolist(), lights, names=pits, per_label=8), sheet)
        say(f"wrote {sheet}")
    say(f"no faults; next: pitsearch launch {data}")


def spaces(
    space: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="A ready-made space, or a space file.")] = None,
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a new space file, to be changed.")] = None,
) -> None:
    """List every choice that a search has, or what one space varies."""
    from search.report.space_tables import choices_table, space_table
    from spaces.named_spaces import copy_space, find_space

    if write is not None:
        copy_space(space or defaults.SPACE, write)
        say(f"wrote {write}; next: change it, then pitsearch launch DATA --space {write}")
    elif space is not None:
        make_console().print(space_table(space, find_space(space)))
    else:
        make_console(width=ONE_LINE).print(choices_table())


def status(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    trial: Annotated[int | None, typer.Option(min=0, help="Print this trial's configuration, for launch --enqueue.")] = None,
) -> None:
    """Show a study: trials, verdicts, best so far."""
    from search.analysis.status import known_text, summarise
    from search.report.tables import status_table
    from search.storage.leases import requeue_stale_trials
    from search.studies.study import find_study

    found = find_study(study, storage)
    if trial is not None:
        say(known_text(found, trial).rstrip())
        return
    requeue_stale_trials(found.backend, found.id)
    make_console().print(status_table(summarise(found)))


def importance(study: StudyName = None, storage: Storage = defaults.STORAGE) -> None:
    """Say which axes mattered.

    For acceptance and, separately, for failing to learn; and how the uses of the lights compare.
    """
    from search.analysis.importance import importance as run
    from search.analysis.light_usage import uses
    from search.report.importance_tables import importance_table
    from search.studies.study import find_study

    found = find_study(study, storage)
    make_console().print(importance_table(found.name, run(found), uses(found.optuna.get_trials(deepcopy=False))))


def front(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    out: Annotated[Path, typer.Option(help="File for the figure: HTML that needs nothing else.")] = Path("front.html"),
) -> None:
    """Draw the Pareto front of a study with two objectives.

    Acceptance against rejection, or against the cost of inference, as a table and as a figure.
    """
    from search.report.pareto_figure import write_figure
    from search.report.pareto_table import front_table
    from search.studies.pareto import pareto_trials
    from search.studies.study import find_study
    from search.trials.objectives import second_of

    found = find_study(study, storage)
    plan = found.plan
    shown = pareto_trials(found.optuna.get_trials(deepcopy=False), plan)
    second = second_of(plan.options.objectives)
    assert second is not None  # members has checked it
    make_console().print(front_table(second, [member for member in shown if member.on_front]))
    write_figure(found.name, second, plan.options.working_point, shown, out)
    say(f"wrote {out}; next: open it in a browser")


def curve(
    data: Data,
    study: Annotated[
        str | None, typer.Option(help="Take this study's best complete trial, not the sound recipe that searches start from.")
    ] = None,
    storage: Storage = defaults.STORAGE,
    shares: Annotated[str, typer.Option(help="Shares of each fold's training pits, commas between them.")] = SHARES,
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
    from search.analysis.learning_curve import Plot, draw_curve, parse_shares
    from search.analysis.learning_curve_setup import sound_subject, study_subject
    from search.report.learning_curve_figure import write_figure
    from search.report.learning_curve_table import curve_table
    from search.studies.study import find_study

    given = parse_shares(shares)
    subject = sound_subject(data, seed) if study is None else study_subject(find_study(study, storage), data)
    plot = Plot(given, repeats, seed, epochs, subject.working_point)
    with on_stop("nothing of the curve is kept, the same command begins anew"), counting("trainings") as done:
        drawn = draw_curve(subject.data, subject.config, plot, workers=workers, done=done)
    make_console().print(curve_table(drawn))
    write_figure(drawn, out)
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
) -> None:
    """Say whether failures and low scores follow the data or the seed.

    Tests folds against seeds, slides and labelling styles, and lists suspect pits.
    """
    from search.analysis.diagnose import diagnose as run
    from search.analysis.diagnose import study_subject
    from search.report.diagnosis_tables import diagnosis_table
    from search.report.suspect_files import check_out, write_suspects
    from search.studies.study import find_study

    check_out(out)
    subject = study_subject(find_study(study, storage), data, trial)
    with on_stop("nothing of the diagnosis is kept, the same command begins anew"), counting("cross-validations") as done:
        found = run(subject, seeds=seeds, repeats=repeats, workers=workers, done=done)
    make_console().print(diagnosis_table(found))
    page = write_suspects(found.labels.suspects, subject.data, out, f"Suspect pits: {subject.what}")
    then = f"pitsearch relabel {subject.data.folder} {out}"
    say(f"wrote {out} and {page}; next: look at the page, fill in `corrected` where a label is wrong, then {then}")


def dashboard(
    storage: Storage = defaults.STORAGE, port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8080
) -> None:
    """Show the studies in Optuna's dashboard.

    Listens on 127.0.0.1 only.
    """
    import optuna_dashboard

    from search.errors import StudyError
    from search.storage.connect import open_storage

    opened = open_storage(storage)
    say(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)")
    try:
        optuna_dashboard.run_server(opened, host="127.0.0.1", port=port)
    except OSError as error:
        raise StudyError(f"port {port} must be free, but: {error.strerror}; choose another --port.") from None
