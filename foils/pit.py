"""A pit: one line of `labels.csv`. Knows nothing of files or pixels."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pit:
    """One labelled or candidate object."""

    pit: str
    label: str
    foil: str
    slide: str
    # `x`, `y`: pixels of the slide's frame, from its top-left corner, x to the right, y downwards.
    x: float | None = None
    y: float | None = None
    # The labelling campaign.
    style: str = ""
    # The columns of labels.csv that pitsearch does not use.
    further: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    # The place on the foil, in micrometres of the microscope's stage.
    stage: tuple[float, float] | None = None
