"""What was measured of one worker, one database and one epoch, as the simulation takes it. Reads `results.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search import defaults
from search.trials.ladder import Ladder

RESULTS = Path(__file__).parents[1] / "results.json"
STORAGE = "PostgreSQL"
# The rungs on which it is decided who climbs on: all but the last.
DECIDED = len(Ladder.parse(defaults.LADDER).rungs) - 1


@dataclass(frozen=True)
class Line:
    """A cost that grows with the trials of a study."""

    # Seconds of an empty study, and seconds for each trial of it.
    start: float
    slope: float

    def at(self, trials: float) -> float:
        """Give the seconds in a study of so many trials."""
        return self.start + self.slope * trials


@dataclass(frozen=True)
class Costs:
    """Seconds, of one worker alone on PostgreSQL."""

    # The transaction that hands out a trial, one at a time; that of a rung; and that of a trial's end.
    claim: Line
    stand: Line
    end: Line
    # TPE's computing.
    choose: Line
    # A trial that ended, read once by each worker; and one that runs, read at each choice.
    read_ended: float
    read_running: float
    # A transaction that changes one row.
    write: float
    # A fold's epoch of pitnet over 1,000 pits.
    epoch: float


def measured(path: Path = RESULTS) -> Costs:
    """Read the costs that were measured."""
    results = json.loads(path.read_text(encoding="utf-8"))
    growth, beside, storages = (_rows(table) for table in results["storage"]["tables"])
    here = [row for row in growth if row["storage"] == STORAGE]
    there = [int(row["trials there"]) for row in here]
    running = [int(row["running beside"]) for row in beside]
    anew = next(row for row in storages if row["storage"] == STORAGE)
    read = {int(name.split()[0]): float(cell) for name, cell in anew.items() if name.endswith("read anew, s")}
    epochs = next(row for row in _rows(results["cost"]["tables"][1]) if row["network"] == "pitnet")
    rungs = _line(there, [_ms(row["rungs"]) for row in here])
    return Costs(
        claim=_line(there, [_ms(row["claim"]) for row in here]),
        stand=Line(rungs.start / (DECIDED + 1), rungs.slope / DECIDED),
        end=_line(there, [_ms(row["end"]) for row in here]),
        choose=_line(there, [_ms(row["suggest"]) for row in here]),
        read_ended=read[max(read)] / max(read),
        read_running=_line(running, [_ms(row["suggest"]) for row in beside]).slope,
        write=float(anew["a write, ms"]) / 1e3,
        epoch=_ms(epochs["1400 pits"]),
    )


def _rows(table: Mapping[str, Any]) -> list[dict[str, str]]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _ms(cell: str) -> float:
    """Give the seconds of a cell `median [least, greatest]` of milliseconds."""
    return float(cell.split()[0]) / 1e3


def _line(counts: Sequence[int], seconds: Sequence[float]) -> Line:
    slope, start = np.polyfit(counts, seconds, 1)
    return Line(max(float(start), 0.0), max(float(slope), 0.0))
