"""The base of every exception that pitsearch raises for bad input. Imports nothing, so that every package can import it.

`search/errors.py` draws the tree.
"""


class PitsearchError(ValueError):
    """Refuse what a user gave: the rule, the value received, the remedy, on one line."""


def reason(error: BaseException) -> str:
    """Say on one line why something failed: the system's own words, for an error without them what it says, or its kind."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).strip().splitlines()[0].rstrip(".")
