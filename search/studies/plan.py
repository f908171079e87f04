"""The plan of a study: what it was made for, stored in it, and compared with what is asked later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import optuna

from foils import Dataset
from foils.folds import fold_numbers
from foils.held_out_log import read_log
from foils.hold_out import Split, check_halves, hold_out, split_by_name
from search.errors import StudyError
from search.studies.migrations import MIGRATIONS
from search.studies.options import Holdout, SearchOptions
from search.studies.samplers import fit_sampler
from search.trials.formats import from_plain, to_plain, upgrade
from search.trials.ladder import Ladder
from spaces import Space
from spaces.axes import AXES, Scalar
from spaces.choices.networks import TIMM, Network
from spaces.initial_configs import portfolio
from spaces.plugin_files import use_recorded
from spaces.plugins import PluginRef, plugins_of

# The key under which a study keeps its plan.
PLAN = "pitsearch:plan"
# Defaults of older versions, and ranges of version 0.1.0's space `everything`, each with today's. A study keeps its own.
_RENEWED: dict[str, tuple[tuple[Any, Any], ...]] = {
    "channels.shown": (([0], [2]),),
    "optimiser.learning_rate": tuple(
        ({"low": low, "high": high, "log": True}, {"low": low, "high": 0.3, "log": True, "per_optimiser": True})
        for low, high in ((1e-4, 5e-2), (1e-5, 1e-1))
    ),
}


@dataclass(frozen=True)
class Plan:
    """What a study was made for."""

    # Where the data set was.
    folder: str
    # The content of the data set.
    fingerprint: str
    # Pits that are locked away.
    held_out: tuple[str, ...]
    # Pits that are left out, because they share plastic with held-out ones.
    between: tuple[str, ...]
    # The fold of each remaining pit, in the data set's order.
    folds: tuple[int, ...]
    # Fitted to the data set: every axis is explicit.
    space: Space
    # What the search was told; its ladder is chosen.
    options: SearchOptions
    # The version of pitsearch that made the study.
    version: str
    # The plugins that the space needs.
    plugins: tuple[PluginRef, ...] = ()
    # What the search starts from in place of the sound recipe, where there is any.
    portfolio: tuple[Mapping[str, Scalar], ...] = ()

    def __repr__(self) -> str:
        pits = f"{len(self.folds)} pits searched, {len(self.held_out)} held out"
        return f"Plan({self.folder}: {pits}; ladder {self.options.ladder}, seed {self.options.seed}; {self.space!r})"

    @property
    def ladder(self) -> Ladder:
        """The rungs that every trial climbs."""
        assert self.options.ladder is not None  # make_plan refuses options without one
        return self.options.ladder

    def search_set(self, data: Dataset) -> Dataset:
        """Give the pits that trials may see. Raises StudyError where the plan's folds are not of these."""
        away, data = {*self.held_out, *self.between}, self.relabel(data)
        searched = data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit not in away], np.int64))
        if len(searched) != len(self.folds):
            raise StudyError(
                f"a plan must have a fold for each pit that is searched, but has {len(self.folds)} for the {len(searched)} of "
                f"{data.folder}; give the data that the study was made from, or choose another --study."
            )
        return searched

    def relabel(self, data: Dataset) -> Dataset:
        """Give the data set with the label that the study's labelling schemes score as the signal."""
        return _relabel(data, self.space)

    def held_out_set(self, data: Dataset) -> Dataset:
        """Give the held-out pits; for the selection's one look only."""
        away, data = set(self.held_out), self.relabel(data)
        return data.take(np.array([index for index, pit in enumerate(data.pits) if pit.pit in away]))


def _relabel(data: Dataset, space: Space) -> Dataset:
    own = data.description.signal
    positive = space.positive(own)
    return data if positive == own else data.asking(positive, space.named)


def make_plan(data: Dataset, space: Space, options: SearchOptions, stored: Plan | None = None) -> tuple[Plan, tuple[str, ...]]:
    """Fit a space to a data set, lock the held-out set away and cut the folds; also give what to tell people.

    `stored`: the plan of the study where there is one; its held-out set stays. Raises DataError, SpaceError or StudyError where
    that is not possible.
    """
    ladder = options.ladder
    if ladder is None:
        raise StudyError("a plan must have a ladder, but its options have none; choose e.g. 1x3,1x9,5x9,5x30.")
    split = _split(data, options.holdout, stored)
    data, search_set, held_out = (_relabel(part, space) for part in (data, split.search, split.held_out))
    check_halves(split.rule, search_set, held_out)
    folds = _folds(search_set, ladder, options.seed, stored)
    # A class needs pits in every fold's training half; a label rarer than the folds cannot give them.
    frequent = [label for label, count in search_set.counts().items() if count >= ladder.folds]
    fitted = space.fit(frequent, data.description.channels)
    _check_timm(fitted, data.description.crop)
    _check_optimisers(fitted)
    sampler_note = fit_sampler(options.sampler, fitted, options.objectives)
    either = {pit.pit for pit in (*search_set.pits, *held_out.pits)}
    plan = Plan(
        folder=str(data.folder),
        fingerprint=data.fingerprint,
        held_out=tuple(pit.pit for pit in held_out.pits),
        between=tuple(pit.pit for pit in data.pits if pit.pit not in either),
        folds=folds,
        space=fitted,
        options=replace(options, holdout=Holdout(split.rule.share, split.rule.slides)),
        version=version("pitsearch"),
        plugins=plugins_of({key: domain for key in AXES if isinstance(domain := fitted.domain(key), tuple)}),
        portfolio=portfolio(fitted) if stored is None else stored.portfolio,
    )
    notes = (space.left_out(fitted), sampler_note)
    return plan, (*split.notes, *(note for note in notes if note is not None))


def _split(data: Dataset, holdout: Holdout, stored: Plan | None) -> Split:
    """Lock pits away, those of the stored plan where it was made by the same rule."""
    if stored is not None and holdout.rule in (Holdout().rule, stored.options.holdout.rule):
        return split_by_name(data, stored.options.holdout.rule, stored.held_out, stored.between)
    return hold_out(data, share=holdout.share, slides=holdout.slides, log=read_log(data.folder))


def _folds(search_set: Dataset, ladder: Ladder, seed: int, stored: Plan | None) -> tuple[int, ...]:
    """Cut the folds, as those of the stored plan are: which pits look the same may be told otherwise by now."""
    if stored is not None and (stored.options.seed, stored.ladder.folds, len(stored.folds)) == (
        seed,
        ladder.folds,
        len(search_set),
    ):
        return stored.folds
    return tuple(map(int, fold_numbers(search_set, ladder.folds, seed)))


def _check_optimisers(space: Space) -> None:
    """Raise SpaceError for an optimiser that timm does not have or that does not work here, before any trial does."""
    names = space.domain("optimiser.name")
    # Names of timm are not known before it is asked; muon does not work on every machine.
    special = [str(name) for name in names if str(name).startswith((TIMM, "muon"))] if isinstance(names, tuple) else []
    if special:
        from models.training.optimisers import check_optimiser  # timm takes seconds to import

        for name in special:
            check_optimiser(name)


def _check_timm(space: Space, size: int) -> None:
    """Raise SpaceError for a network that timm does not know, or weights that are not to be had, before any trial does."""
    domains = [space.domain(key) for key in ("network.name", "network.weights")]
    names, weights = ([str(value) for value in domain] if isinstance(domain, tuple) else [] for domain in domains)
    networks = [Network(name, weights=start) for name in names if name.startswith(TIMM) for start in weights]
    if networks:
        from models.networks.timm_networks import check_timm  # timm takes seconds to import

        for network in networks:
            check_timm(network, size)


def store_plan(plan: Plan) -> dict[str, Any]:
    """Give the plan as the plain values that a study keeps."""
    return {"format": len(MIGRATIONS) + 1, **to_plain(plan)}


def read_plan(study: optuna.Study) -> Plan:
    """Read what a study was made for. Raises StudyError where pitsearch did not make it, or a newer one did."""
    return plan_of(study.user_attrs.get(PLAN), study.study_name)


def plan_of(stored: object, name: str) -> Plan:
    """Read the stored plan of a study of this name. Raises StudyError as `read_plan` does."""
    what = f"study {name!r}"
    if not isinstance(stored, dict):
        raise StudyError(f"{what} must be one that pitsearch made, but is not; choose another --study.")
    values = upgrade(stored, MIGRATIONS, what)
    # Before the space is read: it may name parts of theirs.
    use_recorded(from_plain(tuple[PluginRef, ...], values.get("plugins", ()), what), what)
    plan = from_plain(Plan, values, what)
    if plan.options.ladder is None or not all(0 <= fold < plan.ladder.folds for fold in plan.folds):
        raise StudyError(f"{what} must have a ladder and pits in its folds, but its plan has not; choose another --study.")
    return plan


def check_same(name: str, stored: Plan, current: Plan) -> None:
    """Compare what a study was made for with what is asked now. Raises StudyError for the first thing that differs.

    The version of pitsearch may differ: it is a record of who made the study. So may the way in which the held-out pits were
    chosen: the pits themselves are compared.
    """
    remedy = "choose another --study, or go back to what it was made for"
    if stored.fingerprint != current.fingerprint:
        raise StudyError(
            f"study {name!r} was made from other data (fingerprint {stored.fingerprint[:12]}, but {current.folder} has "
            f"{current.fingerprint[:12]}); {remedy}."
        )
    old, new = to_plain(stored.space), to_plain(current.space)
    differing = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    if any((old.get(key), new.get(key)) not in _RENEWED.get(key, ()) for key in differing):
        key = next(key for key in differing if (old.get(key), new.get(key)) not in _RENEWED.get(key, ()))
        raise StudyError(
            f"study {name!r} was made for another space (`{key}`: {old.get(key, 'absent')}, but now "
            f"{new.get(key, 'absent')}); {remedy}."
        )
    before, now = stored.options, current.options
    for meaning, one, other in (
        ("seed", before.seed, now.seed),
        ("held-out set", stored.held_out, current.held_out),
        ("split into folds", stored.folds, current.folds),
        ("working point", before.working_point, now.working_point),
        ("ladder", stored.ladder, current.ladder),
        ("pruner", before.pruner, now.pruner),
        ("sampler", before.sampler, now.sampler),
        ("share of audited trials", before.audit, now.audit),
        ("choice of objectives", ",".join(before.objectives), ",".join(now.objectives)),
        ("content of a plugin", ", ".join(map(str, stored.plugins)), ", ".join(map(str, current.plugins))),
    ):
        if one != other:
            both = "" if isinstance(one, tuple) else f" ({one}, but now {other})"
            raise StudyError(f"study {name!r} was made with another {meaning}{both}; {remedy}.")
