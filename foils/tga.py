"""Read TGA: the header by type, depth and attribute bits, and the 16-bit grey values that Pillow takes for 8 bits with alpha.

Pillow decodes the rest. The format has no first bytes of its own, so that a header must be plausible in all its fields. See the
Truevision TGA File Format Specification 2.0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from foils.image_faults import ImageFault, check_size
from foils.image_files import size_of
from foils.open_image import Box

MAPPED, COLOUR, GREY = 1, 2, 3
PACKED = 8
# The bits of a pixel, by type.
DEPTHS = {MAPPED: (8,), COLOUR: (16, 24, 32), GREY: (1, 8, 16)}
# A packet of a run-length coded image stands for as many pixels at the most.
RUN = 128


@dataclass(frozen=True)
class Tga:
    """The header of a TGA file, and where its pixels are."""

    kind: int
    packed: bool
    width: int
    height: int
    # Bits a pixel, and how many of them are alpha or nothing.
    depth: int
    attributes: int
    # Whether the first row is the top one, and the first pixel of a row the right one.
    top_down: bool
    right_to_left: bool
    # The open file, and where the header, the text and the palette end.
    stream: BinaryIO
    start: int

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The type of the grey values."""
        return np.uint16 if self.kind == GREY and self.depth == 16 and not self.attributes else np.uint8

    def decode(self, boxes: Sequence[Box]) -> list[npt.NDArray[np.generic]]:
        """Give parts of 16-bit grey, or of 8-bit grey with alpha, `[1, y, x]` each."""
        count = self.width * self.height
        self.stream.seek(self.start)
        data = _unpacked(self.stream.read(), count) if self.packed else self.stream.read(2 * count)
        if len(data) < 2 * count:
            raise ImageFault("the file is damaged (image file is truncated)")
        values = np.frombuffer(data, np.dtype("<u2"), count).reshape(self.height, self.width)
        rows = slice(None) if self.top_down else slice(None, None, -1)
        columns = slice(None, None, -1) if self.right_to_left else slice(None)
        values = values[rows, columns]
        parts = [values[box.top : box.top + box.height, box.left : box.left + box.width] for box in boxes]
        if self.dtype is np.uint8:
            parts = [np.bitwise_and(part, np.uint16(0xFF)) for part in parts]  # the grey value stands before its alpha
        return [part.astype(self.dtype)[np.newaxis] for part in parts]


def open_tga(stream: BinaryIO) -> Tga | None:
    """Read the header; None where this is no TGA file. Raises ImageFault for one that holds no 8- or 16-bit grey values."""
    size = size_of(stream)
    if size < 18:
        return None
    stream.seek(0)
    text, has_map, kind, _, entries, entry_bits, _, _, width, height, depth, bits = struct.unpack(
        "<BBBHHBHHHHBB", stream.read(18)
    )
    packed, kind = bool(kind & PACKED), kind & ~PACKED
    attributes = bits & 15
    if depth not in DEPTHS.get(kind, ()) or has_map > 1 or (kind == MAPPED) > has_map or not width or not height or bits >> 6:
        return None
    if kind == COLOUR and depth == 16:
        raise ImageFault("its colours have 5 bits each, and 8- or 16-bit grey values are needed")
    if kind == GREY and depth == 16 and attributes not in (0, 8):
        raise ImageFault(f"its 16 bits hold {attributes} of alpha, and 8- or 16-bit grey values are needed")
    start = 18 + text + has_map * entries * (-(-entry_bits // 8))
    pixel = max(depth // 8, 1)
    pixels = width * height
    least = -(-pixels // RUN) * (1 + pixel) if packed else (pixels * depth) // 8
    if size - start < least:
        raise ImageFault("the file is damaged (image file is truncated)")
    check_size(width, height, 4 if kind == MAPPED else pixel, size)
    return Tga(kind, packed, width, height, depth, attributes, bool(bits & 0x20), bool(bits & 0x10), stream, start)


def pillow_reads(tga: Tga) -> bool:
    """Tell whether Pillow decodes the values as they are stored."""
    return not (tga.kind == GREY and tga.depth == 16)


def _unpacked(data: bytes, count: int) -> bytes:
    """Undo the run-length coding of pixels of two bytes. A packet is a pixel and how often, or so many pixels."""
    parts: list[bytes] = []
    place, pixels = 0, 0
    while pixels < count and place < len(data):
        length = (data[place] & 127) + 1
        if data[place] & 128:
            parts.append(data[place + 1 : place + 3] * length)
            place += 3
        else:
            parts.append(data[place + 1 : place + 1 + 2 * length])
            place += 1 + 2 * length
        pixels += length
    return b"".join(parts)
