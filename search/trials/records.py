"""What a trial writes down about itself, and the only place that knows under which names.

A record is one user attribute: one transaction of the storage, however much it holds, and one entry in Optuna's dashboard.
Knows nothing of how trials run, nor of what is made of their records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from optuna.trial import BaseTrial, FrozenTrial, TrialState

from models.metrics import HIGH
from pitsearch.typed_values import Between, Matching, Sha256
from search.errors import StudyError
from search.statistics.fitted import FittedShare, from_counts
from search.trials.formats import Migration, from_plain, upgrade
from spaces.axes import Scalar

# What records hold: torch takes seeds of 64 bits; shares; numbers of pits, epochs and folds.
Seed = Annotated[int, Between(-(2**63), 2**64 - 1)]
Fraction = Annotated[float, Between(0.0, 1.0)]
Count = Annotated[int, Between(0, 10**12)]


@dataclass(frozen=True)
class _Record:
    """What all records can do."""

    # Of the user attribute, whose value is the fields and the format's number as a JSON object.
    name: ClassVar[str]
    # From each older format to the next.
    migrations: ClassVar[tuple[Migration, ...]] = ()

    def attribute(self) -> dict[str, Any]:
        """Give the record as the user attribute that holds it."""
        return {self.name: {"format": len(self.migrations) + 1, **asdict(self)}}

    def write(self, trial: BaseTrial) -> None:
        """Write the record into the trial that runs here, in place of one written before."""
        trial.set_user_attr(self.name, self.attribute()[self.name])

    @classmethod
    def read(cls, trial: BaseTrial) -> Self | None:
        """Read a trial's record; None where it wrote none, because it ended before. Raises StudyError where it is none."""
        stored = trial.user_attrs.get(cls.name)
        record: Self | None = None if stored is None else _read(cls, json.dumps(stored), trial.number)  # type: ignore[arg-type]
        return record

    def check(self) -> None:
        """Raise ValueError where the parts of a record do not go together."""

    @classmethod
    def demand(cls, trial: FrozenTrial) -> Self:
        """Read the record of a trial that climbed the whole ladder. Raises StudyError where pitsearch did not write it."""
        record = cls.read(trial)
        if record is None:
            raise StudyError(
                f"trial {trial.number} must be one that this version of pitsearch ran, but has no record {cls.name!r}; choose "
                "another --study."
            )
        return record


@lru_cache(maxsize=4096)  # a study is summed up from records that are asked for time and again, of which few are new
def _read(kind: type[_Record], text: str, number: int) -> Any:
    """Read a record that is stored as this text of JSON."""
    what = f"the record {kind.name!r} of trial {number}"
    record = from_plain(kind, upgrade(json.loads(text), kind.migrations, what), what)
    try:
        record.check()
    except ValueError as error:
        raise StudyError(f"{what} must be one that pitsearch wrote, but is not: {error}; choose another --study.") from None
    return record


@dataclass(frozen=True)
class TrialOrigin(_Record):
    """Who runs a trial, there from its first moment."""

    name: ClassVar[str] = "start"

    # The mark of its launch.
    launch: str
    # Host and process, `host:process`.
    worker: str
    # What its choices were taken from, None where the sampler chose.
    origin: str | None = None


@dataclass(frozen=True)
class FixedParams(_Record):
    """What a trial is to try whose choices were known before it began, there from its first moment."""

    name: ClassVar[str] = "asked"

    # On some axes of the space.
    choices: Mapping[str, Scalar]
    # All of it, as `Config.to_dict` gives it, where the space does not hold it.
    config: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Recipe(_Record):
    """All that a trial follows from but the data, written when it is chosen."""

    name: ClassVar[str] = "recipe"

    # As `Config.to_dict` gives it.
    config: Mapping[str, Any]
    seed: Seed
    # Whether the trial is never pruned.
    audited: bool

    @property
    def key(self) -> str:
        """What two trials of one configuration have in common."""
        return json.dumps(self.config, sort_keys=True)


@dataclass(frozen=True)
class RungResult(_Record):
    """How a trial stands on the last rung that it reached, written on every rung; one value a fold where there are several."""

    name: ClassVar[str] = "reached"

    rung: str
    acceptance: tuple[Fraction, ...]
    rejection: tuple[Fraction, ...]
    # Signal pits accepted, of `signals`.
    accepted: tuple[Count, ...]
    signals: tuple[Count, ...]
    # Background pits rejected where at least HIGH of the signal is accepted, of `backgrounds`.
    rejected_high: tuple[Count, ...]
    backgrounds: tuple[Count, ...]
    auc: tuple[Fraction, ...]
    accuracy: tuple[Fraction, ...]
    # Values of `models.training.verdicts.Verdict`.
    verdicts: tuple[str, ...]
    reseeds: tuple[Count, ...]
    # The epochs that the trial has cost.
    epochs_run: Count
    # The time that the trial has cost.
    seconds: Annotated[float, Between(0.0, 1e12)]
    # The rung where the pruner would have ended a trial that is never pruned.
    would_prune: str | None = None
    # Whether the pruner ended it here.
    pruned: bool = False
    # Why its folds were trained apart on a device that could fuse them.
    note: str | None = None
    # The fold-epochs of every rung so far; empty where there is one objective, whose values Optuna keeps.
    steps: tuple[Count, ...] = ()
    # The value of each objective on every rung so far; empty where there is one.
    path: Mapping[str, Sequence[float]] = field(default_factory=dict)
    # The acceptance at the working point and the rejection at high acceptance that are quoted, of all folds together; None
    # where an older pitsearch wrote the record.
    fitted: FittedShare | None = None
    fitted_high: FittedShare | None = None
    # Those of the reseeds that were not needed, one value a fold; empty where an older pitsearch wrote the record.
    needless: tuple[int, ...] = ()
    # The mean acceptance over low rates, the mean of the folds, and its standard error over the pits: what trials on a rung are
    # compared by where they are promoted. None where an older pitsearch wrote the record, or the error is not known.
    mean_acceptance: Fraction | None = None
    standard_error: float | None = None

    @property
    def pace(self) -> float:
        """The seconds that an epoch of a fold has taken."""
        return self.seconds / max(self.epochs_run, 1)

    @property
    def quoted(self) -> FittedShare:
        """The acceptance of the folds together, as it is quoted."""
        if self.fitted is not None:
            return self.fitted
        rate = 1 - sum(self.rejection) / len(self.rejection)
        return from_counts(*self.pooled, sum(self.backgrounds), rate)

    @property
    def quoted_high(self) -> FittedShare:
        """The rejection at high acceptance of the folds together, as it is quoted."""
        return self.fitted_high or from_counts(*self.pooled_high, sum(self.signals), 1 - HIGH)

    def check(self) -> None:
        """Raise ValueError where there is not one value a fold."""
        per_fold = (self.acceptance, self.rejection, self.accepted, self.signals, self.rejected_high, self.backgrounds)
        counts = {len(values) for values in (*per_fold, self.auc, self.accuracy, self.verdicts, self.reseeds)}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(f"there must be one value a fold, but there are {', '.join(map(str, sorted(counts)))}")
        if any(len(values) != len(self.steps) for values in self.path.values()):
            raise ValueError("`path` must have a value for each of `steps`")

    @property
    def pooled(self) -> tuple[int, int]:
        """The accepted and all signal pits of the folds together."""
        return sum(self.accepted), sum(self.signals)

    @property
    def pooled_high(self) -> tuple[int, int]:
        """The background pits rejected at high acceptance, and all, of the folds together."""
        return sum(self.rejected_high), sum(self.backgrounds)


@dataclass(frozen=True)
class CheckpointFile:
    """A fold's checkpoint on disk: its file and that file's hash, of the fold started again so often, at this epoch."""

    name: Annotated[str, Matching(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}", "the bare name of a file")]
    sha256: Sha256
    reseeds: Count
    epoch: Count


@dataclass(frozen=True)
class CheckpointRecord(_Record):
    """What of a trial's trainings is on disk, written with the rung that it stands for, or when the trial was interrupted."""

    name: ClassVar[str] = "saved"

    # By fold, the fields of CheckpointFile.
    files: Mapping[str, Mapping[str, Any]]
    # By fold, how often it was started again, where it was.
    reseeds: Mapping[str, Count]
    # The epochs that those cost.
    abandoned: Count
    # What the trial has cost.
    seconds: Annotated[float, Between(0.0, 1e12)]
    # Whether folds are trained together; None while that is not known.
    fused: bool | None = None
    # By fold, the epoch at which it was started again, where it was.
    restarts: Mapping[str, int] = field(default_factory=dict)

    @property
    def folds(self) -> dict[int, CheckpointFile]:
        """The checkpoints, by fold."""
        return {
            int(fold): from_plain(CheckpointFile, fields, f"fold {fold} of the record {self.name!r}")
            for fold, fields in self.files.items()
        }

    def check(self) -> None:
        """Raise ValueError where a fold has no number, or its file no name of ours."""
        for fold in (*self.files, *self.reseeds):
            if not re.fullmatch("[0-9]{1,4}", fold):
                raise ValueError(f"`files` and `reseeds` must be by the numbers of folds, but got {fold[:40]!r}")
        _ = self.folds


@dataclass(frozen=True)
class Remark:
    """A line that few trials have, as a user attribute of its own."""

    name: str

    def write(self, trial: BaseTrial, text: str) -> None:
        """Write the line into the trial that runs here."""
        trial.set_user_attr(self.name, text)

    def read(self, trial: BaseTrial) -> str | None:
        """Read a trial's line; None where it has none."""
        text = trial.user_attrs.get(self.name)
        return None if text is None else str(text)


def is_interrupted(trial: FrozenTrial) -> bool:
    """Tell whether a trial was begun and stopped, and waits to go on."""
    return trial.state == TrialState.WAITING and STOPPED.read(trial) is not None and not is_paused(trial)


def is_paused(trial: FrozenTrial) -> bool:
    """Tell whether a trial waits on a rung, to be promoted where others prove worse."""
    return trial.state == TrialState.WAITING and bool(PAUSED.read(trial))


def is_done(trial: FrozenTrial) -> bool:
    """Tell whether a trial has come as far as it is to, for now: it is complete, pruned or paused."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or is_paused(trial)


def has_ended(trial: FrozenTrial) -> bool:
    """Tell whether a trial is done, or broken: no worker holds it, and none is to take it up first."""
    return trial.state.is_finished() or is_paused(trial)


def on_rungs(trial: FrozenTrial) -> Mapping[int, float]:
    """Give the acceptance that a trial reported on each rung, by the fold-epochs spent there."""
    reached = RungResult.read(trial)
    if reached is None or not reached.steps:
        return trial.intermediate_values
    return dict(zip(reached.steps, reached.path["acceptance"], strict=True))


# Why a trial was interrupted last, through no fault of its configuration; what broke one; which checkpoint could not be used;
# the rung that a trial is paused on, empty where it was promoted since.
STOPPED, ERROR, DAMAGE, PAUSED = Remark("stopped"), Remark("error"), Remark("damage"), Remark("paused")
