"""Write a model with all that is known of it into a folder, as `select` keeps it and `export` writes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from foils import Dataset
from models.inference.bundle import write_bundle
from models.inference.example import write_example
from search.selection.front_matter import CARD
from search.selection.model_card import describe, source_of, write_card
from search.selection.outcome import ModelOrigin, bundle_of
from search.selection.pit_scores import pit_rows, write_pit_scores
from search.studies.plan import Plan


def write_model(folder: Path, origin: ModelOrigin, data: Dataset) -> None:
    """Write weights, descriptions, card, scores and example into an existing folder.

    `data`: all pits of the study's data. Of the held-out ones only the slides are read, and the scores that a reading gave.
    """
    plan, model, opening = origin.study.plan, origin.model, origin.opening
    searched, locked = plan.search_set(data), plan.held_out_set(data)
    bundle = replace(bundle_of(origin.study, model), about=describe(origin), source=source_of(locked))
    write_bundle(folder, bundle)
    write_example(folder, bundle, searched)
    assert model.out_of_fold is not None  # whoever makes a model gives it
    held_out = (locked, opening.scores) if opening else (None, None)
    write_pit_scores(folder, pit_rows(searched, model.out_of_fold, bundle.threshold, *held_out))
    (folder / CARD).write_text(write_card(origin, bundle, searched), encoding="utf-8")


def searched_pixels(plan: Plan, data: Dataset) -> tuple[str, ...]:
    """Give the hashes of the pits that the search saw, and of all that share plastic with one of them."""
    searched = np.isin(data.groups, plan.search_set(data).groups)
    return tuple(sorted({pixels for pixels, seen in zip(data.pixel_hashes, searched, strict=True) if seen}))
