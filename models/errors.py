"""The one exception that `models` raises: a bundle that cannot be trusted or used."""


class BundleError(ValueError):
    """Refuse a bundle: the file, the rule, the value received, the remedy, on one line."""
