"""Select: from a study's complete trials to one trained ensemble, and one look at the held-out set.

Keeps only what converged, ranks by the lower bound of acceptance, trains the winner, fixes its threshold from out-of-fold
scores, opens the held-out set once. Knows nothing of how it is shown or exported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from models.ensemble import Ensemble
from models.metrics import score, threshold_at
from models.verdicts import Verdict
from search.errors import StudyError
from search.intervals import Share, wilson
from search.members import train_members
from search.records import Reached, Recipe
from search.studies import Study, study_data
from spaces import Config

SELECTION = "pitsearch:selection"
# Also quoted at the false-positive rate that a rare signal asks for.
STRICT = 0.01
MAX_RESEEDS = 1


@dataclass(frozen=True)
class Candidate:
    """A complete trial as the selector sees it."""

    number: int
    config: Config
    acceptance: Share
    auc: float
    learned: int
    folds: int
    kept: bool
    reason: str


@dataclass(frozen=True)
class Point:
    """Acceptance and rejection on the held-out set, at the threshold that a working point gave out of fold."""

    working_point: float
    threshold: float
    acceptance: Share
    rejection: Share


@dataclass(frozen=True)
class HeldOut:
    """What the one look at the held-out set showed."""

    signals: int
    backgrounds: int
    auc: float
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Selection:
    """The outcome of `select`.

    `candidates`: ranked, kept ones first; `winner`: its trial; `ensemble`: its members that learned, of `folds` trained;
    `held_out` is None where the set had been opened before, for the trial `opened_for`.
    """

    study: Study
    candidates: tuple[Candidate, ...]
    winner: int
    folds: int
    threshold: float
    ensemble: Ensemble
    held_out: HeldOut | None
    opened_for: int


def rank(trials: Sequence[FrozenTrial]) -> tuple[Candidate, ...]:
    """Rank complete trials: those kept first, by the lower bound of their pooled acceptance."""
    candidates = [_candidate(trial) for trial in trials if trial.state == TrialState.COMPLETE]
    return tuple(sorted(candidates, key=lambda c: (not c.kept, -c.acceptance.low, -c.auc, c.number)))


def _candidate(trial: FrozenTrial) -> Candidate:
    recipe, reached = Recipe.demand(trial), Reached.demand(trial)
    verdicts = [Verdict(verdict) for verdict in reached.verdicts]
    kept, reason = _judge(verdicts, reached.reseeds)
    return Candidate(
        number=trial.number,
        config=Config.from_dict(recipe.config),
        acceptance=wilson(*reached.pooled),
        auc=float(np.mean(reached.auc)),
        learned=sum(verdict is Verdict.LEARNED for verdict in verdicts),
        folds=len(verdicts),
        kept=kept,
        reason=reason,
    )


def _judge(verdicts: Sequence[Verdict], reseeds: Sequence[int]) -> tuple[bool, str]:
    """Keep a trial whose folds all learned, after at most one reseed a fold."""
    for verdict in (Verdict.DIVERGED, Verdict.COLLAPSED, Verdict.OVERTRAINED, Verdict.UNFINISHED):
        if verdict in verdicts:
            folds = ", ".join(str(fold + 1) for fold, found in enumerate(verdicts) if found is verdict)
            return False, f"dropped: {verdict} in fold {folds}"
    if max(reseeds) > MAX_RESEEDS:
        return False, f"dropped: a fold was reseeded {max(reseeds)} times"
    again = sum(reseeds)
    return True, f"kept, {again} reseeded" if again else "kept"


def select(study: Study, *, data: str | Path | Dataset | None = None, workers: int | None = None) -> Selection:
    """Select the best model of a study that converges consistently, train it, and look once at the held-out set.

    `data`: where the study's data is now, if it has moved. Selecting the same winner again gives the same answer without
    another look. Raises StudyError where no trial can be kept.
    """
    candidates = rank(study.optuna.get_trials(deepcopy=False))
    if not candidates or not candidates[0].kept:
        found = f"none that converged among {len(candidates)} complete" if candidates else "no complete trial"
        raise StudyError(
            f"study {study.name!r} must have a trial whose folds all learned, but has {found}; launch more trials, or widen "
            "the space (learning rates first)."
        )
    return _settle(study, candidates, candidates[0].number, data, workers)


def selected(study: Study, *, data: str | Path | Dataset | None = None, workers: int | None = None) -> Selection:
    """Give the last selection of a study again. Raises StudyError where there is none."""
    before = study.optuna.user_attrs.get(SELECTION)
    if before is None:
        raise StudyError(
            f"study {study.name!r} must have been selected from, but was not; run `pitsearch select --study {study.name}`."
        )
    return _settle(study, rank(study.optuna.get_trials(deepcopy=False)), before["winner"], data, workers)


def _settle(
    study: Study,
    candidates: tuple[Candidate, ...],
    winner: int,
    data: str | Path | Dataset | None,
    workers: int | None,
) -> Selection:
    """Train the winner, fix its thresholds, and open the held-out set if nobody has."""
    opened, plan = study.optuna, study.plan
    loaded = data if isinstance(data, Dataset) else study_data(study, data)
    searched = plan.searched(loaded)
    trained = train_members(searched, study.trial(winner), plan, workers)
    scored = searched.is_scored & np.isfinite(trained.out_of_fold)
    thresholds = {
        rate: threshold_at(trained.out_of_fold[scored], searched.is_signal[scored], rate)
        for rate in sorted({plan.working_point, STRICT}, reverse=True)
    }
    before: dict[str, Any] = opened.user_attrs.get(SELECTION) or {
        "opened_for": winner,
        "held_out": asdict(_look(trained.ensemble, plan.locked(loaded), thresholds)),
    }
    opened.set_user_attr(SELECTION, {**before, "winner": winner})
    return Selection(
        study=study,
        candidates=candidates,
        winner=winner,
        folds=len(trained.learned),
        threshold=thresholds[plan.working_point],
        ensemble=trained.ensemble,
        held_out=_remembered(before["held_out"]) if before["opened_for"] == winner else None,
        opened_for=before["opened_for"],
    )


def _look(ensemble: Ensemble, locked: Dataset, thresholds: Mapping[float, float]) -> HeldOut:
    """Open the held-out set: score it once, at thresholds fixed before."""
    scores, is_signal = ensemble.scores(locked.crops())[locked.is_scored], locked.is_signal[locked.is_scored]
    points = []
    for rate, threshold in thresholds.items():
        found = score(scores, is_signal, threshold=threshold)
        points.append(Point(rate, threshold, wilson(found.accepted, found.signals), wilson(found.rejected, found.backgrounds)))
    return HeldOut(found.signals, found.backgrounds, found.auc, tuple(points))


def _remembered(look: Mapping[str, Any]) -> HeldOut:
    """Read back what the study remembers of its one look."""
    points = tuple(
        Point(**{**point, "acceptance": Share(**point["acceptance"]), "rejection": Share(**point["rejection"])})
        for point in look["points"]
    )
    return HeldOut(**{**look, "points": points})
