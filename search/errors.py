"""Every exception that pitsearch raises for bad input, in one place.

    ValueError
    +-- pitsearch.PitsearchError
        +-- foils.DataError           a data set: every fault at once, one line each
        +-- spaces.SpaceError         a space, a space file or a configuration
        +-- models.BundleError        a bundle: missing, changed or foreign files
        +-- models.errors.CheckpointError    a fold's checkpoint: cut short, changed or another training's
        +-- models.errors.ContractError      a part of a plugin that breaks a contract
        +-- scan.ScanError            a scan, a list of hits or what is asked of them
        +-- search.StudyError         a study: unknown, made from something else, or without a result
            +-- search.errors.StorageAway        its storage stayed away for longer than is waited for
            +-- search.errors.StudyGone          it was deleted while it was worked on; a KeyError, too, as Optuna's is

The command line prints each as it is and exits with 1, and likewise a database that fails on the way (full, read-only,
gone). Anything else is a fault of ours.
"""

from __future__ import annotations

from pitsearch.errors import PitsearchError, first_cause, reason


class StudyError(PitsearchError):
    """Refuse a study or what is asked of it: the rule, the value received, the remedy, on one line."""


class StorageAway(StudyError):
    """A storage stayed away, locked or without a free connection for longer than is waited for."""


class StudyGone(StudyError, KeyError):
    """A study was deleted while it was worked on. Optuna's word for that is KeyError."""

    # KeyError would quote the line.
    __str__ = Exception.__str__

    def __init__(self, name: str | None = None) -> None:
        which = "it" if name is None else repr(name)
        super().__init__(f"a study must stay while it is worked on, but {which} was deleted; launch it again to start anew.")
        self.name = name

    def __reduce__(self) -> tuple[type[StudyGone], tuple[str | None]]:
        return StudyGone, (self.name,)


def refusal(error: BaseException) -> list[str]:
    """Give the lines that the command line prints of an error; none where it is a fault of ours."""
    if isinstance(error, PitsearchError):
        return str(error).splitlines()
    # Commands that open no database start without them.
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    if not isinstance(error, StorageInternalError | SQLAlchemyError):
        return []
    said = reason(first_cause(error))  # the driver's own words; the layers above it quote statements and their values
    if any(words in said for words in ("malformed", "not a database", "disk I/O error")):
        return [
            f"the storage must be a whole database, but: {said}; restore it from a copy, or save what can be read: "
            "`pitsearch storage copy --salvage FROM TO`."
        ]
    return [
        f"the storage must stay writable, but: {said}; finished trials are kept: make it writable, then run the same command "
        "again."
    ]
