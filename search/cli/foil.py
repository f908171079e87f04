"""The commands that hold lists of places on a foil against one another: match, align. `search/cli/app.py` lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search.cli.console import make_console, say

# As scan/match.py has them; it loads scipy.
RADIUS = 15.0
RULE = "one-to-one"

Radius = Annotated[float, typer.Option(help="Pixels within which two places are one.")]
AllHits = Annotated[bool, typer.Option("--all-hits", help="Count also hits that the scan did not accept.")]


def match(
    hits: Annotated[Path, typer.Argument(metavar="HITS", help="Folder that scan wrote, or a list: CSV, Parquet, JSON.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="True places: a data set, its labels.csv, or a list.")],
    radius: Radius = RADIUS,
    rule: Annotated[str, typer.Option(metavar="NAME", help="one-to-one, or near: any hit nearby, as QMUL counts.")] = RULE,
    label: Annotated[str | None, typer.Option(help="The signal's label in TRUTH; foil.toml's by default.")] = None,
    slide: Annotated[
        list[str] | None, typer.Option(help="Count only this slide, e.g. 24 or foil:24; may be given again.")
    ] = None,
    full: Annotated[
        Path | None,
        typer.Option("--all", metavar="FULL_LIST", help="All places of the foil, where TRUTH holds those of a region."),
    ] = None,
    area_cm2: Annotated[
        float | None, typer.Option(show_default="that of the scan", help="Area of the foil that HITS and TRUTH cover.")
    ] = None,
    all_hits: AllHits = False,
    out: Annotated[Path | None, typer.Option(metavar="FIGURE.html", help="File for the figure of both curves.")] = None,
) -> None:
    """Compare hits with true places.

    Efficiency, purity, false hits per cm2, and both curves against the score and the distance.
    """
    from scan.comparison import compare, read_area
    from scan.errors import ScanError
    from scan.hit_lists import read_places
    from scan.place_list import on_slides, only_signal
    from search.report.match_table import match_table
    from search.report.out_files import try_out

    if out is not None:
        try_out(out)
    found, places = read_places(hits), only_signal(read_places(truth), label)
    if slide:
        found, places = on_slides(found, slide), on_slides(places, slide)
        if not len(places):
            raise ScanError(f"{truth}: the list must have places on the slides asked for, but has none; correct --slide.")
    comparison = compare(
        found,
        places,
        radius=radius,
        rule=rule,
        full=None if full is None else only_signal(read_places(full), label),
        area_cm2=read_area(hits, len(set(slide)) if slide else None) if area_cm2 is None else area_cm2,
        all_hits=all_hits,
    )
    make_console().print(match_table(str(hits), str(truth), comparison))
    if out is not None:
        from scan.match_figure import match_figure
        from search.report.pages import write_figure_page

        write_figure_page(match_figure(str(hits), comparison), "match", f"{hits} against {truth}", out)
        say(f"wrote {out}; next: open it in a browser")


def align(
    front: Annotated[Path, typer.Argument(metavar="FRONT", help="Folder that scan wrote, or a list of hits, of one face.")],
    back: Annotated[Path, typer.Argument(metavar="BACK", help="The same of the other face.")],
    radius: Radius = RADIUS,
    mirror: Annotated[
        bool, typer.Option("--mirror/--no-mirror", help="Mirror BACK; not for the same face of two foils of a stack.")
    ] = True,
    all_hits: AllHits = False,
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it.")] = 0,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="File for the hits that lie on both.")] = Path("pairs.csv"),
) -> None:
    """Line up the hits of two faces.

    Hits on both faces, lined up along the track, are the signature of signal.
    """
    from scan.faces import line_up, write_pairs
    from scan.hit_lists import read_places
    from search.report.face_table import face_table
    from search.report.out_files import try_out

    try_out(out)
    pairs = line_up(read_places(front), read_places(back), radius=radius, mirror=mirror, all_hits=all_hits, seed=seed)
    write_pairs(pairs, out)
    make_console().print(face_table(str(front), str(back), pairs))
    say(f"wrote {out}: {len(pairs.alignment.pairs)} hits on both faces")
