"""Gather what is known of the trial that a report is about: the selected one or, before a selection, the best so far.

Knows nothing of how it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from search.report.subject import Subject
from search.selection.confirmations import pooled_tally
from search.selection.held_out import Opening, OperatingPoint
from search.selection.race_record import CandidateRecord
from search.statistics.intervals import Share
from search.trials.baseline import Comparison, compare
from search.trials.ranking import find_trial
from search.trials.records import RungResult
from search.trials.reliability import Tally


@dataclass(frozen=True)
class Winner:
    """The trial that a report is about."""

    trial: FrozenTrial
    # Whether a selection chose it.
    is_selected: bool
    # The acceptance that the search chose it for.
    searched: Share
    # Of all trainings of its configuration.
    tally: Tally
    # Against the network in use, on the folds of the search; None while that has not climbed the whole ladder.
    comparison: Comparison | None
    # How the selection judged it; None before, and where an older version selected.
    judged: CandidateRecord | None
    # The reading of the held-out set; None before.
    opening: Opening | None

    @property
    def held_out(self) -> OperatingPoint | None:
        """What the held-out set showed at the study's working point; None before it was opened."""
        return self.opening.held_out.points[0] if self.opening is not None else None

    @property
    def is_in_use(self) -> bool:
        """Tell whether it is the network in use itself."""
        return self.comparison is not None and self.comparison.baseline.number == self.trial.number


def winner_of(subject: Subject) -> Winner | None:
    """Give the selected trial, before a selection the best; None where no trial is complete."""
    selection = subject.selection
    trial = subject.status.best if selection is None else find_trial(subject.trials, selection.trial)
    if trial is None or trial.state != TrialState.COMPLETE:
        return None
    judged = None
    if subject.judged is not None:
        judged = next((one for one in subject.judged.candidates if one.trial == trial.number), None)
    return Winner(
        trial=trial,
        is_selected=selection is not None,
        searched=RungResult.demand(trial).quoted.share,
        tally=judged.tally if judged is not None else pooled_tally(trial, subject.trials, subject.confirmations),
        comparison=compare(subject.trials, trial),
        judged=judged,
        opening=subject.opening,
    )
