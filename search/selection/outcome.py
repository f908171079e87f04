"""The outcome of `select`: the candidates, the winner's model, the reading of the held-out set. Knows nothing of training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.inference.bundle import Bundle
from models.inference.ensemble import Ensemble
from search.selection.candidates import Candidate
from search.selection.final_model import FinalModel
from search.selection.held_out import Opening
from search.selection.selection_html import selection_html
from search.selection.selection_record import ModelKey
from search.selection.slide_validation import SlideValidation
from search.studies.study import Study


@dataclass(frozen=True)
class ModelOrigin:
    """What is known of a model: what it was made from, and how good it was."""

    study: Study
    # Its trial.
    candidate: Candidate
    key: ModelKey
    model: FinalModel
    # Hashes of the pixels that the search saw, and of those that show the same plastic.
    searched_pixels: tuple[str, ...] = ()
    # The reading of the held-out set; None where it was not opened for this model.
    opening: Opening | None = None
    # The acceptance on slides that the configuration never saw; None where that was not measured.
    by_slides: SlideValidation | None = None


@dataclass(frozen=True)
class Selection:
    """The outcome of `select`."""

    study: Study
    # Ranked, kept ones first.
    candidates: tuple[Candidate, ...]
    # Which of them won, what was made of it, and its hash.
    key: ModelKey
    model: FinalModel
    # The reading of the held-out set.
    opening: Opening
    # Where the model is kept, as a bundle.
    bundle_folder: Path
    # The acceptance on slides that the winner's configuration never saw.
    by_slides: SlideValidation
    # Hashes of the pixels that the search saw, and of those that show the same plastic.
    searched_pixels: tuple[str, ...] = ()

    def __repr__(self) -> str:
        acceptance = self.opening.held_out.points[0].acceptance
        return f"Selection({self.study.name}: trial {self.winner.number} wins, held-out acceptance {acceptance})"

    def _repr_html_(self) -> str:
        """Give what a notebook shows."""
        return selection_html(self.study.name, self.candidates, self.key, self.opening, self.by_slides, self.bundle_folder)

    @property
    def winner(self) -> Candidate:
        """The candidate that was chosen."""
        return next(candidate for candidate in self.candidates if candidate.wins)

    @property
    def origin(self) -> ModelOrigin:
        """What is known of the winner's model."""
        known = (self.winner, self.key, self.model, self.searched_pixels, self.opening, self.by_slides)
        return ModelOrigin(self.study, *known)

    @property
    def ensemble(self) -> Ensemble:
        """The trained, calibrated networks."""
        return self.model.ensemble

    @property
    def threshold(self) -> float:
        """The threshold at the study's working point."""
        return self.model.thresholds[self.study.plan.options.working_point]

    @property
    def gap(self) -> float:
        """By how much the search's own acceptance lies above the held-out one."""
        return self.winner.searched.value - self.opening.held_out.points[0].acceptance.value


def bundle_of(study: Study, model: FinalModel) -> Bundle:
    """Give a final model of a study as a bundle that says nothing yet about it."""
    rate = study.plan.options.working_point
    return Bundle(model.ensemble, model.thresholds[rate], rate, {})
