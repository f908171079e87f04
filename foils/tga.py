"""Read TGA: the header by type, depth and attribute bits, and the 16-bit grey values that Pillow takes for 8 bits with alpha.

Pillow decodes the rest. The format has no first bytes of its own, so that a header must be plausible in all its fields. See the
Truevision TGA File Format Specification 2.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.image_faults import ImageFault, check_size

MAPPED, COLOUR, GREY = 1, 2, 3
PACKED = 8
# The bits of a pixel, by type.
DEPTHS = {MAPPED: (8,), COLOUR: (16, 24, 32), GREY: (1, 8, 16)}
# A packet of a run-length coded image stands for as many pixels at the most.
RUN = 128


@dataclass(frozen=True)
class Tga:
    """The header of a TGA file, and its pixels."""

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
    # What follows the header, the text and the palette.
    data: bytes

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The type of the grey values."""
        return np.uint16 if self.kind == GREY and self.depth == 16 and not self.attributes else np.uint8

    def decode(self) -> npt.NDArray[np.uint8 | np.uint16]:
        """Give the values of 16-bit grey, or of 8-bit grey with alpha, `[1, y, x]`."""
        count = self.width * self.height
        data = _unpacked(self.data, count) if self.packed else self.data[: 2 * count]
        if len(data) < 2 * count:
            raise ImageFault("the file is damaged (image file is truncated)")
        values = np.frombuffer(data, np.dtype("<u2"), count).reshape(self.height, self.width)
        if self.dtype is np.uint8:
            values = np.bitwise_and(values, np.uint16(0xFF))  # the grey value stands before its alpha
        rows = slice(None) if self.top_down else slice(None, None, -1)
        columns = slice(None, None, -1) if self.right_to_left else slice(None)
        grey: npt.NDArray[np.uint8 | np.uint16] = values[rows, columns].astype(self.dtype)
        return grey[np.newaxis]


def open_tga(content: bytes) -> Tga | None:
    """Read the header; None where this is no TGA file. Raises ImageFault for one that holds no 8- or 16-bit grey values."""
    if len(content) < 18:
        return None
    text, has_map, kind, _, entries, entry_bits, _, _, width, height, depth, bits = struct.unpack("<BBBHHBHHHHBB", content[:18])
    packed, kind = bool(kind & PACKED), kind & ~PACKED
    attributes = bits & 15
    if depth not in DEPTHS.get(kind, ()) or has_map > 1 or (kind == MAPPED) > has_map or not width or not height or bits >> 6:
        return None
    if kind == COLOUR and depth == 16:
        raise ImageFault("its colours have 5 bits each, and 8- or 16-bit grey values are needed")
    if kind == GREY and depth == 16 and attributes not in (0, 8):
        raise ImageFault(f"its 16 bits hold {attributes} of alpha, and 8- or 16-bit grey values are needed")
    start = 18 + text + has_map * entries * (-(-entry_bits // 8))
    data = content[start:]
    pixel = max(depth // 8, 1)
    pixels = width * height
    least = -(-pixels // RUN) * (1 + pixel) if packed else (pixels * depth) // 8
    if len(data) < least:
        raise ImageFault("the file is damaged (image file is truncated)")
    check_size(width, height, 4 if kind == MAPPED else pixel, len(content))
    return Tga(kind, packed, width, height, depth, attributes, bool(bits & 0x20), bool(bits & 0x10), data)


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
