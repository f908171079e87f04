"""Read an OME-TIFF, or any TIFF that names its axes, as a stack of crops: C are the lights, and one other axis the pits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile

from foils.image_faults import ImageFault, check_size
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, whole_values
from scan.importing.stack_rows import with_rows

SUFFIXES = (".tif", ".tiff")
# A stack of 20,000 pits under ten lights has 160 MB.
MOST_BYTES = 2**31
AXES = "axes must be C (lights), Y, X and one for the pits"


def read_ome_tiff(source: Path, options: ImportOptions) -> PitTable:
    """Read a stack and the table beside it. Raises ScanError where its axes cannot be told."""
    try:
        content = read_regular(source, MOST_BYTES)
        with tifffile.TiffFile(io.BytesIO(content)) as file:  # in memory: no other file that it names is opened
            series = list(file.series)
            check_size(sum(one.size for one in series), 1, max(one.dtype.itemsize for one in series), len(content))
            parts = [_ordered(one.asarray(), one.axes, source) for one in series]
    except (ScanError, MemoryError):
        raise
    except ImageFault as fault:
        raise ScanError(f"{source}: a stack must be whole, but {fault}; replace the file.") from None
    except Exception as error:  # readers of headers, as decoders, meet a damaged file with nearly any exception
        raise ScanError(f"{source}: a stack must be a TIFF file, but: {reason(error)}; replace the file.") from None
    first = parts[0]
    odd = next((part for part in parts if (part.shape[1:], part.dtype) != (first.shape[1:], first.dtype)), None)
    if odd is not None:
        raise ScanError(
            f"{source}: the images of a stack must be of one kind, but got {list(first.shape[1:])} and {list(odd.shape[1:])}; "
            "write them as one stack."
        )
    return with_rows(whole_values(np.concatenate(parts), str(source)), source, options)


def _ordered(values: npt.NDArray[np.generic], axes: str, source: Path) -> npt.NDArray[np.generic]:
    """Put the axes of an image into the order pits, lights, y, x; without an axis of pits it is one pit."""
    singles = tuple(number for number, name in enumerate(axes) if values.shape[number] == 1 and name not in "CYX")
    values, axes = values.squeeze(singles), "".join(name for number, name in enumerate(axes) if number not in singles)
    pits = [name for name in axes if name not in "CYX"]
    if len(pits) > 1 or not {"Y", "X"} <= {*axes} or "S" in pits:
        raise ScanError(f"{source}: {AXES}, but got {axes}; write the stack with axes such as TCYX.")
    if "C" not in axes:
        values, axes = values[None], f"C{axes}"
    if not pits:
        values, axes, pits = values[None], f"T{axes}", ["T"]
    return values.transpose([axes.index(name) for name in (pits[0], "C", "Y", "X")])
