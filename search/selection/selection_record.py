"""What a study records of its selections: the winner of the last one, and the files of every model that was kept.

Knows nothing of training, of the held-out set, or of how a model is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.errors import StudyError
from search.selection.json_values import from_json, to_json
from search.studies.study import Study

# The last selection: its options, and the key of the winner.
SELECTION = "pitsearch:selection"
# What of the last selection lists the trials that it kept, the winner first; versions before wrote none.
KEPT = "kept"
# The key of a kept model's record is this and the model's hash.
MODEL = "pitsearch:model"


@dataclass(frozen=True)
class ModelKey:
    """What a reading of the held-out set is of. The hash alone tells models apart; the rest is for people."""

    trial: int
    # What is made of the trial, of `final_model.FINALS`.
    final: str
    # Confirmations that it is made from.
    repeats: int
    # Of all that scores pits, as `models.inference.bundle.model_hash` gives it; empty where version 0.1.0 recorded none.
    sha256: str = ""


@dataclass(frozen=True)
class ModelRecord:
    """A model that `select` kept."""

    # Where it was written.
    folder: str
    # SHA-256 of each file, by name.
    files: Mapping[str, str]


def write_selection(study: Study, options: Mapping[str, Any], key: ModelKey, record: ModelRecord) -> None:
    """Record the winner of a selection, and its files; `options`: what the selection asked for."""
    study.optuna.set_user_attr(f"{MODEL}:{key.sha256}", to_json(record))
    study.optuna.set_user_attr(SELECTION, {**options, "winner": to_json(key)})


def selected_key(study: Study) -> ModelKey:
    """Give the winner of the last selection of a study. Raises StudyError where there is none."""
    values: Any = study.optuna.user_attrs.get(SELECTION)
    if values is None:
        raise StudyError(
            f"study {study.name!r} must have a selection, but has none; run `pitsearch select --study {study.name}`."
        )
    winner = values.get("winner") if isinstance(values, Mapping) else values
    return from_json(winner, ModelKey, f"the attribute {SELECTION!r} of study {study.name!r}")


def kept_trials(study: Study) -> list[int]:
    """Number the trials that the last selection of a study kept, the winner first. Raises StudyError where there is none."""
    key, values = selected_key(study), study.optuna.user_attrs[SELECTION]
    kept = values.get(KEPT) if isinstance(values, Mapping) else None
    if not isinstance(kept, list) or not kept or not all(type(number) is int for number in kept) or kept[0] != key.trial:
        raise StudyError(
            f"the last selection of study {study.name!r} must say which trials it kept, but an older version wrote none; run "
            f"`pitsearch select --study {study.name}` again."
        )
    return kept


def model_record(study: Study, key: ModelKey) -> ModelRecord:
    """Give the record of a kept model. Raises StudyError where there is none: version 0.1.0 kept no models."""
    values: dict[str, Any] | None = study.optuna.user_attrs.get(f"{MODEL}:{key.sha256}")
    if values is None:
        raise StudyError(
            f"study {study.name!r} must have a kept model of trial {key.trial}, but the version that selected it kept none; "
            f"run `pitsearch select --study {study.name}` again."
        )
    return from_json(values, ModelRecord, f"the attribute {MODEL!r}:{key.sha256} of study {study.name!r}")
