"""Pause a trial on a rung, or let it climb on: in the transaction in which its standing there is written.

Knows nothing of the rule by which trials are promoted, nor of what a trial does.
"""

from __future__ import annotations

import sqlalchemy as sql
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.storage.lease_table import LEASES
from search.storage.leases import Lease, require_lease
from search.storage.optuna_internals import models
from search.storage.places import FINISHED, Choose, count_places, read_launch
from search.storage.rdb import RetryingRDBStorage
from search.storage.rung_table import Standing, has_standing, write_standing
from search.trials.records import PAUSED


def stands(
    storage: RetryingRDBStorage, study_id: int, lease: Lease, standing: Standing, rung: str, choose: Choose | None
) -> bool:
    """Write how a held trial stands on a rung, and tell whether it climbs on; where not, it is paused and held no more.

    `choose`: chooses among all trials, this one paused among them; None where it climbs on whatever the others do. Asked again
    about the same rung it climbs on: a trial that runs was promoted. Raises LeaseLost where another worker holds it.
    """

    def write(session: Session) -> bool:
        require_lease(lease)(session)
        if has_standing(session, lease.trial_id, standing.height):
            return True
        climbs = choose is None or _is_chosen(session, study_id, standing, choose)
        write_standing(session, study_id, standing._replace(paused=not climbs))
        if climbs:
            return True
        trial = models.TrialModel.find_or_raise_by_id(lease.trial_id, session)
        trial.state = TrialState.WAITING
        storage.write_attribute(session, models.TrialUserAttributeModel, lease.trial_id, PAUSED.name, rung)
        session.execute(sql.update(LEASES).where(LEASES.c.trial_id == lease.trial_id).values(token=None))
        return False

    return storage.transact(write)


def _is_chosen(session: Session, study_id: int, standing: Standing, choose: Choose) -> bool:
    """Tell whether a trial would be chosen that was paused where it stands."""
    launched = read_launch(session, study_id)
    places = count_places(session, study_id, launched, (*FINISHED, TrialState.RUNNING))
    return choose(session, places, launched, standing._replace(paused=True)) == standing.trial_id
