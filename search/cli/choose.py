"""The commands that lead from trials to one model: confirm, Pareto front, select. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import counting, make_console, next_command, on_stop, say
from search.cli.options import MovedData, Storage, StudyName, Workers
from search.cli.plugins import use_plugins


def confirm(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    top: options.Top = defaults.TOP,
    repeats: options.Repeats = defaults.CONFIRMATIONS,
    reliability: options.Reliability = defaults.RELIABILITY,
    data: MovedData = None,
    workers: Workers = None,
    plugin: options.Plugins = None,
) -> None:
    """Train the best configurations again.

    On fresh splits and seeds, as a race: what can no longer win is trained no further. The held-out set stays locked.
    """
    from search.report.selection_tables import race_table
    from search.selection.candidates import draw
    from search.selection.confirm import ConfirmOptions
    from search.selection.confirm import confirm as run
    from search.studies.study import find_study, study_data
    from search.trials.records import RungResult

    use_plugins(plugin or ())
    handle, terms = find_study(study, storage), ConfirmOptions(top, repeats, reliability)
    loaded = study_data(handle, data)
    with on_stop("finished repeats are kept, the same command goes on"), counting() as progress:
        race = run(handle, terms, data=loaded, workers=workers, progress=progress)
    plan = handle.plan
    bootstrapped = {entrant.number: draw(entrant, plan, plan.search_set(loaded)) for entrant in race if entrant.repeats}
    searched = {entrant.number: RungResult.demand(handle.trial(entrant.number)).quoted.share for entrant in race}
    make_console().print(race_table(handle.name, race, searched, bootstrapped, terms))
    say(f"next: {next_command('select', storage, study=handle.name)}")


def front(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    out: Annotated[Path, typer.Option(help="File for the figure: HTML that needs nothing else.")] = Path("front.html"),
) -> None:
    """Draw the Pareto front of a study with two objectives.

    Acceptance against rejection, or against the cost of inference, as a table and as a figure.
    """
    from search.report.out_files import try_out
    from search.report.pareto_figure import write_figure
    from search.report.pareto_table import front_table
    from search.studies.pareto import pareto_trials
    from search.studies.study import find_study
    from search.trials.objectives import second_of

    try_out(out)
    handle = find_study(study, storage)
    plan = handle.plan
    candidates = pareto_trials(handle.optuna.get_trials(deepcopy=False), plan)
    second = second_of(plan.options.objectives)
    assert second is not None  # members has checked it
    make_console().print(front_table(second, [member for member in candidates if member.on_front]))
    write_figure(handle.name, second, plan.options.working_point, candidates, out)
    say(f"wrote {out}; next: open it in a browser")


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
    plugin: options.Plugins = None,
) -> None:
    """Choose the model that converges best.

    Confirms the best trials, shows why each was kept or dropped, trains and keeps the winner, and opens the held-out set once.
    """
    from search.report.selection_tables import selection_table
    from search.selection.confirm import ConfirmOptions
    from search.selection.select import select as run
    from search.studies.study import find_study

    use_plugins(plugin or ())
    handle, terms = find_study(study, storage), ConfirmOptions(top, repeats, reliability)
    with on_stop("finished repeats are kept, the same command goes on"), counting() as progress:
        selection = run(handle, terms, final=final, data=data, runs=runs, workers=workers, progress=progress)
    make_console().print(selection_table(selection))
    say(f"next: {next_command('export', storage, 'OUT/', study=handle.name)}")
