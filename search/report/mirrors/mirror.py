"""What every mirror does: copy all trials that have ended, each once for each way it stands, and never end a search.

Knows nothing of where the trials are copied to.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from optuna.trial import FrozenTrial

from pitsearch.errors import reason
from search.errors import StudyError
from search.launcher.callbacks import Callback
from search.report.mirrors.trial_values import TrialValues, read_values
from search.studies.study import Study
from search.trials.records import has_ended

# Takes a line for the user.
Say = Callable[[str], None]


class Mirror(Callback, ABC):
    """Copies trials to another program, whose address stands behind `--log-to`.

    What an earlier launch did not copy, because it had no mirror or the program was away, is copied at the start. Where the
    program fails during a launch, a line says so, the search goes on, and a later launch copies what is missing.
    """

    def __init__(self, address: str, say: Say) -> None:
        self.address, self._say, self._is_broken = address, say, False

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        """Copy the trials of earlier launches."""
        self._guarded(lambda: self.open(study))
        self._copy(trial for trial in study.optuna.get_trials(deepcopy=False) if has_ended(trial))

    def on_trial_end(self, trial: FrozenTrial) -> None:
        """Copy a trial."""
        self._copy([trial])

    @abstractmethod
    def open(self, study: Study) -> None:
        """Find the place of a study, or make it."""

    @abstractmethod
    def write(self, values: TrialValues) -> None:
        """Write a trial in the place of how it stood before; one that stands there as it does now is left."""

    def _copy(self, trials: Iterable[FrozenTrial]) -> None:
        for trial in trials:
            self._guarded(partial(self.write, read_values(trial)))

    def _guarded(self, work: Callable[[], None]) -> None:
        if self._is_broken:
            return
        try:
            work()
        except Exception as error:  # whatever another program raises, the search is worth more than its copy
            self._is_broken = True
            self._say(
                f"trials are no longer copied to {hidden(self.address)}: {hidden(reason(error))}; the search goes on, and a "
                "later launch with the same --log-to copies what is missing"
            )


def refused(address: str, error: BaseException) -> StudyError:
    """Make the error of an address that cannot be used."""
    return StudyError(f"{hidden(address)}: --log-to must be usable, but: {hidden(reason(error))}; choose another --log-to.")


def not_installed(address: str, extra: str, error: ImportError) -> StudyError:
    """Make the error of a program that is not installed. `extra`: of pitsearch, which brings it."""
    return StudyError(
        f"{hidden(address)}: --log-to needs {extra}, but: {reason(error)}; install it: pip install 'pitsearch[{extra}]'."
    )


def hidden(text: str) -> str:
    """Take names and passwords out of the addresses in a text."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)
