"""Options of a search, which a study keeps, and the budget of one launch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foils.held_out_log import Rule
from foils.hold_out import slide_rule
from search import defaults
from search.errors import StudyError
from search.pruning.promotion import PROMOTION
from search.pruning.pruners import check_pruner
from search.studies.samplers import check_sampler
from search.trials.ladder import Ladder
from search.trials.objectives import check_objectives, second_of


@dataclass(frozen=True)
class Holdout:
    """Choose the pits that are locked away before a search."""

    # Share of the groups, where no slide is named; None takes the rule of the data's lock, or 0.2 where it has none.
    share: float | None = None
    # Whole slides instead, each as `SLIDE` or `FOIL:SLIDE`.
    slides: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule that the data's lock records."""
        return slide_rule(self.slides) if self.slides else Rule(self.share)


def parse_holdout(share: float | None, slides: tuple[str, ...]) -> Holdout | None:
    """Give what is held out as it is typed; None where neither is given. Raises StudyError where both are."""
    if share is not None and slides:
        raise StudyError(
            f"the held-out pits must be chosen in one way, but got the share {share:g} and the slides {', '.join(slides)}; "
            "remove one."
        )
    return None if share is None and not slides else Holdout(slides=slides) if share is None else Holdout(share)


@dataclass(frozen=True)
class SearchOptions:
    """What a study is searched with, beside its data and its space. Raises StudyError for a value outside its range."""

    # Folds and every trial follow from it; the held-out set does not.
    seed: int = defaults.SEED
    # False-positive rate at which acceptance is quoted.
    working_point: float = defaults.WORKING_POINT
    # Rungs; None takes the study's own, or for a new study the ladder that suits the device.
    ladder: Ladder | None = None
    # One of `search.pruning.pruners.PRUNERS`.
    pruner: str = defaults.PRUNER
    # One of `search.studies.samplers.SAMPLERS`.
    sampler: str = defaults.SAMPLER
    # Share of the trials that is never pruned, to measure what pruning ends.
    audit: float = defaults.AUDIT
    # What trials are judged by, acceptance first.
    objectives: tuple[str, ...] = defaults.OBJECTIVES
    # What is locked away before the search.
    holdout: Holdout = Holdout()

    def __post_init__(self) -> None:
        point, audit = self.working_point, self.audit
        if not 0 < point < 1:
            raise StudyError(f"`0 < working point < 1` must hold (false-positive rate), but got {point}; choose e.g. 0.05.")
        if not 0 <= audit <= 1:
            raise StudyError(f"`0 <= audit <= 1` must hold (share of trials never pruned), but got {audit}; choose e.g. 0.05.")
        if self.seed < 0:
            raise StudyError(f"`seed >= 0` must hold, but got {self.seed}; choose a whole number.")
        check_pruner(self.pruner)
        check_sampler(self.sampler)
        check_objectives(self.objectives)
        if self.pruner == PROMOTION and second_of(self.objectives):
            raise StudyError(
                f"`pruner = {PROMOTION}` must have one objective, but got {', '.join(self.objectives)}; choose e.g. trailing."
            )


@dataclass(frozen=True)
class Budget:
    """When a launch ends. Raises StudyError for a value that is not above 0."""

    # Trials that the study is to have, finished or paused; None for as many as fit into the minutes.
    trials: int | None = defaults.TRIALS
    # Minutes after which the launch stops, whatever was reached; None has no limit.
    minutes: float | None = None
    # Begin no further trials once as many again would with a chance of 90 % bring less acceptance than this; None: begin all.
    stop_when_sure: float | None = None

    @property
    def seconds(self) -> float | None:
        """The seconds after which the launch stops; None has no limit."""
        return None if self.minutes is None else 60 * self.minutes

    def __post_init__(self) -> None:
        if self.trials is None and self.minutes is None:
            raise StudyError("a budget must have an end, but got neither trials nor minutes; give one of them.")
        if self.trials is not None:
            require("trials", self.trials, lambda trials: trials > 0, "> 0")
        if self.minutes is not None:
            require("minutes", self.minutes, lambda minutes: minutes > 0, "> 0")
        if self.stop_when_sure is not None:
            require("stop_when_sure", self.stop_when_sure, lambda gain: gain > 0, "> 0")


def require(name: str, value: float, holds: Callable[[float], bool], bound: str) -> None:
    """Raise StudyError where a number is out of bounds."""
    if not holds(value):
        raise StudyError(f"`{name} {bound}` must hold, but got {value}; choose a larger number.")
