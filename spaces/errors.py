"""The one exception that `spaces` raises: a choice that does not exist, or that the data cannot carry."""


class SpaceError(ValueError):
    """Refuse a space, a configuration or a space file: the rule, the value received, the remedy, on one line."""
