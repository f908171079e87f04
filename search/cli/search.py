"""The commands of a search: what may vary, launch, look at it. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import ONE_LINE, make_console, on_stop, say, where
from search.cli.options import Data, Storage, StudyName
from search.cli.plugins import use_plugins


def spaces(
    space: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="A ready-made space, or a space file.")] = None,
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a new space file, to be changed.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """List every choice that a search has, or what one space varies."""
    from search.report.space_tables import choices_table, space_table
    from spaces.named_spaces import copy_space, find_space

    use_plugins(plugin or ())
    if write is not None:
        copy_space(space or defaults.SPACE, write)
        say(f"wrote {write}; next: change it, then pitsearch launch DATA --space {write}")
    elif space is not None:
        make_console().print(space_table(space, find_space(space)))
    else:
        make_console(width=ONE_LINE).print(choices_table())


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
    seed: options.Seed = defaults.SEED,
    holdout_slide: options.HoldoutSlide = None,
    holdout_share: options.HoldoutShare = defaults.HOLDOUT_SHARE,
    working_point: options.WorkingPoint = defaults.WORKING_POINT,
    pruner: options.Pruner = defaults.PRUNER,
    sampler: options.Sampler = defaults.SAMPLER,
    audit: options.Audit = defaults.AUDIT,
    objectives: options.Objectives = ",".join(defaults.OBJECTIVES),
    ladder: options.Ladder = None,
    devices: options.Devices = defaults.DEVICE,
    runs: options.Runs = None,
    cluster: options.ClusterName = None,
    jobs: options.Jobs = defaults.JOBS,
    plugin: options.Plugins = None,
) -> None:
    """Search for the best network, or go on searching.

    A study of the same name goes on where it stopped. Ctrl-C once ends running trials after their epoch, twice at once.
    """
    from foils import load
    from search.analysis.status import summarise
    from search.launcher.executors import Cluster, Processes
    from search.launcher.launch import launch as run
    from search.report.progress import LiveTable, PlainLines
    from search.report.tables import status_table
    from search.studies.options import Budget, Holdout, SearchOptions
    from search.trials.ladder import Ladder
    from search.trials.objectives import parse_objectives
    from spaces.known_configs import read_known
    from spaces.named_spaces import find_space, pin

    use_plugins(plugin or ())
    console = make_console()
    progress: LiveTable | PlainLines = LiveTable(console) if console.is_terminal else PlainLines(console)
    pins = [*(fix or ()), *([f"labelling={scheme}"] if scheme else [])]
    places = tuple(devices.split(","))
    search_options = SearchOptions(
        seed=seed,
        working_point=working_point,
        ladder=None if ladder is None else Ladder.parse(ladder),
        pruner=pruner,
        sampler=sampler,
        audit=audit,
        objectives=parse_objectives(objectives),
        holdout=Holdout(holdout_share, tuple(holdout_slide or ())),
    )
    with on_stop("finished trials are kept, the same command goes on"):
        launched = run(
            load(data),
            pin(find_space(space), pins),
            search_options,
            study=study,
            storage=storage,
            budget=Budget(trials, minutes),
            executor=Processes(workers, places) if cluster is None else Cluster(cluster, jobs, places[0]),
            runs=runs,
            enqueue=read_known(enqueue) if enqueue else (),
            callbacks=(progress,),
        )
    status = summarise(launched)
    if isinstance(progress, PlainLines):
        console.print(status_table(status))
    if progress.interrupted:
        say("stopped; finished trials are kept, the same command goes on where it stopped")
        raise typer.Exit(130)
    say(f"next: pitsearch select --study {launched.name}{where(storage)}")


def status(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    trial: Annotated[int | None, typer.Option(min=0, help="Print this trial's configuration, for launch --enqueue.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """Show a study: trials, verdicts, best so far."""
    from search.analysis.status import known_text, summarise
    from search.report.tables import status_table
    from search.storage.leases import requeue_stale_trials
    from search.studies.study import find_study

    use_plugins(plugin or ())
    handle = find_study(study, storage, whole=False)
    if trial is not None:
        say(known_text(handle, trial).rstrip())
        return
    requeue_stale_trials(handle.backend, handle.id)
    make_console().print(status_table(summarise(handle)))


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
