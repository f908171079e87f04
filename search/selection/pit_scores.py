"""The table of P(signal) of every pit that a model is judged by: out of fold, and held out.

Trains nothing, scores nothing and opens nothing: it writes what a selection computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foils import Dataset
from foils.pit import Pit
from pitsearch.csv_text import csv_text
from scan.parquet import parquet_bytes

if TYPE_CHECKING:
    from models.metrics import Floats  # imports scikit-learn, which a copy of a model does not need

# The table, twice.
CSV, PARQUET = "scores.csv", "scores.parquet"
COLUMNS = ("pit", "foil", "slide", "label", "role", "set", "fold", "p_signal", "accepted")
# Digits of a score in the CSV, as in those of `predict`.
DIGITS = 6
OUT_OF_FOLD, HELD_OUT = "out-of-fold", "held-out"


@dataclass(frozen=True)
class OutOfFold:
    """P(signal) of the pits of the search by networks that did not learn from them; calibration and threshold rest on it."""

    # Calibrated, `[rounds, pits]`; NaN where no network that learned scored the pit.
    scores: Floats
    # The pit's fold, or its folds where networks of several cross-validations are averaged, one text a score.
    folds: Sequence[Sequence[str]]


# The values of COLUMNS.
Row = tuple[str, str, str, str, str, str, str, float | None, bool | None]


def pit_rows(
    searched: Dataset, out_of_fold: OutOfFold, threshold: float, locked: Dataset | None = None, held_out: Floats | None = None
) -> list[Row]:
    """List the scores out of fold, then those of the held-out pits.

    `searched`: the pits that trials may see; `locked`: the held-out pits; `held_out`: their P(signal), `[pits]`, None where
    an older version read it and kept none: their rows have no score then.
    """
    rows = [
        _row(pit, role, OUT_OF_FOLD, fold, float(chance), threshold)
        for scores, folds in zip(out_of_fold.scores, out_of_fold.folds, strict=True)
        for pit, role, fold, chance in zip(searched.pits, _roles(searched), folds, scores, strict=True)
    ]
    if locked is not None:
        chances = np.full(len(locked), np.nan) if held_out is None else held_out
        rows += [
            _row(pit, role, HELD_OUT, "", float(chance), threshold)
            for pit, role, chance in zip(locked.pits, _roles(locked), chances, strict=True)
        ]
    return rows


def write_pit_scores(folder: Path, rows: Sequence[Row]) -> None:
    """Write the table as CSV and as Parquet into an existing folder; what is not known is empty."""
    (folder / CSV).write_text(csv_text(COLUMNS, ([_cell(value) for value in row] for row in rows)), encoding="utf-8")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
    (folder / PARQUET).write_bytes(parquet_bytes(columns, {"p_signal": "float64", "accepted": "bool"}))


def _roles(data: Dataset) -> list[str]:
    """Say what each pit counts as: signal, background, or, where it is never scored, nothing."""
    return [
        ("signal" if signal else "background") if scored else ""
        for signal, scored in zip(data.is_signal, data.is_scored, strict=True)
    ]


def _row(pit: Pit, role: str, part: str, fold: str, chance: float, threshold: float) -> Row:
    known = not np.isnan(chance)
    place = (pit.pit, pit.foil, pit.slide, pit.label, role, part, fold)
    return (*place, chance if known else None, chance >= threshold if known else None)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.{DIGITS}f}" if isinstance(value, float) else str(value)
