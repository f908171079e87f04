"""Create and open studies: what each was made for is stored in it, and anything else is refused.

Knows nothing of training or of how trials are run.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from foils import DataError, Dataset, fold_numbers, hold_out, load
from search import defaults
from search.errors import StudyError
from search.ladder import Ladder
from search.objectives import OBJECTIVES, parse_objectives
from search.pruners import make_pruner
from search.retrying import StudyStorage
from search.storage import backend_of, open_storage
from spaces import Space
from spaces.networks import TIMM, Network

# The keys under which a study keeps its plan, and what tells it from others of its name elsewhere.
PLAN, UID = "pitsearch:plan", "pitsearch:uid"
# Optuna's own key for how the dashboard labels values.
METRIC_NAMES = "study:metric_names"


@dataclass(frozen=True)
class Plan:
    """What a study was made for.

    `folder`: where the data was; `held_out`, `between`: pits locked away, and pits left out because they share plastic with
    those; `folds`: the fold of each remaining pit, in the data set's order; `space`, `ladder`: as plain values; `audit`: the
    share of trials that is never pruned; `objectives`: what trials are judged by, commas between them.
    """

    folder: str
    fingerprint: str
    held_out: tuple[str, ...]
    between: tuple[str, ...]
    folds: tuple[int, ...]
    space: str
    ladder: str
    pruner: str
    audit: float
    seed: int
    working_point: float
    version: str
    objectives: str = defaults.OBJECTIVES

    def searched(self, data: Dataset) -> Dataset:
        """Give the pits that trials may see."""
        away, data = {*self.held_out, *self.between}, self.asked(data)
        return data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit not in away]))

    def asked(self, data: Dataset) -> Dataset:
        """Give the data set with the label that the study's labelling schemes score as the signal."""
        return _asked(data, Space.from_dict(json.loads(self.space)))

    def locked(self, data: Dataset) -> Dataset:
        """Give the held-out pits; for the selection's one look only."""
        away, data = set(self.held_out), self.asked(data)
        return data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit in away]))


def _asked(data: Dataset, space: Space) -> Dataset:
    own = data.description.signal
    positive = space.positive(own)
    return data if positive == own else data.asking(positive, space.named)


@dataclass(frozen=True)
class Study:
    """A study by name, in a storage. Cheap to pass between processes."""

    name: str
    storage: str = defaults.STORAGE

    @property
    def optuna(self) -> optuna.Study:
        """Open the Optuna study itself."""
        return optuna.load_study(study_name=self.name, storage=open_storage(self.storage))

    @property
    def backend(self) -> StudyStorage:
        """The database that it lives in."""
        return backend_of(open_storage(self.storage))

    @property
    def id(self) -> int:
        """Its number in the database."""
        return self.backend.get_study_id_from_name(self.name)

    @property
    def uid(self) -> str:
        """What tells it from studies of the same name in other databases."""
        return str(self.optuna.user_attrs[UID])

    def trial(self, number: int) -> FrozenTrial:
        """Read one trial."""
        return next(trial for trial in self.optuna.get_trials(deepcopy=False) if trial.number == number)

    @property
    def plan(self) -> Plan:
        """Read what the study was made for. Raises StudyError where pitsearch did not make it."""
        return _read_plan(self.optuna)


def make_plan(
    data: Dataset,
    space: Space,
    ladder: Ladder,
    *,
    pruner: str,
    audit: float,
    seed: int,
    working_point: float,
    holdout_share: float,
    holdout_slides: Sequence[str],
    objectives: str = defaults.OBJECTIVES,
) -> tuple[Plan, tuple[str, ...]]:
    """Fit a space to a data set, lock the held-out set away and cut the folds; also give what to tell people.

    Raises DataError, SpaceError or StudyError where that is not possible.
    """
    if not 0 < working_point < 1:
        raise StudyError(f"`0 < working point < 1` must hold (false-positive rate), but got {working_point}; choose e.g. 0.05.")
    if not 0 <= audit <= 1:
        raise StudyError(f"`0 <= audit <= 1` must hold (share of trials never pruned), but got {audit}; choose e.g. 0.05.")
    if seed < 0:
        raise StudyError(f"`seed >= 0` must hold, but got {seed}; choose a whole number.")
    make_pruner(pruner, ladder)
    goals = parse_objectives(objectives)
    data = _asked(data, space)
    split = hold_out(data, share=holdout_share, slides=holdout_slides, seed=seed)
    folds = fold_numbers(split.search, ladder.folds, seed)
    # A class needs pits in every fold's training half; a label rarer than the folds cannot give them.
    frequent = [label for label, count in split.search.counts().items() if count >= ladder.folds]
    fitted = space.fit(frequent, data.description.channels)
    _check_timm(fitted, data.description.crop)
    _check_optimisers(fitted)
    seen = {pit.pit for pit in (*split.search.pits, *split.held_out.pits)}
    plan = Plan(
        folder=str(data.folder),
        fingerprint=data.fingerprint,
        held_out=tuple(pit.pit for pit in split.held_out.pits),
        between=tuple(pit.pit for pit in data.pits if pit.pit not in seen),
        folds=tuple(map(int, folds)),
        space=json.dumps(fitted.to_dict(), sort_keys=True),
        ladder=str(ladder),
        pruner=pruner,
        audit=audit,
        seed=seed,
        working_point=working_point,
        version=version("pitsearch"),
        objectives=",".join(goals),
    )
    left_out = space.left_out(fitted)
    return plan, split.notes if left_out is None else (*split.notes, left_out)


def _check_optimisers(space: Space) -> None:
    """Raise SpaceError for an optimiser that timm does not have or that does not work here, before any trial does."""
    names = space.domain("optimiser.name")
    # Names of timm are not known before it is asked; muon does not work on every machine.
    asked = [str(name) for name in names if str(name).startswith((TIMM, "muon"))] if isinstance(names, tuple) else []
    if asked:
        from models.optimisers import check_optimiser  # timm takes seconds to import

        for name in asked:
            check_optimiser(name)


def _check_timm(space: Space, size: int) -> None:
    """Raise SpaceError for a network that timm does not know, or weights that are not to be had, before any trial does."""
    domains = [space.domain(key) for key in ("network.name", "network.weights")]
    names, weights = ([str(value) for value in domain] if isinstance(domain, tuple) else [] for domain in domains)
    asked = [Network(name, weights=start) for name in names if name.startswith(TIMM) for start in weights]
    if asked:
        from models.timm_networks import check_timm  # timm takes seconds to import

        for network in asked:
            check_timm(network, size)


def trial_seed(study_seed: int, number: int) -> int:
    """Give the one seed that everything random in a trial follows from."""
    return int(np.random.SeedSequence([study_seed, number]).generate_state(1)[0])


def open_or_create(name: str, storage: str, plan: Plan) -> Study:
    """Open the study of this name, or create it. Raises StudyError, saying which, where it was made for something else."""
    opened, goals = open_storage(storage, create=True), [OBJECTIVES[goal] for goal in parse_objectives(plan.objectives)]
    directions = [StudyDirection.MAXIMIZE if goal.maximise else StudyDirection.MINIMIZE for goal in goals]
    user, system = {PLAN: asdict(plan), UID: secrets.token_hex(8)}, {METRIC_NAMES: [goal.told_words for goal in goals]}
    backend_of(opened).create_whole_study(name, directions, user, system)
    there = optuna.load_study(study_name=name, storage=opened)
    made_for = _read_plan(there)
    _check_same(name, made_for, plan)
    if there.directions != directions:  # Optuna itself would go on with them
        ways = ", ".join(direction.name.lower() for direction in there.directions)
        raise StudyError(
            f"study {name!r} must be searched the way it was made, but its directions are {ways}; choose another --study."
        )
    if made_for.folder != plan.folder:  # the same data may have moved since
        there.set_user_attr(PLAN, asdict(replace(made_for, folder=plan.folder)))
    return Study(name, storage)


def ladder_there(name: str, storage: str) -> str | None:
    """Give the ladder of the study of this name; None where there is none yet, or none that can be opened."""
    try:
        return Study(name, storage).plan.ladder
    except (StudyError, KeyError):  # Optuna's word for a study that is not there
        return None


def find_study(name: str | None, storage: str = defaults.STORAGE) -> Study:
    """Find a study by name, or the only one there is. Raises StudyError with the names to choose from."""
    names = sorted(optuna.get_all_study_names(open_storage(storage)))
    there = ", ".join(names) or "none"
    if name is None and len(names) != 1:
        raise StudyError(f"a study must be named where there is not exactly one, but got none; give --study, of: {there}.")
    if name is not None and name not in names:
        raise StudyError(f"a study must be in the storage, but got {name!r}; choose from: {there}, or launch it.")
    return Study(name or names[0], storage)


def check_version(study: Study) -> None:
    """Raise StudyError where another version of pitsearch made a study: its trials would not be comparable."""
    plan = study.plan
    _check_same(study.name, plan, replace(plan, version=version("pitsearch")))


def study_data(study: Study, folder: str | Path | None = None) -> Dataset:
    """Load the data that a study was made from, from where it was or from `folder`.

    Raises StudyError where the data has changed, DataError where it cannot be loaded.
    """
    plan = study.plan
    try:
        data = load(folder or plan.folder)
    except DataError as error:
        if folder is None and not Path(plan.folder).is_dir():
            raise StudyError(
                f"study {study.name!r} needs its data, but {plan.folder} is gone; say where it is now with --data."
            ) from None
        raise error
    _check_same(study.name, plan, replace(plan, folder=str(data.folder), fingerprint=data.fingerprint))
    return data


def _read_plan(study: optuna.Study) -> Plan:
    stored = study.user_attrs.get(PLAN)
    if not isinstance(stored, dict) or set(stored) != {field.name for field in fields(Plan)}:
        raise StudyError(
            f"study {study.study_name!r} must be one that this version of pitsearch made, but is not; choose another --study."
        )
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return Plan(**values)


def _check_same(name: str, made: Plan, asked: Plan) -> None:
    """Compare what a study was made for with what is asked now, and name the first thing that differs."""
    remedy = "choose another --study, or go back to what it was made for"
    if made.fingerprint != asked.fingerprint:
        raise StudyError(
            f"study {name!r} was made from other data (fingerprint {made.fingerprint[:12]}, but {asked.folder} has "
            f"{asked.fingerprint[:12]}); {remedy}."
        )
    if made.space != asked.space:
        old, new = json.loads(made.space), json.loads(asked.space)
        key = next(key for key in sorted({*old, *new}) if old.get(key) != new.get(key))
        raise StudyError(
            f"study {name!r} was made for another space (`{key}`: {old.get(key, 'absent')}, but now "
            f"{new.get(key, 'absent')}); {remedy}."
        )
    for field, meaning in (
        ("version", "version of pitsearch"),
        ("seed", "seed"),
        ("held_out", "held-out set"),
        ("folds", "split into folds"),
        ("working_point", "working point"),
        ("ladder", "ladder"),
        ("pruner", "pruner"),
        ("audit", "share of audited trials"),
        ("objectives", "choice of objectives"),
    ):
        old_value, new_value = getattr(made, field), getattr(asked, field)
        if old_value != new_value:
            both = "" if isinstance(old_value, tuple) else f" ({old_value}, but now {new_value})"
            raise StudyError(f"study {name!r} was made with another {meaning}{both}; {remedy}.")
