"""Draw a curve as one line of text, a sign a value. Knows nothing of what the values are."""

from __future__ import annotations

from collections.abc import Sequence

# From low to high; the second is for terminals that show no others.
BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-=+*#@"


def sparkline(values: Sequence[float], width: int, *, ascii_only: bool = False) -> str:
    """Draw the last `width` values between their least and their greatest; where all are equal, low."""
    shown = values[-width:] if width > 0 else ()
    if not shown:
        return ""
    signs, low, high = ASCII if ascii_only else BLOCKS, min(shown), max(shown)
    step = (high - low) / len(signs) or 1.0
    return "".join(signs[min(int((value - low) / step), len(signs) - 1)] for value in shown)
