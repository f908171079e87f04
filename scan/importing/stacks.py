"""Read a stack of crops, as OME-TIFF or Zarr, `[pits, channels, y, x]`, with a table beside it: a row for each crop, in order.

An OME-TIFF says its axes; Zarr's are in this order, those of OME-Zarr's first image likewise. A codec of Zarr that would run
code, such as pickle, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from foils.description import EDGES, MOST_CHANNELS
from foils.folder_writer import WrittenPit
from pitsearch.errors import PitsearchError, reason
from pitsearch.json_text import MOST_BYTES, parse_json
from pitsearch.regular_file import open_regular, read_regular
from scan.errors import ScanError
from scan.importing.source import Imported, Source, as_stored, lights_for, pit_of, read_rows

LABELS = "labels.csv"
# What a group may call its array: OME-Zarr its first, largest image.
IMAGES = ("0", "crops")
# What describes a folder of Zarr, of format 2 and 3.
MARKS = (".zarray", ".zgroup", "zarr.json")
CODECS = ("blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma", "shuffle", "bytes", "transpose", "crc32c", "sharding_indexed")
# Bytes of a stack of TIFF, which is read whole.
MOST_TIFF = 2**33
# Bytes of a chunk of Zarr, which is decoded whole.
MOST_CHUNK = 2**28
# Reads the table beside a stack of this shape, if a stack of crops can have it.
RowsOf = Callable[[Sequence[int]], list[dict[str, str]]]


def read_stack(source: Source) -> Imported:
    """Read the crops of a stack."""
    path = source.path
    table = source.labels or path.parent / LABELS

    def rows_of(shape: Sequence[int]) -> list[dict[str, str]]:
        _check_shape(path, shape)
        rows = read_rows(table, ("label",))
        if len(rows) != shape[0]:
            raise ScanError(f"{table}: there must be a row for each of the {shape[0]} crops, but got {len(rows)}; correct it.")
        return rows

    try:
        stack, rows = _zarr(path, rows_of) if path.is_dir() else _tiff(path, rows_of)
    except PitsearchError:
        raise
    except Exception as error:  # readers meet a damaged stack with nearly any exception
        raise ScanError(
            f"{path}: a stack must be readable OME-TIFF or Zarr, but: {reason(error)[:200]}; write it anew."
        ) from None
    if stack.dtype not in (np.uint8, np.uint16):  # all at once: one dark crop must not decide how its values are read
        stack = as_stored(np.asarray(stack[:]), str(path))
    return Imported(lights_for(stack.shape[1], source.lights, path), _pits(path, stack, rows))


def _check_shape(path: Path, shape: Sequence[int]) -> None:
    """Raise ScanError, before pixels are read, where a stack cannot be one of crops."""
    if len(shape) != 4:
        raise ScanError(f"{path}: a stack must have four axes, [pits, channels, y, x], but got {list(shape)}; write it so.")
    if max(shape[2:]) > EDGES[-1] or shape[1] > MOST_CHANNELS:
        raise ScanError(
            f"{path}: crops must have {MOST_CHANNELS} channels and {EDGES[-1]} pixels an edge at the most, but the stack has "
            f"{list(shape)}; cut the pits out."
        )


def _pits(path: Path, stack: Any, rows: Sequence[dict[str, str]]) -> Iterator[WrittenPit]:
    digits = len(str(len(rows)))
    for number, row in enumerate(rows):
        try:
            crop = np.asarray(stack[number])
        except Exception as error:  # as above: chunks are read here
            raise ScanError(f"{path}: crop {number} must be readable, but: {reason(error)[:200]}; write it anew.") from None
        yield WrittenPit(pit_of(row, f"p{number:0{digits}d}", path), as_stored(crop, f"{path}: crop {number}"))


def _tiff(path: Path, rows_of: RowsOf) -> tuple[Any, list[dict[str, str]]]:
    open_regular(path, links=True).close()  # which waits for no pipe
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        axes, shape = series.axes, series.shape
        others = [axis for axis in axes if axis not in "CYX"]
        if sorted(axes) != sorted([*others[:1], *"CYX"]):
            raise ScanError(
                f"{path}: a stack must have the axes of OME-TIFF C, Y, X and one more, for the pits, but got {axes} "
                f"{list(shape)}; write it so."
            )
        if series.nbytes > MOST_TIFF:
            raise ScanError(
                f"{path}: a stack of TIFF must have {MOST_TIFF} bytes at the most, but got {series.nbytes}; use Zarr."
            )
        order = [axes.index(axis) for axis in (others[0], "C", "Y", "X")]
        rows = rows_of([shape[place] for place in order])
        return series.asarray().transpose(order), rows


def _zarr(path: Path, rows_of: RowsOf) -> tuple[Any, list[dict[str, str]]]:
    import zarr

    for mark in (file for name in MARKS for file in path.rglob(name)):
        _check_codecs(parse_json(read_regular(mark, MOST_BYTES)), mark)
    opened: Any = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Group):
        name = next((name for name in IMAGES if name in opened), None)
        if name is None:
            raise ScanError(f"{path}: a group must have an array named {' or '.join(IMAGES)}, but has none; name it so.")
        opened = opened[name]
    if math.prod(opened.chunks) * opened.dtype.itemsize > MOST_CHUNK:
        raise ScanError(f"{path}: a chunk must have {MOST_CHUNK} bytes at the most, but has {opened.chunks}; write it anew.")
    shape = opened.shape
    if len(shape) == 5 and 1 in (shape[0], shape[2]):  # t, c, z, y, x, as OME-Zarr orders them
        pits, lights = (2, 1) if shape[0] == 1 else (0, 1)
        rows = rows_of([shape[pits], shape[lights], *shape[3:]])
        return (np.moveaxis(opened[0], 1, 0) if shape[0] == 1 else opened[:, :, 0]), rows
    return opened, rows_of(shape)


def _check_codecs(described: Any, mark: Path) -> None:
    if not isinstance(described, dict):
        raise ScanError(f"{mark}: the metadata of a stack must be a table of JSON, but are none; write it anew.")
    codecs: list[Any] = [*(described.get("codecs") or ()), *(described.get("filters") or ()), described.get("compressor")]
    while codecs:
        codec = codecs.pop()
        if not isinstance(codec, dict):
            continue
        name = codec.get("name", codec.get("id"))
        if name not in CODECS:
            raise ScanError(f"{mark}: a stack must be coded by {', '.join(CODECS)}, but got {str(name)[:40]!r}; write it anew.")
        within = codec.get("configuration")
        if isinstance(within, dict):
            codecs += [*(within.get("codecs") or ()), *(within.get("index_codecs") or ())]
