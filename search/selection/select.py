"""Select: from a study's complete trials to one trained model, and a reading of the held-out set.

Confirms the best, keeps only what converges reliably, trains the winner, fixes its threshold from scores out of fold, reads the
held-out set once. Two numbers come of it: the search's own, which is optimistic, for the search chose by it, and the held-out
one. Knows nothing of how they are shown or exported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from foils import Dataset
from models.inference.ensemble import Ensemble
from search import defaults
from search.errors import StudyError
from search.selection.candidates import Candidate, judge
from search.selection.confirm import ConfirmOptions, confirm, entrant_of
from search.selection.final_model import FinalModel, check_final, make_final_model
from search.selection.held_out import ModelKey, Opening, open_held_out, recall
from search.studies.study import Study, study_data

SELECTION = "pitsearch:selection"


@dataclass(frozen=True)
class Selection:
    """The outcome of `select`.

    `candidates`: ranked, kept ones first; `key`: which of them won and what was made of it, `model`; `opening`: the reading of
    the held-out set.
    """

    study: Study
    candidates: tuple[Candidate, ...]
    key: ModelKey
    model: FinalModel
    opening: Opening

    @property
    def winner(self) -> Candidate:
        """The candidate that was chosen."""
        return next(candidate for candidate in self.candidates if candidate.wins)

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


def select(
    study: Study,
    terms: ConfirmOptions | None = None,
    *,
    final: str = defaults.FINAL,
    data: str | Path | Dataset | None = None,
    workers: int | None = None,
    done: Callable[[int, int], None] = lambda finished, of: None,
) -> Selection:
    """Select the best model of a study that converges reliably, train it, and read the held-out set.

    `terms`: what is confirmed, and the bar; `final`: `ensemble` or `refit`; `data`: where the study's data is now, if it has
    moved; `done` is told of each confirmation that ended. Selecting the same again gives the same answer, and opens nothing.
    Raises StudyError where no trial can be kept.
    """
    check_final(final)
    terms, opened, plan = terms or ConfirmOptions(), study.optuna, study.plan
    loaded = data if isinstance(data, Dataset) else study_data(study, data)
    race = confirm(study, terms, data=loaded, workers=workers, done=done)
    candidates = judge(opened.get_trials(deepcopy=False), race, terms, plan, plan.search_set(loaded))
    winner = next((candidate for candidate in candidates if candidate.wins), None)
    if winner is None:
        reasons = "; ".join(f"trial {one.number} {one.reason}" for one in candidates if one.reason.startswith("dropped"))
        raise StudyError(
            f"study {study.name!r} must have a trial that can be kept, but {reasons}; launch more trials, or give more "
            "--repeats or another --reliability."
        )
    entrant = next(entrant for entrant in race if entrant.number == winner.number)
    key = ModelKey(winner.number, final, len(entrant.repeats))
    model = make_final_model(plan.search_set(loaded), plan, entrant, final, workers)
    opening = open_held_out(opened, key, model.ensemble, plan.held_out_set(loaded), model.thresholds)
    opened.set_user_attr(SELECTION, {**asdict(terms), "winner": asdict(key)})
    return Selection(study, candidates, key, model, opening)


def selected(study: Study, *, data: str | Path | Dataset | None = None, workers: int | None = None) -> Selection:
    """Give the winner of the last selection of a study again, whatever came after it, without another reading.

    Raises StudyError where there is none.
    """
    opened, plan = study.optuna, study.plan
    before: dict[str, Any] | None = opened.user_attrs.get(SELECTION)
    key = None if before is None else ModelKey(**before["winner"])
    opening = None if key is None else recall(opened, key)
    if before is None or key is None or opening is None:
        raise StudyError(
            f"study {study.name!r} must have been selected from, but was not; run `pitsearch select --study {study.name}`."
        )
    searched = plan.search_set(data if isinstance(data, Dataset) else study_data(study, data))
    trial, terms = study.trial(key.trial), ConfirmOptions(before["top"], before["repeats"], before["reliability"])
    entrant = entrant_of(opened, trial, key.repeats)
    model = make_final_model(searched, plan, entrant, key.final, workers)
    return Selection(study, judge([trial], [entrant], terms, plan, searched), key, model, opening)
