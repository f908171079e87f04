"""The commands for studies on many machines: workers, and the storages that they share. `search/cli/app.py` lists them."""

from __future__ import annotations

from typing import Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import next_command, say
from search.cli.once_command import OnceCommand
from search.cli.options import MovedData, Storage, StudyName
from search.cli.plugins import use_plugins

storage_app = typer.Typer(help="Check a storage, or copy a study to another.", no_args_is_help=True)


def worker(
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    data: MovedData = None,
    runs: options.MovedRuns = None,
    device: options.Device = defaults.DEVICE,
    plugin: options.Plugins = None,
) -> None:
    """Join a study as one more worker.

    Takes trials until the budget of the last launch is done. SIGTERM, or Ctrl-C once, hands its trial to another worker.
    """
    from search.report.tables import trial_line
    from search.studies.study import find_study
    from search.workers.join import join
    from search.workers.stop_signal import stop_on_signal

    use_plugins(plugin or ())
    handle = find_study(study, storage)
    stopping = "stopping: the running trial is handed to another worker; press Ctrl-C again to stop at once"
    with stop_on_signal(lambda: say(stopping)) as stop_reason:
        for number in join(handle, data=data, runs=runs, device=device, stop=stop_reason):
            say(trial_line(handle.trial(number)))
        if stop_reason() == "stopped by hand":
            raise typer.Exit(130)
    say(f"next: {next_command('status', storage, study=handle.name)}")


def jobscript(
    cluster: options.ClusterOf,
    jobs: options.Jobs = defaults.JOBS,
    study: StudyName = None,
    storage: Storage = defaults.STORAGE,
    runs: options.MovedRuns = None,
) -> None:
    """Print an array-job script whose jobs join a study, for clusters without Dask."""
    from search.errors import StudyError
    from search.launcher.cluster_config import ClusterConfig, read_cluster
    from search.launcher.jobscripts import MODULE, job_script
    from search.storage.urls import require_server
    from search.studies.study import find_study

    config = read_cluster(cluster)
    if not isinstance(config, ClusterConfig):
        raise StudyError(
            f"a job script must be for a batch system, but got the scheduler {config}; give slurm, say, or a file."
        )
    require_server(storage)
    handle = find_study(study, storage)
    command = [config.python, *MODULE, "worker", "--study", handle.name, "--storage", storage]
    print(job_script(config, [*command, *(["--runs", str(runs)] if runs else [])], jobs), end="")


def storage_check(address: Annotated[str, typer.Argument(metavar="URL", help="Database address.")]) -> None:
    """Say whether a storage is fit for studies, how fast it is, and which schema it has."""
    from search.cli.console import make_console
    from search.report.tables import storage_table
    from search.storage.health import check_storage

    make_console().print(storage_table(check_storage(address)))
    say(f"fit for studies; next: {next_command('launch DATA', address)}")


def storage_copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Database address.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Database address.")],
    study: StudyName = None,
    salvage: Annotated[bool, typer.Option("--salvage", help="Save what can be read of a damaged storage.")] = False,
) -> None:
    """Copy a study to another storage, whole or not at all; with --salvage, what can be read of it."""
    from search.studies.copy import copy_study

    if salvage:
        _salvage(study, source, target)
        return
    copied, trials = copy_study(study, source, target)
    say(f"copied {copied.name}: {trials} trials; the original stays")
    say(f"next: {next_command('status', target, study=copied.name)}")


def _salvage(study: str | None, source: str, target: str) -> None:
    from search.studies.salvage import salvage_study

    saved = salvage_study(study, source, target)
    for fault in saved.faults:
        say(f"lost: {fault}")
    lost = f", {len(saved.lost)} lost ({', '.join(map(str, saved.lost[:20]))})" if saved.lost else ""
    say(f"saved {saved.study.name}: {saved.trials} trials{lost}; the damaged storage stays as it is")
    say(f"next: {next_command('status', target, study=saved.study.name)}")


storage_app.command("check", cls=OnceCommand, epilog="Example: pitsearch storage check sqlite:///studies.db")(storage_check)
storage_app.command(
    "copy", cls=OnceCommand, epilog="Example: pitsearch storage copy sqlite:///studies.db postgresql+psycopg://me@db/studies"
)(storage_copy)
