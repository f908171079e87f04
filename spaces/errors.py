"""The one exception that `spaces` raises: a choice that does not exist, or that the data cannot carry."""

from __future__ import annotations

from pitsearch.errors import PitsearchError


class SpaceError(PitsearchError):
    """Refuse a space, a configuration or a space file: the rule, the value received, the remedy, on one line."""
