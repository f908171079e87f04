"""Write the portfolio that searches start from, as the table has it: `python -m benchmarks.replay.shipped_portfolio`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.replay.portfolio import portfolio
from benchmarks.table.data_sets import TUNING
from benchmarks.table.recorded import Recorded, read_all
from spaces import Config
from spaces.known_configs import write_known

FILE = Path(__file__).parents[2] / "spaces" / "portfolio.toml"
# The data set whose lights and labels it is written with.
WRITTEN_WITH = "easy"
REMARK = """# Configurations that a search starts from, the most useful first.
#
# `python -m benchmarks.replay.shipped_portfolio` wrote this file: chosen from {count} draws of the space `standard`, trained on
# {names}. Each adds most to the mean, over these data sets, of the best true acceptance so far, at 5 % false
# positives; where none adds anything, the best on the mean comes next. Lights and labels are those of the synthetic foils.
"""


def portfolio_text(tables: Mapping[str, Recorded]) -> str:
    """Give the portfolio as a file of known configurations, with what each truly accepts."""
    tuning = [tables[name] for name in TUNING]
    numbers = portfolio(tuning)
    parts = [
        REMARK.format(count=min(len(table.numbers) for table in tuning), names=", ".join(TUNING[:-1]) + " and " + TUNING[-1])
    ]
    for number in numbers:
        accepted = (f"{table.true_acceptance()[_place(table, number)]:.1%} on {table.name}" for table in tuning)
        written = tables[WRITTEN_WITH].configs[_place(tables[WRITTEN_WITH], number)]
        parts.append(write_known(Config.from_dict(written), f"Draw {number}: {', '.join(accepted)}."))
    return "\n".join(parts)


def _place(table: Recorded, number: int) -> int:
    return int(np.searchsorted(table.numbers, number))


if __name__ == "__main__":
    FILE.write_text(portfolio_text(read_all()), encoding="utf-8")
