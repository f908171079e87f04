"""The plan of a study: what it was made for, stored in it, and compared with what is asked later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

import numpy as np
import optuna

from foils import Dataset, fold_numbers, hold_out
from search import defaults
from search.errors import StudyError
from search.pruning.pruners import make_pruner
from search.trials.ladder import Ladder
from search.trials.objectives import parse_objectives
from spaces import Space
from spaces.choices.networks import TIMM, Network

# The key under which a study keeps its plan.
PLAN = "pitsearch:plan"


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

    def search_set(self, data: Dataset) -> Dataset:
        """Give the pits that trials may see."""
        away, data = {*self.held_out, *self.between}, self.relabel(data)
        return data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit not in away]))

    def relabel(self, data: Dataset) -> Dataset:
        """Give the data set with the label that the study's labelling schemes score as the signal."""
        return _relabel(data, Space.from_dict(json.loads(self.space)))

    def held_out_set(self, data: Dataset) -> Dataset:
        """Give the held-out pits; for the selection's one look only."""
        away, data = set(self.held_out), self.relabel(data)
        return data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit in away]))


def _relabel(data: Dataset, space: Space) -> Dataset:
    own = data.description.signal
    positive = space.positive(own)
    return data if positive == own else data.asking(positive, space.named)


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
    data = _relabel(data, space)
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
        from models.training.optimisers import check_optimiser  # timm takes seconds to import

        for name in asked:
            check_optimiser(name)


def _check_timm(space: Space, size: int) -> None:
    """Raise SpaceError for a network that timm does not know, or weights that are not to be had, before any trial does."""
    domains = [space.domain(key) for key in ("network.name", "network.weights")]
    names, weights = ([str(value) for value in domain] if isinstance(domain, tuple) else [] for domain in domains)
    asked = [Network(name, weights=start) for name in names if name.startswith(TIMM) for start in weights]
    if asked:
        from models.networks.timm_networks import check_timm  # timm takes seconds to import

        for network in asked:
            check_timm(network, size)


def read_plan(study: optuna.Study) -> Plan:
    """Read what a study was made for. Raises StudyError where pitsearch did not make it."""
    stored = study.user_attrs.get(PLAN)
    if not isinstance(stored, dict) or set(stored) != {field.name for field in fields(Plan)}:
        raise StudyError(
            f"study {study.study_name!r} must be one that this version of pitsearch made, but is not; choose another --study."
        )
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return Plan(**values)


def check_same(name: str, made: Plan, asked: Plan) -> None:
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
