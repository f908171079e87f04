"""What a study keeps of each confirmation: a trial's configuration, cross-validated again on a split and a seed of its own.

The splits follow from the study's seed and the number of the repeat, and so are the same for every trial; nothing of them was
seen by the search. Kept as user attributes of the study, for Optuna changes no trial that is finished. Knows nothing of racing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import optuna

from foils import Dataset
from foils.folds import fold_numbers
from models.metrics import Floats
from search.seeds import derive_seed
from search.studies.plan import Plan
from search.training.cross_validation import CVRequest, Repeat, splits
from spaces import Config

# The key of a confirmation is this, the trial and the repeat.
CONFIRMATION = "pitsearch:confirmation"
# What sets the seeds of confirmations apart from those of the search.
APART = 0xC0F1


@dataclass(frozen=True)
class Confirmation:
    """How one repeat ended, one value a fold, as `cross_validation.Repeat` says; `scores`: `[pits]`, P(signal) out of fold."""

    scores: Floats
    accepted: tuple[int, ...]
    signals: tuple[int, ...]
    auc: tuple[float, ...]
    verdicts: tuple[str, ...]
    reseeds: tuple[int, ...]
    epochs_run: int
    seconds: float


def ask_for(plan: Plan, data: Dataset, config: Config, trial: int, repeat: int) -> CVRequest:
    """Say what a confirmation trains; `data`: the pits that trials may see."""
    ladder, seed = plan.ladder, plan.options.seed
    folds = splits(fold_numbers(data, ladder.folds, derive_seed(seed, APART, repeat)))
    return CVRequest(data, config, folds, derive_seed(seed, APART, repeat, trial), ladder.epochs, plan.options.working_point)


def keep(study: optuna.Study, trial: int, repeat: int, found: Repeat) -> Confirmation:
    """Keep a confirmation in its study."""
    names = [field.name for field in fields(Confirmation) if field.name != "scores"]
    kept = Confirmation(found.scores, **{name: getattr(found, name) for name in names})
    # Scores are made in float32; as such they come back bit for bit, and thresholds with them.
    coded = base64.b64encode(found.scores.astype("<f4").tobytes()).decode()
    study.set_user_attr(f"{CONFIRMATION}:{trial}:{repeat}", {**asdict(kept), "scores": coded})
    return kept


def kept(study: optuna.Study) -> dict[tuple[int, int], Confirmation]:
    """Read every confirmation of a study, by trial and repeat."""
    found = {}
    for key, values in study.user_attrs.items():
        name, _, place = key.partition(f"{CONFIRMATION}:")
        if place and not name:
            trial, repeat = map(int, place.split(":"))
            given: dict[str, Any] = {
                field: tuple(value) if isinstance(value, list) else value for field, value in values.items()
            }
            given["scores"] = np.frombuffer(base64.b64decode(given["scores"]), "<f4").astype(np.float64)
            found[trial, repeat] = Confirmation(**given)
    return found


def of_trial(confirmations: Mapping[tuple[int, int], Confirmation], number: int) -> Sequence[Confirmation]:
    """Give the confirmations of one trial in the order of the repeats."""
    return [confirmations[key] for key in sorted(confirmations) if key[0] == number]
