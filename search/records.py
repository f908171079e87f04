"""What a trial writes down about itself, and the only place that knows under which names.

A record is one user attribute: one transaction of the storage, however much it holds, and one entry in Optuna's dashboard.
Knows nothing of how trials run, nor of what is made of their records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import optuna
from optuna.trial import BaseTrial, FrozenTrial

from search.errors import StudyError


@dataclass(frozen=True)
class _Record:
    """What all records can do. `name`: of the user attribute, whose value is the fields as a JSON object."""

    name: ClassVar[str]

    def attribute(self) -> dict[str, Any]:
        """Give the record as the user attribute that holds it."""
        return {self.name: asdict(self)}

    def write(self, trial: BaseTrial) -> None:
        """Write the record into the trial that runs here, in place of one written before."""
        for name, value in self.attribute().items():
            trial.set_user_attr(name, value)

    @classmethod
    def read(cls, trial: BaseTrial) -> Self | None:
        """Read a trial's record; None where it wrote none, because it ended before."""
        values = trial.user_attrs.get(cls.name)
        if values is None:
            return None
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    @classmethod
    def demand(cls, trial: FrozenTrial) -> Self:
        """Read the record of a trial that climbed the whole ladder. Raises StudyError where pitsearch did not write it."""
        found = cls.read(trial)
        if found is None:
            raise StudyError(
                f"trial {trial.number} must be one that this version of pitsearch ran, but has no record {cls.name!r}; choose "
                "another --study."
            )
        return found


@dataclass(frozen=True)
class Start(_Record):
    """Who runs a trial, there from its first moment.

    `launch`: the mark of its launch; `worker`: host and process, `host:process`; `origin`: what its choices were taken from,
    None where the sampler chose.
    """

    name: ClassVar[str] = "start"

    launch: str
    worker: str
    origin: str | None = None


@dataclass(frozen=True)
class Recipe(_Record):
    """All that a trial follows from but the data, written when it is chosen.

    `config`: as `Config.to_dict` gives it; `audited`: whether the trial is never pruned.
    """

    name: ClassVar[str] = "recipe"

    config: Mapping[str, Any]
    seed: int
    audited: bool


@dataclass(frozen=True)
class Reached(_Record):
    """How a trial stands on the last rung that it reached, written on every rung; one value a fold where there are several.

    `accepted` of `signals`, and `rejected_high` of `backgrounds` where at least HIGH of the signal is accepted, are counts of
    pits; `verdicts`: values of `models.verdicts.Verdict`; `epochs_run`, `seconds`: what
    the trial has cost; `would_prune`: the rung where the pruner would have ended it first, for an audited trial; `note`:
    why its folds were trained apart on a device that could fuse them. `steps`, `path`: the fold-epochs of every rung so far and
    each objective's value there; empty where there is one objective, whose values Optuna keeps.
    """

    name: ClassVar[str] = "reached"

    rung: str
    acceptance: tuple[float, ...]
    rejection: tuple[float, ...]
    accepted: tuple[int, ...]
    signals: tuple[int, ...]
    rejected_high: tuple[int, ...]
    backgrounds: tuple[int, ...]
    auc: tuple[float, ...]
    accuracy: tuple[float, ...]
    verdicts: tuple[str, ...]
    reseeds: tuple[int, ...]
    epochs_run: int
    seconds: float
    would_prune: str | None = None
    note: str | None = None
    steps: tuple[int, ...] = ()
    path: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def pooled(self) -> tuple[int, int]:
        """The accepted and all signal pits of the folds together."""
        return sum(self.accepted), sum(self.signals)

    @property
    def pooled_high(self) -> tuple[int, int]:
        """The background pits rejected at high acceptance, and all, of the folds together."""
        return sum(self.rejected_high), sum(self.backgrounds)


@dataclass(frozen=True)
class Remark:
    """A line that few trials have, as a user attribute of its own."""

    name: str

    def write(self, study: optuna.Study, trial: optuna.Trial | FrozenTrial, text: str) -> None:
        """Write the line into a running trial of a study, also into one of another process."""
        # Optuna offers no public way to write to another process's trial.
        study._storage.set_trial_user_attr(trial._trial_id, self.name, text)

    def read(self, trial: BaseTrial) -> str | None:
        """Read a trial's line; None where it has none."""
        text: str | None = trial.user_attrs.get(self.name)
        return text


def on_rungs(trial: FrozenTrial) -> Mapping[int, float]:
    """Give the acceptance that a trial reported on each rung, by the fold-epochs spent there."""
    reached = Reached.read(trial)
    if reached is None or not reached.steps:
        return trial.intermediate_values
    return dict(zip(reached.steps, reached.path["acceptance"], strict=True))


# Why a trial ended through no fault of its configuration, and what broke one.
STOPPED, ERROR = Remark("stopped"), Remark("error")
