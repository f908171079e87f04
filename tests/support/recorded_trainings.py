"""Trainings as the recorded table of the benchmarks keeps them, of made-up values."""

from __future__ import annotations

from typing import Any


def measures(value: float) -> dict[str, Any]:
    return {
        "acceptance": [value / 4, value / 3, value / 2, value],
        "mean_acceptance": value / 5,
        "standard_error": 9.0,
        "auc": 0.9,
    }


def training(value: float, epochs: int, learned: bool = True) -> dict[str, Any]:
    """Make a training whose second fold ended an epoch before the first, and whose values tell where they belong."""
    rows = [
        {
            "train_loss": 1e30,
            "validation_loss": 0.123456,
            "verdict": "learned",
            "ms": 100.0 + epoch,
            **measures(value + epoch / 100),
        }
        for epoch in range(epochs)
    ]
    return {
        "config": {"network": {"name": "pitnet"}},
        "verdicts": ["learned", "learned" if learned else "diverged"],
        "curves": [rows, rows[:-1]],
        "fresh": 50,
        "members": [measures(value), measures(value / 2)],
        "ensemble": measures(value) if learned else None,
        "scoring_ms": 1234,
    }
