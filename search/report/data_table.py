"""Lay out what people see of a data set: the table of `check`, which starts without Optuna. Knows nothing of studies."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foils import Dataset
from foils.description import Description
from search.statistics.intervals import wilson

# With fewer signal pits than this an acceptance is known to no better than some ten points.
FEW_SIGNALS = 100


def data_table(data: Dataset) -> RenderableType:
    """Show a data set: pits by label and slide, channels, what was left out."""
    description = data.description
    table = Table(title=f"{description.name}: {len(data)} pits", title_justify="left")
    for column in ("label", "role"):
        table.add_column(column)
    for column in ("pits", "share", "slides"):
        table.add_column(column, justify="right")
    for label, count in data.counts().items():
        ignored = label in description.ignore
        role = "signal" if label == description.signal else "never scored" if ignored else "background"
        slides = {(pit.foil, pit.slide) for pit in data.pits if pit.label == label}
        table.add_row(label, role, str(count), f"{count / len(data):.1%}", str(len(slides)))
    kinds = ", ".join(f"{channel.name} ({_light(channel.kind, channel.azimuth_deg)})" for channel in description.channels)
    bits = data.full_scale.bit_length()
    lines = [
        f"channels     {kinds}",
        f"crops        {description.crop} x {description.crop} pixels{_stored(description)}, {bits} bit",
        f"fingerprint  {data.fingerprint[:12]}",
        *(f"note         {note}" for note in (*data.notes, *_few_signals(data))),
    ]
    return Group(table, *(Text(line) for line in lines))


def _few_signals(data: Dataset) -> list[str]:
    """Say how well an acceptance can be known with so few signal pits."""
    signals = int(data.is_signal.sum())
    if not 0 < signals < FEW_SIGNALS:
        return []
    share = wilson(round(0.9 * signals), signals)
    return [f"few signal pits ({signals}): an acceptance near 0.9, measured on all of them, is {share}; label more"]


def _stored(description: Description) -> str:
    edge = description.stored_crop
    if edge == description.crop:
        return ""
    return f" ({'resized from' if description.resize_from else 'the middle of'} {edge} x {edge})"


def _light(kind: str, azimuth: float | None) -> str:
    return kind if azimuth is None else f"{azimuth:g} deg"
