"""Write TIFFs by hand, to declare what no program would write: classic, little-endian, one strip a page."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

HEADER = b"II*\0"
# Of the width, the height and the other entries that every page has.
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP, SAMPLES, ROWS, BYTES = 256, 257, 258, 259, 262, 273, 277, 278, 279
DESCRIPTION = 270
TEXT, LONG = 2, 4


def page(entries: Mapping[int, int], following: int, counts: Mapping[int, int] | None = None) -> bytes:
    """Give one page: `entries` by tag, `following`: where the next page begins, `counts`: of an entry's values, where not 1."""
    rows = [
        struct.pack("<HHII", tag, TEXT if tag == DESCRIPTION else LONG, (counts or {}).get(tag, 1), value)
        for tag, value in sorted(entries.items())
    ]
    return struct.pack("<H", len(rows)) + b"".join(rows) + struct.pack("<I", following)


def grey(width: int, height: int, strip: int, stored: int, **others: int) -> dict[int, int]:
    """Give the entries of an 8-bit grey page whose strip of `stored` bytes begins at `strip`."""
    entries = {WIDTH: width, HEIGHT: height, BITS: 8, COMPRESSION: 1, PHOTOMETRIC: 1, STRIP: strip}
    entries |= {SAMPLES: 1, ROWS: height, BYTES: stored}
    return entries | {int(tag.removeprefix("tag")): value for tag, value in others.items()}


def chain(
    pages: Sequence[Mapping[int, int]], *, last: int = 0, data: bytes = b"", counts: Mapping[int, int] | None = None
) -> bytes:
    """Give a file of pages, one after the other, and then the data; the last page names `last` as the next."""
    lengths = [len(page(entries, 0)) for entries in pages]
    starts = [8 + sum(lengths[:number]) for number in range(len(pages))]
    parts = [page(entries, following, counts) for entries, following in zip(pages, [*starts[1:], last], strict=True)]
    return HEADER + struct.pack("<I", 8) + b"".join(parts) + data
