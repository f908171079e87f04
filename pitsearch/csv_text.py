"""Write a table as the text of a CSV file, always alike: commas, a line feed at the end of a line. Imports nothing of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_text(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Give a header and rows as CSV; cells are written as `str` gives them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
