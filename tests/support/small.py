"""What makes the commands of pages small: few pits, few trials, short ladders. As a program, `pitsearch` with all of it.

    python -m tests.support.small launch mydata --trials 40      runs    pitsearch launch mydata --trials 2 --ladder 1x1,5x8

Commands between pipes and in conditions of a shell are run so; plain ones in the test's own process
(`tests/support/snippets.py`). Imports nothing of ours before it is run: it starts often.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

LADDER = "1x1,5x8"
NUMBER = re.compile(r"\d+(\.\d+)?")
# Values that a test puts in place of a page's, or adds to its command.
SMALL = {
    "synth": {"--pits": "160", "--difficulty": "0"},
    "launch": {"--trials": "2", "--ladder": LADDER},
    "confirm": {"--top": "1", "--repeats": "1", "--reliability": "0"},
    "select": {"--top": "1", "--repeats": "1", "--reliability": "0"},
    "curve": {"--shares": "0.5,1", "--repeats": "1", "--epochs": "4"},
    "jobscript": {"--jobs": "1"},
    "diagnose": {"--seeds": "2", "--repeats": "2"},
}


def small(words: Sequence[str]) -> list[str]:
    """Give the words of a command of pitsearch with its small values; a number that is smaller already stays."""
    given = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for option, value in SMALL.get(words[0], {}).items() if words else ():
        place = given.index(option) if option in given else len(given)
        before = "".join(given[place + 1 : place + 2])
        if not (NUMBER.fullmatch(before) and NUMBER.fullmatch(value) and float(before) < float(value)):
            given[place : place + 2] = [option, value]
    return given


if __name__ == "__main__":
    from search.cli.app import main

    sys.argv = ["pitsearch", *small(sys.argv[1:])]
    main()
