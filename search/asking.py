"""Open a study as a trial asks it for its choices: of the sampler, but for what is known of the trial before.

Knows nothing of training; imports no torch.
"""

from __future__ import annotations

import json
import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler, TPESampler

from search.ladder import Ladder
from search.pruners import make_pruner
from search.records import Asked
from search.storage import open_storage
from search.studies import Plan, Study, trial_seed
from spaces import Space
from spaces.suggest import parameters


def open_study(study: Study, plan: Plan, number: int) -> optuna.Study:
    """Open a study with the pruner of its plan and the sampler of the trial of this number."""
    opened, pruner = open_storage(study.storage), make_pruner(plan.pruner, Ladder.parse(plan.ladder))
    found = optuna.load_study(study_name=study.name, storage=opened, pruner=pruner)
    asked = Asked.read(opened.get_trial(opened.get_trial_id_from_study_id_trial_number(found._study_id, number)))
    found.sampler = _sampler(plan, number, asked)
    return found


def _sampler(plan: Plan, number: int, asked: Asked | None) -> BaseSampler:
    with warnings.catch_warnings():
        # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(multivariate=True, group=True, constant_liar=True, seed=trial_seed(plan.seed + 1, number))
        if asked is None:
            return sampler
        return PartialFixedSampler(parameters(Space.from_dict(json.loads(plan.space)), asked.choices), sampler)
