"""Tell which trials of a study have ended, or were paused on a rung, since one last looked. Knows nothing of who looks."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from search.trials.records import PAUSED, has_ended, is_interrupted, is_paused


class TrialNews:
    """What is known of trials; those that have ended when it is made are no news."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        self._known = {_moment(trial) for trial in trials if has_ended(trial)}

    def new(self, trials: Sequence[FrozenTrial], *, interrupted: bool = False) -> list[FrozenTrial]:
        """Give the trials that have ended or were paused since, with `interrupted` also those that wait to go on."""
        news = []
        for trial in trials:
            ended = has_ended(trial) or (interrupted and is_interrupted(trial))
            if ended and _moment(trial) not in self._known:
                self._known.add(_moment(trial))
                news.append(trial)
        return news


def _moment(trial: FrozenTrial) -> tuple[int, str | None]:
    """Tell a pause on one rung from that on another, and both from an end."""
    return trial.number, PAUSED.read(trial) if is_paused(trial) else None
