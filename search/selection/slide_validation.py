"""Cross-validate the winner by slides: its acceptance on slides that it never saw, which is what it meets on new foil.

Splits by pits let a network learn what the pits of one slide share: lighting, focus, etching. The study records the outcome, so
that the same winner is trained once. Knows nothing of the held-out set.
"""

from __future__ import annotations

from dataclasses import dataclass

from foils import DataError, Dataset
from foils.folds import slide_folds
from search.counting import Step, shown
from search.seeds import derive_seed
from search.selection.confirmations import Confirmation, check_confirmation, confirmation_of
from search.selection.json_values import from_json, to_json
from search.statistics.fitted import fit_acceptance
from search.statistics.intervals import Share
from search.studies.study import Study
from search.training.cross_validation import CVRequest, splits, train_here
from spaces import Config

# The key of a validation is this and the trial.
VALIDATION = "pitsearch:slides"
# What sets its seeds apart from those of confirmations.
APART = 0x511D


@dataclass(frozen=True)
class SlideValidation:
    """Acceptance on slides that a configuration never saw."""

    # None where the data cannot be cut by slides.
    acceptance: Share | None
    # Folds of whole slides.
    folds: int
    # Why there is no acceptance; empty where there is one.
    reason: str = ""

    def __str__(self) -> str:
        if self.acceptance is None:
            return f"acceptance on slides it never saw: not known, for {self.reason}"
        return f"acceptance on slides it never saw: {self.acceptance}, over {self.folds} folds of whole slides"


def validate_by_slides(
    study: Study, data: Dataset, number: int, config: Config, progress: bool | Step = False
) -> SlideValidation:
    """Cross-validate a trial's configuration by slides, or give what was recorded.

    `data`: the pits that trials may see; `progress`: counts the epochs.
    """
    plan = study.plan
    try:
        folds = slide_folds(data, plan.ladder.folds, derive_seed(plan.options.seed, APART))
    except DataError as error:
        return SlideValidation(None, 0, str(error).rstrip("."))
    key = f"{VALIDATION}:{number}"
    recorded = study.optuna.user_attrs.get(key)
    if recorded is None:
        seed, options = derive_seed(plan.options.seed, APART, number), plan.options
        request = CVRequest(data, config, splits(folds), seed, plan.ladder.epochs, options.working_point)
        with shown(progress, "epochs on slides never seen") as step:
            repeat = train_here(request, step)
        recorded = to_json(confirmation_of(repeat))
        study.optuna.set_user_attr(key, recorded)
    what = f"the attribute {key!r} of study {study.name!r}"
    confirmation = from_json(recorded, Confirmation, what)
    check_confirmation(confirmation, what, len(data), int(folds.max()) + 1)
    scores = confirmation.scores
    scored = [(folds == fold) & data.is_scored for fold in range(int(folds.max()) + 1)]
    acceptance = fit_acceptance([(scores[part], data.is_signal[part]) for part in scored], plan.options.working_point)
    return SlideValidation(acceptance.share, len(scored))
