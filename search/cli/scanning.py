"""The command that runs a bundle over unlabelled foil. `search/cli/app.py` lists it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search import defaults
from search.cli import options
from search.cli.console import counting, make_console, on_stop, say, typed
from search.cli.plugins import use_plugins

if TYPE_CHECKING:
    from scan.run import WorkerMap


def scan(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that export wrote, or its model.onnx.")],
    frames: Annotated[Path, typer.Argument(metavar="FRAMES", help="Folder of frames, {foil}_s{slide}_{channel}.png.")],
    out: Annotated[Path, typer.Option(help="Folder for the hits; a scan that was stopped goes on in its own.")],
    formats: Annotated[
        str, typer.Option(metavar="NAMES", help="Further files, separated by commas: heat, and formats of other programs.")
    ] = "",
    least: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, show_default="a quarter of the threshold", help="Least P(signal) of a hit that is kept."
        ),
    ] = None,
    scales: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            show_default="1, or as the sizes of pixels say",
            help="By how much frames are shrunk, separated by commas; each is looked at in turn.",
        ),
    ] = None,
    pixel_um: Annotated[
        float | None,
        typer.Option(min=0.001, show_default="foil.toml's, or the model's", help="Edge of a frame's pixel, in um."),
    ] = None,
    stage: Annotated[Path | None, typer.Option(help="Positions of the frames on the stage, JSON.")] = None,
    datum: Annotated[Path | None, typer.Option(help="Three datum holes, TOML.")] = None,
    grid: Annotated[
        int | None, typer.Option(min=1, metavar="COLUMNS", help="Columns of the grid in which the frames lie.")
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(metavar="FRAMES", help="Frames without signal, on which false hits are counted.")
    ] = None,
    background_per_cm2: Annotated[
        float | None,
        typer.Option(min=0.000001, metavar="NUMBER", help="Background pits on a cm2, from which false hits are estimated."),
    ] = None,
    per_cm2: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="NUMBER", help="Choose the threshold that allows so many false hits on a cm2."),
    ] = None,
    workers: options.Workers = None,
    cluster: options.ClusterName = None,
    jobs: options.Jobs = defaults.JOBS,
    plugin: options.Plugins = None,
) -> None:
    """Find signal on unlabelled foil.

    Looks at every frame, and writes hits with their place and P(signal). Ctrl-C keeps what is finished.
    """
    from scan.errors import ScanError
    from scan.expected import ExpectedOptions
    from scan.run import Positions, ScanOptions
    from scan.run import scan as run
    from search.report.scan_table import scan_table

    use_plugins(plugin or ())
    try:
        factors = None if scales is None else tuple(float(scale) for scale in scales.split(","))
    except ValueError:
        raise ScanError(f"scales must be numbers separated by commas, but got {scales!r}; write e.g. 1,2,4.") from None
    scan_options = ScanOptions(
        least=least,
        scales=factors,
        pixel_um=pixel_um,
        formats=tuple(name for name in formats.split(",") if name),
        positions=Positions(stage, datum, grid),
        expected=ExpectedOptions(clean, background_per_cm2, per_cm2),
    )
    options.check_workers(cluster, workers)
    with (
        on_stop(f"finished frames are kept in {out}, the same command goes on"),
        counting() as step,
        _worker_map(cluster, jobs, workers, out) as worker_map,
    ):
        step.begin("frames", jobs if cluster is not None else _count(workers))
        found = run(bundle, frames, out, scan_options, workers=worker_map, progress=step)
    make_console().print(scan_table(found))
    say(f"wrote {out / 'hits.csv'}; next: {typed('pitsearch', 'match', out, 'TRUTH')}")
    for fault in found.faults:
        print(f"error: {fault}", file=sys.stderr)
    if found.faults:
        raise typer.Exit(1)


@contextmanager
def _worker_map(cluster: str | None, jobs: int, workers: int | None, out: Path) -> Iterator[WorkerMap]:
    """Give what distributes frames: over processes of this machine, or over jobs of a cluster, which print into the scan."""
    if cluster is None:
        from search.training.pool import parallel_map

        yield partial(parallel_map, workers=_count(workers))
    else:
        from search.launcher.cluster_config import read_cluster
        from search.launcher.dask_map import dask_map

        with dask_map(read_cluster(cluster), jobs, out / "jobs", say) as worker_map:
            yield worker_map


def _count(workers: int | None) -> int:
    """Give the processes that were asked for, or one a core."""
    from joblib import cpu_count

    return workers or cpu_count()
