"""The median pruner: end a trial that stands under the median of the others on the same rung.

Optuna's own compares a trial's best value of any step. Rungs are different quantities: on one fold a trial may stand far higher
than on five because that fold is easy, which says nothing of how it stands now. Only values on the rung at hand are compared.
Audited trials that pruning would have ended are left out: they would lower the median for the others.
"""

from __future__ import annotations

import math

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from search.trials.records import RungResult

# Trials that finish before the median of the others means anything.
STARTUP = 5


class MedianOnRungPruner(BasePruner):
    """Ends what stands under the median of the complete trials on the rung that it reported last."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to be pruned."""
        step = trial.last_step
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [other for other in complete if not _is_doomed(other)]
        if step is None or len(others) < STARTUP:
            return False
        value = trial.intermediate_values[step]
        on_rung = [other.intermediate_values[step] for other in others if step in other.intermediate_values]
        return math.isnan(value) or (len(on_rung) > 0 and value < float(np.nanmedian(on_rung)))


def _is_doomed(trial: FrozenTrial) -> bool:
    reached = RungResult.read(trial)
    return reached is not None and reached.would_prune is not None
