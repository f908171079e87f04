"""What a launch ran with: versions and machine, kept in the study, so that a result can be repeated or a difference explained.

Of the machine that launched; workers elsewhere name their own in their trials. Imports none of what it names.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from joblib import cpu_count

from search.studies.study import Study
from search.trials.formats import from_plain, to_plain, upgrade

# The key under which a study keeps the environment of its last launch; versions before kept none.
ENVIRONMENT = "pitsearch:environment"
# What results depend on.
NAMED = ("pitsearch", "torch", "timm", "optuna", "numpy", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Environment:
    """Versions and machine of a launch."""

    python: str
    # By the name of the distribution.
    versions: Mapping[str, str]
    system: str
    processor: str
    # Those that this process may use.
    cores: int


def this_environment() -> Environment:
    """Say what this process runs with."""
    return Environment(
        python=platform.python_version(),
        versions={name: version(name) for name in NAMED},
        system=platform.platform(),
        processor=_processor(),
        cores=cpu_count(),
    )


def write_environment(study: Study) -> None:
    """Write down what this launch runs with, in place of the launch before."""
    study.optuna.set_user_attr(ENVIRONMENT, {"format": 1, **to_plain(this_environment())})


def read_environment(study: Study) -> Environment | None:
    """Read what the last launch ran with; None where an older version launched. Raises StudyError where it is none."""
    stored, what = study.optuna.user_attrs.get(ENVIRONMENT), f"the environment of study {study.name!r}"
    return None if stored is None else from_plain(Environment, upgrade(stored, (), what), what)


def _processor() -> str:
    """Name the processor; the system's own words where it does not say its model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
