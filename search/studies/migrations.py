"""Bring the stored plan of a study that an older pitsearch made to the form of today, one step a format."""

from __future__ import annotations

import json
from typing import Any

from search import defaults
from search.trials.formats import Migration


def _nest_options(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 1, of version 0.1.0, to 2: options are one table, the space is a table instead of its JSON text.

    Format 1 has no record of how the held-out pits were chosen, so the default stands in its place; nothing is compared with
    it, and the next launch of the study writes its own.
    """
    values = dict(stored)
    options = {name: values.pop(name) for name in ("seed", "working_point", "ladder", "pruner", "audit")}
    objectives = values.pop("objectives", ",".join(defaults.OBJECTIVES)).split(",")
    holdout = {"share": 0.2, "slides": []}
    values["options"] = {**options, "sampler": defaults.SAMPLER, "objectives": objectives, "holdout": holdout}
    values["space"] = json.loads(values["space"])
    return values


def _show_every_image(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 2 to 3: an epoch of mode `examples` showed every image of a pit, and does so still in a study made that way."""
    space = stored["space"]
    return {**stored, "space": {**space, "channels.shown": [0]} if "channels.scores" in space else space}


# Each takes the format of its place, counted from 1, to the next.
MIGRATIONS: tuple[Migration, ...] = (_nest_options, _show_every_image)
