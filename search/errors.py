"""Every exception that pitsearch raises for bad input, in one place.

    ValueError
    +-- foils.DataError       a data set: every fault at once, one line each
    +-- spaces.SpaceError     a space, a space file or a configuration
    +-- models.BundleError    a bundle: missing, changed or foreign files
    +-- search.StudyError     a study: unknown, made from something else, or without a result

The command line prints each as it is and exits with 1. Anything else is a fault of ours.
"""

from __future__ import annotations

from foils.errors import DataError
from models.errors import BundleError
from spaces.errors import SpaceError


class StudyError(ValueError):
    """Refuse a study or what is asked of it: the rule, the value received, the remedy, on one line."""


REFUSALS = (DataError, SpaceError, BundleError, StudyError)
