"""The exceptions that `models` raises: a bundle or a checkpoint that cannot be trusted or used."""


class BundleError(ValueError):
    """Refuse a bundle: the file, the rule, the value received, the remedy, on one line."""


class CheckpointError(ValueError):
    """Refuse a checkpoint of a training: the rule, the value received, the remedy, on one line."""
