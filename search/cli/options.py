"""The arguments and options of the command line that are many, or that commands share. Knows nothing of what they do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search import defaults

Data = Annotated[Path, typer.Argument(metavar="DATA", help="Folder of the data set.")]
StudyName = Annotated[str | None, typer.Option("--study", help="Name of the study; may be left out where there is only one.")]
Storage = Annotated[str, typer.Option(help="Database address of the studies.")]
MovedData = Annotated[Path | None, typer.Option("--data", help="Where the study's data set is now, if it has moved.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes; one a core by default, on a GPU one.")]

# What a launch may be told; a study that goes on does so with its own.
OWN = "the study's own, or {}"
LaunchData = Annotated[Path, typer.Argument(metavar="DATA|STUDY", help="Folder of the data set, or a study that is to go on.")]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1,
        show_default=OWN.format(f"{defaults.TRIALS}, or with --minutes as many as fit"),
        help="Trials of the study in all, those of earlier launches among them.",
    ),
]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after this time, whatever was reached.")]
StopWhenSure = Annotated[
    float | None,
    typer.Option(
        metavar="GAIN", min=0.0001, help="Begin no more trials once as many again would hardly bring more acceptance than this."
    ),
]
NewStudy = Annotated[str | None, typer.Option("--study", help="Name of the study; the data set's name by default.")]
Space = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        show_default=OWN.format(defaults.SPACE),
        help="Ready-made space, or a space file; see `pitsearch spaces`.",
    ),
]
Scheme = Annotated[
    str | None, typer.Option(metavar="NAME", help="Pin the labelling scheme, e.g. anomaly; short for --fix labelling=NAME.")
]
Fix = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Pin an axis, e.g. network=minihip; may be given again.")
]
Enqueue = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Try these configurations first; `status --trial` prints such a file.")
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, show_default=OWN.format(defaults.SEED), help="Folds and every trial follow from it."),
]
HoldoutSlide = Annotated[list[str] | None, typer.Option(help="Hold this slide out, e.g. 24 or foil:24; may be given again.")]
HoldoutShare = Annotated[
    float | None,
    typer.Option(show_default="the data's own, or 0.2", help="Share of the pits to hold out where no slide is named."),
]
WorkingPoint = Annotated[
    float | None,
    typer.Option(show_default=OWN.format(defaults.WORKING_POINT), help="False-positive rate at which acceptance is quoted."),
]
Pruner = Annotated[
    str | None, typer.Option(show_default=OWN.format(defaults.PRUNER), help="promotion, trailing, halving, median or none.")
]
Sampler = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default=OWN.format(defaults.SAMPLER),
        help="tpe, gp, cmaes, random or qmc: how the next configuration is chosen.",
    ),
]
Objectives = Annotated[
    str | None,
    typer.Option(
        show_default=OWN.format(",".join(defaults.OBJECTIVES)),
        help="What to search for: acceptance; acceptance,rejection; or acceptance,cost, as a Pareto front.",
    ),
]
Audit = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        show_default=OWN.format(defaults.AUDIT),
        help="Share of the trials that is never pruned, to measure what pruning ends wrongly.",
    ),
]
Ladder = Annotated[
    str | None,
    typer.Option(help=f"Rungs, FOLDSxEPOCHS each; {defaults.LADDER}, on a GPU {defaults.FUSED_LADDER}, by default."),
]
Devices = Annotated[str, typer.Option(help="Where to train: cpu, or GPUs, as cuda:0,cuda:1, a worker each.")]
Device = Annotated[str, typer.Option(help="Where to train: cpu, cuda, or cuda:NUMBER.")]
Runs = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of the checkpoints; `runs`, beside an SQLite storage, by default.")
]
ClusterName = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="NAME|FILE|ADDRESS",
        help="slurm, htcondor, sge, pbs, a TOML file with a [cluster] table, or a Dask scheduler's tls://HOST:PORT.",
    ),
]
ClusterOf = Annotated[
    str, typer.Option("--cluster", metavar="NAME|FILE", help="slurm, htcondor, sge, pbs, or a TOML file of one.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Jobs of the cluster at the same time, at most.")]
MovedRuns = Annotated[
    Path | None, typer.Option("--runs", metavar="FOLDER", help="Folder of the checkpoints, if not where the launch had it.")
]
LaunchWorkers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=0, help="Worker processes; one a core by default, on GPUs one each; 0 only prepares the study."
    ),
]

LogTo = Annotated[
    list[str] | None,
    typer.Option(
        "--log-to", metavar="KIND:WHERE", help="Copy the trials to tensorboard:DIR or mlflow:URI, too; may be given again."
    ),
]

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE|NAME", help="Load this plugin: a file or an installed one; may be given again."),
]

# How a search is shown.
Quiet = Annotated[bool, typer.Option("--quiet", help="Show nothing but how it ended.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event, and nothing else.")]
LogFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Append plain lines, with the time, to this file.")]
Watch = Annotated[bool, typer.Option("--watch", help="Go on showing the study while others run it.")]

# What confirming and selecting may be told.
Top = Annotated[int, typer.Option(min=1, help="Trials that are confirmed, the best of the search first.")]
Repeats = Annotated[int, typer.Option(min=1, help="Cross-validations of each, on fresh splits and seeds.")]
Reliability = Annotated[
    float, typer.Option(min=0.0, max=0.999, help="Bar that the lower bound of the probability to learn must pass.")
]
Final = Annotated[str, typer.Option(help="What is made of the winner: ensemble, or refit, one network on all pits.")]


def check_workers(cluster: str | None, workers: int | None) -> None:
    """Raise StudyError where both a cluster and processes of this machine are asked for."""
    if cluster is not None and workers is not None:
        from search.errors import StudyError

        raise StudyError(f"a cluster must be given --jobs, not --workers, but got {workers}; remove --workers.")
