"""Decode parts of a TIFF's pages: of plain pixels their own bytes alone, of others the strips and tiles that they touch.

A scan of 200 million pixels with 300 pits on it is not decoded as a whole. Knows nothing of chains, headers or pits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile

from foils.image_faults import ImageFault
from foils.open_image import Box
from pitsearch.regular_file import read_up_to

Part = npt.NDArray[np.generic]


def page_parts(stream: BinaryIO, page: tifffile.TiffPage, boxes: Sequence[Box]) -> list[Part]:
    """Decode parts of a page, `[y, x]` or `[y, x, samples]` each, in this machine's byte order."""
    if page.is_final:
        return plain_parts(stream, page, page.dataoffsets[0], boxes)
    parts = [np.zeros((box.height, box.width, page.samplesperpixel), page.dtype) for box in boxes]
    touching = _segments(page, boxes)
    for number in sorted(touching):
        _copy_segment(stream, page, number, [(boxes[index], parts[index]) for index in touching[number]])
    return [_shaped(part, page) for part in parts]


def plain_parts(stream: BinaryIO, page: tifffile.TiffPage, start: int, boxes: Sequence[Box]) -> list[Part]:
    """Read parts of an image that lies in the file as it is, row after row from `start`, shaped like a page."""
    assert page.dtype is not None  # of what has a header that was checked
    stored = np.dtype(page.dtype).newbyteorder("<" if page.parent.byteorder == "<" else ">")
    pixel = stored.itemsize * page.samplesperpixel
    parts: list[Part] = []
    for box in boxes:
        length = box.width * pixel
        rows = bytearray()
        for row in range(box.top, box.top + box.height):
            stream.seek(start + (row * page.imagewidth + box.left) * pixel)
            rows += stream.read(length)
        if len(rows) != length * box.height:
            raise ImageFault("the file is damaged (image file is truncated)")
        values = np.frombuffer(rows, stored).reshape(box.height, box.width, page.samplesperpixel)
        parts.append(_shaped(values.astype(page.dtype, copy=False), page))
    return parts


def _shaped(part: Part, page: tifffile.TiffPage) -> Part:
    return part if len(page.shape) > 2 else part[..., 0]


def _segments(page: tifffile.TiffPage, boxes: Sequence[Box]) -> dict[int, list[int]]:
    """Give the strips or tiles that boxes touch, and for each the boxes' indices."""
    tall, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    abreast = -(-page.imagewidth // wide)
    touching: dict[int, list[int]] = defaultdict(list)
    for index, box in enumerate(boxes):
        for row in range(box.top // tall, (box.top + box.height - 1) // tall + 1):
            for column in range(box.left // wide, (box.left + box.width - 1) // wide + 1):
                touching[row * abreast + column].append(index)
    return touching


def _copy_segment(stream: BinaryIO, page: tifffile.TiffPage, number: int, targets: Sequence[tuple[Box, Part]]) -> None:
    """Decode one strip or tile, and copy what each box shows of it."""
    if number >= min(len(page.dataoffsets), len(page.databytecounts)):
        raise ImageFault("the file is damaged (a strip or tile is missing)")
    start, length = page.dataoffsets[number], page.databytecounts[number]
    content: bytes | None = None
    if start > 0 and length > 0:
        stream.seek(start)
        content = read_up_to(stream, length)
    segment, (_, _, top, left, _), (_, height, width, _) = page.decode(content, number)
    if segment is not None:
        height, width = segment.shape[1:3]
    for box, part in targets:
        upper, lower = max(box.top, top), min(box.top + box.height, top + height)
        first, last = max(box.left, left), min(box.left + box.width, left + width)
        values = page.nodata if segment is None else segment[0, upper - top : lower - top, first - left : last - left]
        part[upper - box.top : lower - box.top, first - box.left : last - box.left] = values
