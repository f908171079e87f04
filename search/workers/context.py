"""What a worker is started with. Imports no torch: a launch hands it to processes that train, and trains nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foils import Dataset
from search import defaults
from search.studies.plan import Plan
from search.studies.study import Study


@dataclass(frozen=True)
class WorkerContext:
    """What a worker works on."""

    study: Study
    plan: Plan
    # The pits that trials may see.
    data: Dataset
    # The id of the launch whose trials these are; empty for a worker that joined by hand.
    launch: str
    # The folder of the study's checkpoints.
    runs: Path
    # Where to train.
    device: str = defaults.DEVICE
    # Whether a worker with nothing to do waits while others work, for trials that they may leave.
    patient: bool = True
