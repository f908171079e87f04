"""The commands of a search: what may vary, launch, look at it. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import ONE_LINE, make_console, on_stop, say, typed
from search.cli.options import Storage, StudyName
from search.cli.plugins import use_plugins
from search.cli.progress import Progress


def spaces(
    space: Annotated[str | None, typer.Argument(metavar="NAME|FILE", help="A ready-made space, or a space file.")] = None,
    write: Annotated[Path | None, typer.Option(metavar="FILE", help="Copy the space to a new file, to be changed.")] = None,
    plugin: options.Plugins = None,
) -> None:
    """List every choice that a search has, or what one space varies."""
    from search.report.space_tables import choices_table, space_table
    from spaces.named_spaces import copy_space, find_space

    use_plugins(plugin or ())
    if write is not None:
        copy_space(space or defaults.SPACE, write)
        say(f"wrote {write}; next: change it, then {typed('pitsearch', 'launch', 'DATA', '--space', write)}")
    elif space is not None:
        make_console().print(space_table(space, find_space(space)))
    else:
        make_console(width=ONE_LINE).print(choices_table())


def launch(
    data: options.LaunchData,
    trials: options.Trials = None,
    minutes: options.Minutes = None,
    stop_when_sure: options.StopWhenSure = None,
    workers: options.LaunchWorkers = None,
    study: options.NewStudy = None,
    storage: Storage = defaults.STORAGE,
    space: options.Space = None,
    scheme: options.Scheme = None,
    fix: options.Fix = None,
    enqueue: options.Enqueue = None,
    seed: options.Seed = None,
    holdout_slide: options.HoldoutSlide = None,
    holdout_share: options.HoldoutShare = None,
    working_point: options.WorkingPoint = None,
    pruner: options.Pruner = None,
    sampler: options.Sampler = None,
    audit: options.Audit = None,
    objectives: options.Objectives = None,
    ladder: options.Ladder = None,
    devices: options.Devices = defaults.DEVICE,
    runs: options.Runs = None,
    cluster: options.ClusterName = None,
    jobs: options.Jobs = defaults.JOBS,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    log_file: options.LogFile = None,
    log_to: options.LogTo = None,
    plugin: options.Plugins = None,
) -> None:
    """Search for the best network, or go on searching.

    A study of the same name goes on where it stopped, with its own space, ladder, seed and the rest unless told otherwise.
    Ctrl-C once ends running trials after their epoch, twice at once.
    """
    from foils import load
    from search.analysis.status import summarise
    from search.launcher.executors import Cluster, Processes
    from search.launcher.launch import launch as run
    from search.report.mirrors.log_to import log_to as open_mirror
    from search.report.mirrors.log_to import say_on_stderr
    from search.report.progress import Watched
    from search.studies.launch_record import target_of
    from search.studies.options import Budget, parse_holdout
    from search.studies.study import data_and_study, options_of
    from search.trials.ladder import Ladder
    from search.trials.objectives import parse_objectives
    from spaces.known_configs import read_known
    from spaces.named_spaces import find_space, pin

    use_plugins(plugin or ())
    progress = Progress(quiet, as_json, log_file, own_workers=cluster is None)
    watched = Watched(progress.viewers)
    mirrors = [open_mirror(address, say_on_stderr if quiet else watched.on_note) for address in log_to or ()]
    pins = [*(fix or ()), *([f"labelling={scheme}"] if scheme else [])]
    places = tuple(devices.split(","))
    given = {
        "seed": seed,
        "working_point": working_point,
        "ladder": None if ladder is None else Ladder.parse(ladder),
        "pruner": pruner,
        "sampler": sampler,
        "audit": audit,
        "objectives": None if objectives is None else parse_objectives(objectives),
        "holdout": parse_holdout(holdout_share, tuple(holdout_slide or ())),
    }
    options.check_workers(cluster, workers)
    with on_stop("finished trials are kept, the same command goes on"):
        folder, study = data_and_study(data, study, storage)
        loaded = load(folder)
        name = loaded.description.name if study is None else study
        launched = run(
            loaded,
            pin(find_space(space or defaults.SPACE), pins) if space or pins else None,
            options_of(name, storage, given),
            study=name,
            storage=storage,
            budget=Budget(trials or (target_of(name, storage) if minutes is None else None), minutes, stop_when_sure),
            executor=Processes(workers, places) if cluster is None else Cluster(cluster, jobs, places[0]),
            runs=runs,
            enqueue=read_known(enqueue) if enqueue else (),
            callbacks=(watched, *mirrors),
        )
    progress.close(summarise(launched), storage, stopped=watched.interrupted, minutes=minutes)
    if watched.interrupted:
        raise typer.Exit(130)


def status(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    trial: Annotated[int | None, typer.Option(min=0, help="Print this trial's configuration, for launch --enqueue.")] = None,
    watch: options.Watch = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    log_file: options.LogFile = None,
    plugin: options.Plugins = None,
) -> None:
    """Show a study: trials, verdicts, best so far.

    With --watch it ends when there is nothing left to do, or at Ctrl-C.
    """
    from search.analysis.status import known_text, summarise
    from search.errors import StudyError
    from search.report.tables import status_table
    from search.storage.leases import requeue_stale_trials
    from search.studies.study import find_study

    use_plugins(plugin or ())
    handle = find_study(study, storage, whole=False)
    if trial is not None:
        say(known_text(handle, trial).rstrip())
        return
    if watch:
        from search.report.progress import watch as follow

        progress = Progress(quiet, as_json, log_file, own_workers=False)
        with on_stop("the study goes on"):
            ended = follow(handle, progress.viewers)
        progress.close(ended, storage)
        return
    if quiet or log_file is not None:
        raise StudyError("--quiet and --log-file must be given with --watch, but it is not; add it.")
    requeue_stale_trials(handle.backend, handle.id)
    status = summarise(handle)
    if as_json:
        from search.report.events import event_line, status_event

        say(event_line(status_event(status)))
        return
    make_console().print(status_table(status))


def dashboard(
    storage: Storage = defaults.STORAGE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8080,
    host: Annotated[
        str, typer.Option(help="Address to listen at. By any other than the default, others on the network reach it too.")
    ] = "127.0.0.1",
    write: Annotated[bool, typer.Option("--write", help="Let visitors delete studies and write notes.")] = False,
    files: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the files that are attached to trials."),
    ] = None,
) -> None:
    """Show the studies in Optuna's dashboard.

    Prints an address with a token. Without --write, visitors change nothing.
    """
    from search.dashboard.app import Place, serve
    from search.dashboard.server import is_loopback

    if not is_loopback(host):
        say("warning: the connection is not encrypted, so that others on the network can read it, and the token with it;")
        say(f"  safer: listen at 127.0.0.1, and on your own machine run `ssh -L {port}:127.0.0.1:{port}` to this one")
    try:
        serve(storage, Place(host, port, write, files), lambda address: say(f"{address}  (Ctrl-C ends it)"))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
