"""Hits of a scan at places that a test chooses."""

from __future__ import annotations

from typing import Any

from scan.hits import Hit


def foil_hit(name: str, x: float, y: float, *, p_signal: float = 0.9, **others: Any) -> Hit:
    """Make a hit; the threshold is 0.5."""
    values: dict[str, Any] = {
        "hit": name,
        "foil": "c1",
        "slide": "1",
        "x": float(x),
        "y": float(y),
        "x_um": None,
        "y_um": None,
        "x_foil": None,
        "y_foil": None,
        "p_signal": p_signal,
        "class_name": "signal" if p_signal >= 0.5 else "background",
        "spread": 0.05,
        "accepted": p_signal >= 0.5,
        "threshold": 0.5,
        "model": "0123456789ab",
    }
    return Hit(**{**values, **others})
