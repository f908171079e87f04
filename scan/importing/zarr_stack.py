"""Read a Zarr array, or a group with one (`crops`, or `0` as OME-Zarr names it), as a stack of crops `[pits, channels, y, x]`.

A group's own axes, where it names them, say which is which. Codecs that unpickle or run code are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from foils.image_faults import MOST_PIXELS
from pitsearch.errors import reason
from pitsearch.json_text import MOST_BYTES, parse_json
from pitsearch.regular_file import read_regular
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, whole_values
from scan.importing.stack_rows import with_rows

# The files that make a folder an array or a group, of version 2 and 3.
METADATA = (".zarray", ".zgroup", "zarr.json")
ARRAYS = ("crops", "0")
# What a codec may be called: they move and compress bytes, and no more.
CODECS = {"blosc", "zstd", "zlib", "gzip", "bz2", "lzma", "lz4", "shuffle", "delta", "bytes", "transpose", "crc32c"}
CODECS |= {"sharding_indexed", "crc32", "adler32", "fletcher32"}


def is_zarr(source: Path) -> bool:
    """Tell whether a folder is a Zarr array or group."""
    return any((source / name).is_file() for name in METADATA)


def read_zarr(source: Path, options: ImportOptions) -> PitTable:
    """Read a stack and the table beside it. Raises ScanError where it is none, or its codecs are not plain ones."""
    if not is_zarr(source):
        raise ScanError(
            f"{source}: a Zarr stack must be a folder with {' or '.join(METADATA)}, but has none; correct the path."
        )
    _check_codecs(source)
    import zarr

    try:
        opened: Any = zarr.open(str(source), mode="r")
        array = opened
        if isinstance(opened, zarr.Group):
            name = next((name for name in ARRAYS if name in opened), None)
            if name is None:
                raise ScanError(f"{source}: a group must have the array {' or '.join(ARRAYS)}, but has none; name it so.")
            array = opened[name]
        if array.dtype.kind not in "iuf" or array.size > MOST_PIXELS:
            raise ScanError(
                f"{source}: a stack must have at most {MOST_PIXELS} numbers, but got {array.size} of {array.dtype}; split it."
            )
        values = np.asarray(array[:])
        axes = _axes(opened.attrs.asdict(), values.ndim)
    except ScanError:
        raise
    except Exception as error:  # of zarr, its stores and its codecs, which share no base
        raise ScanError(f"{source}: a Zarr stack must be readable, but: {reason(error)}; write it again.") from None
    singles = tuple(number for number, axis in enumerate(axes) if axis not in "cyx" and values.shape[number] == 1)
    values, axes = values.squeeze(singles), "".join(axis for number, axis in enumerate(axes) if number not in singles)
    pits = [axis for axis in axes if axis not in "cyx"]
    if not {"c", "y", "x"} <= {*axes} or len(pits) > 1 or len(set(axes)) < len(axes):
        raise ScanError(
            f"{source}: a stack must have the axes pits, channels, y, x, but got {values.ndim} ({axes}); write it so."
        )
    if not pits:
        values, axes, pits = values[None], f"t{axes}", ["t"]
    values = values.transpose([axes.index(axis) for axis in (pits[0], "c", "y", "x")])
    return with_rows(whole_values(values, str(source)), source, options)


def _axes(attributes: dict[str, Any], dimensions: int) -> str:
    """Give a letter for each axis: what OME-Zarr says, or pits (t), channels, y, x."""
    said = attributes.get("ome", attributes)
    scales = said.get("multiscales") if isinstance(said, dict) else None
    if isinstance(scales, list) and scales and isinstance(scales[0], dict) and isinstance(scales[0].get("axes"), list):
        names = [str(axis.get("name", "?") if isinstance(axis, dict) else axis)[:1].lower() for axis in scales[0]["axes"]]
        if len(names) == dimensions:
            return "".join(names)
    return {3: "cyx", 4: "tcyx", 5: "tczyx"}.get(dimensions, "?" * dimensions)


def _check_codecs(source: Path) -> None:
    """Raise ScanError where any array below names a codec that is not a plain one."""
    for path in sorted(path for name in METADATA for path in source.rglob(name)):
        try:
            table = parse_json(read_regular(path, MOST_BYTES))
        except (OSError, ValueError) as error:
            raise ScanError(
                f"{path}: a Zarr stack must have readable metadata, but: {reason(error)}; write it again."
            ) from None
        for codec in _codecs(table):
            if codec.removeprefix("numcodecs.") not in CODECS:
                raise ScanError(
                    f"{path}: a codec must be one that only moves or compresses bytes, but got {codec[:40]!r}; write the stack "
                    "again with zstd, say."
                )


def _codecs(table: Any) -> Iterator[str]:
    """Name every codec that metadata ask for, at whatever depth."""
    if isinstance(table, list):
        for item in table:
            yield from _codecs(item)
    if not isinstance(table, dict):
        return
    listed = [table.get("compressor"), *(table.get("filters") or []), *(table.get("codecs") or [])]
    for codec in listed:
        if isinstance(codec, dict):
            yield str(codec.get("id") or codec.get("name"))
    for key, value in table.items():
        if key != "attributes":
            yield from _codecs(value)
