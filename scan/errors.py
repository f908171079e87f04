"""The exception that `scan` raises for bad input."""

from __future__ import annotations

from pitsearch.errors import PitsearchError


class ScanError(PitsearchError):
    """Refuse a scan, a list of hits or what is asked of them: the rule, the value received, the remedy, on one line."""
