"""Every format that hits are written in, by the name that `--formats` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pitsearch.errors import did_you_mean
from scan.errors import ScanError
from scan.formats.context import FormatContext
from scan.formats.fiji import write_fiji
from scan.formats.moedal import write_global, write_local
from scan.formats.napari import write_napari
from scan.formats.qupath import write_qupath
from scan.formats.zooniverse import write_zooniverse
from scan.hits import Hit

# Writes hits into files of a folder. Raises ScanError.
Writer = Callable[[Sequence[Hit], Path, FormatContext], None]

FORMATS: Mapping[str, Writer] = {
    "moedal-local": write_local,
    "moedal-global": write_global,
    "qupath": write_qupath,
    "fiji": write_fiji,
    "napari": write_napari,
    "zooniverse": write_zooniverse,
}


def check_formats(names: Iterable[str]) -> None:
    """Raise ScanError for a name that is no format."""
    for name in names:
        if name not in FORMATS:
            raise ScanError(
                f"a format must be among heat, {', '.join(FORMATS)}, but got {name!r}; {did_you_mean(name, FORMATS)}."
            )
