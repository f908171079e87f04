"""The exceptions that `models` raises: a bundle, a checkpoint or a part that cannot be trusted or used."""

from __future__ import annotations

from pitsearch.errors import PitsearchError


class BundleError(PitsearchError):
    """Refuse a bundle: the file, the rule, the value received, the remedy, on one line."""


class CheckpointError(PitsearchError):
    """Refuse a checkpoint of a training: the rule, the value received, the remedy, on one line."""


class ContractError(PitsearchError):
    """Refuse a network, a loss or another part that does not do what every such part must do."""
