"""The base of every exception that pitsearch raises for bad input, and words that errors share. Imports nothing of ours.

`search/errors.py` draws the tree.
"""

from collections.abc import Iterable
from difflib import get_close_matches

# The remedy where nothing better is known.
CORRECT = "correct it"
# Characters of what another library says.
LONGEST = 300


class PitsearchError(ValueError):
    """Refuse what a user gave: the rule, the value received, the remedy, on one line."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(on_one_line, lines)))


def on_one_line(text: str) -> str:
    """Write line breaks, and other characters that a terminal acts upon or does not show, as escapes: a name may hold any."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def reason(error: BaseException) -> str:
    """Say on one line why something failed: the system's own words, for an error without them what it says, or its kind."""
    words = str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
    line = words.splitlines()[0].rstrip(".")
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."  # it may quote a value of any length


def first_cause(error: BaseException) -> BaseException:
    """Give the error that an error came from: the layers above it quote what they did."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Point to the words that this one may have been meant as, as the remedy of an error."""
    near = get_close_matches(word, list(words), cutoff=0.6)
    return f"perhaps {' or '.join(near)} was meant" if near else CORRECT
