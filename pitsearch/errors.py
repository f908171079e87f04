"""The base of every exception that pitsearch raises for bad input. Imports nothing, so that every package can import it.

`search/errors.py` draws the tree.
"""


class PitsearchError(ValueError):
    """Refuse what a user gave: the rule, the value received, the remedy, on one line."""
