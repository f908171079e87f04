"""The exceptions that `models` raises: a bundle or a checkpoint that cannot be trusted or used."""

from __future__ import annotations

from pitsearch.errors import PitsearchError


class BundleError(PitsearchError):
    """Refuse a bundle: the file, the rule, the value received, the remedy, on one line."""


class CheckpointError(PitsearchError):
    """Refuse a checkpoint of a training: the rule, the value received, the remedy, on one line."""
