"""What Optuna's dashboard shows of our trials and studies: plain values by name in place of the records that pitsearch reads.

Also puts each trial's constraints under the key that this dashboard reads, and lists the pictures that can be drawn of it.
Studies of any age look alike. Knows nothing of databases.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from optuna.trial import FrozenTrial

from pitsearch.errors import reason
from pitsearch.typed_values import MISFITS
from search.dashboard.pictures import PICTURES, picture_id
from search.errors import StudyError
from search.storage.optuna_internals import trial_id_of
from search.studies.migrations import MIGRATIONS
from search.studies.plan import PLAN
from search.trials.formats import upgrade
from search.trials.named_attributes import named_attributes, stored_named
from search.trials.records import ERROR, PAUSED, RungResult, TrialOrigin, is_interrupted, is_paused

# Where version 0.21 of the dashboard looks for constraints, which Optuna 5 keeps one by one under `constraints:NAME`.
CONSTRAINTS = "constraints"
# Where the dashboard looks for the files of a trial.
ARTIFACTS = "artifacts:"
# Attributes of studies that pitsearch reads begin so.
OURS = "pitsearch:"


def shown_trial(trial: FrozenTrial) -> FrozenTrial:
    """Give a trial as the dashboard shows it; of one that pitsearch did not make, its attributes stay as they are."""
    shown = copy.copy(trial)
    try:
        named = {**_of_rung(trial), **_standing(trial, TrialOrigin.read(trial))}  # in this order the columns of tables are
        shown.user_attrs = {**named, **{key: value for key, value in _foreign(trial.user_attrs).items() if key not in named}}
        files = _files(trial)
    except StudyError as error:
        shown.user_attrs, files = {**_foreign(trial.user_attrs), ERROR.name: str(error)}, {}
    shown.system_attrs = {**trial.system_attrs, **files}
    if trial.constraints:
        shown.system_attrs = {name: value for name, value in shown.system_attrs.items() if not name.startswith(CONSTRAINTS)}
        shown.system_attrs[CONSTRAINTS] = list(trial.constraints.values())
    return shown


def _foreign(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the attributes that are no record of ours, which are tables with a format, nor the rung of a pause."""
    return {name: value for name, value in attributes.items() if name != PAUSED.name and not is_record(value)}


def is_record(value: object) -> bool:
    """Tell whether an attribute's value is one that pitsearch reads."""
    return isinstance(value, Mapping) and "format" in value


def _standing(trial: FrozenTrial, origin: TrialOrigin | None) -> dict[str, str]:
    """Say how a trial stands where Optuna has no word for it, and where its configuration came from."""
    words = {} if origin is None or origin.origin is None else {"origin": origin.origin}
    if is_paused(trial) or is_interrupted(trial):
        words["standing"] = "paused" if is_paused(trial) else "interrupted"
    return words


def _of_rung(trial: FrozenTrial) -> dict[str, Any]:
    named: dict[str, Any] | None = stored_named(trial)
    if named is None:
        reached = RungResult.read(trial)
        if reached is None:
            return {}
        named = named_attributes(reached)
    record: Mapping[str, Any] = trial.user_attrs[RungResult.name]
    return named | {name: record[name] for name in ("would_prune", "note") if record.get(name) is not None}


def _files(trial: FrozenTrial) -> dict[str, str]:
    """List the pictures of a trial as Optuna lists files."""
    files = {}
    for number, picture in enumerate(PICTURES):
        if picture.can_draw(trial):
            name = picture_id(number, trial_id_of(trial))
            meta = {"artifact_id": name, "filename": picture.file, "mimetype": "image/png", "encoding": None}
            files[f"{ARTIFACTS}{name}"] = json.dumps(meta)
    return files


def shown_study(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the attributes of a study as the dashboard shows them."""
    shown = {key: value for key, value in attributes.items() if not key.startswith(OURS)}
    if PLAN not in attributes:
        return shown
    try:
        # The plan itself is not made of it: that would load the plugins of every study in the list.
        plan = upgrade(attributes[PLAN], MIGRATIONS, f"study {name!r}")
        options = plan["options"]
        return {
            **shown,
            "data": plan["folder"],
            "fingerprint": plan["fingerprint"][:12],
            "pits_searched": len(plan["folds"]),
            "pits_held_out": len(plan["held_out"]),
            "objectives": ", ".join(options["objectives"]),
            **{option: options[option] for option in ("working_point", "ladder", "pruner", "sampler", "seed")},
            "version": plan["version"],
        }
    except MISFITS as error:  # StudyError among them
        return {**shown, ERROR.name: f"its plan cannot be read: {reason(error)}"}
