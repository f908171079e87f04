"""Close a search with one plain sentence: what was found, whether more trials pay, and which command comes next.

Knows nothing of storages; the command line makes the words of a command of what is said here.
"""

from __future__ import annotations

from dataclasses import dataclass

from search.analysis.status import Status, acceptance
from search.statistics.expected_gain import Gain
from search.text import counted

# An acceptance more by this counts as better: a point.
POINT = 0.01


@dataclass(frozen=True)
class Closing:
    """How a search ended."""

    sentence: str
    # The command that comes next, and its words behind the study.
    command: str
    words: tuple[str, ...] = ()


def closing(status: Status, minutes: float | None = None) -> Closing:
    """Say what a search has found; `minutes`: the time that it was given, where that is known."""
    if status.nothing is not None:
        return Closing(status.nothing, "check", (status.plan.folder, "--sheet", "pits.png"))
    if status.best is None:
        return _unfinished(status, minutes)
    best = status.best
    passes = f"{100 * status.plan.options.working_point:g} % of the background passes"
    what = f"found: trial {best.number} with acceptance {acceptance(best)} where {passes}, {_against(status)}"
    return Closing(f"{what}; {_more(status.gain)}", "select")


def _against(status: Status) -> str:
    """Say how the best compares with the network in use."""
    if status.comparison is None:
        return "not compared with the network in use, which has not climbed the whole ladder"
    gain = status.comparison.gain
    if gain is None:
        return "which is the network in use itself: none is better"
    change = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    if gain.low > 0:
        return f"better than the network in use by {change}"
    return f"{change} against the network in use, which may be chance"


def _more(gain: Gain | None) -> str:
    """Say whether more trials pay."""
    if gain is None:
        return "too few trials to say whether more pay"
    expected = f"{gain.further} more are expected to bring {gain.expected:+.3f} and hardly more than {gain.bound:+.3f}"
    if gain.bound < POINT:
        return f"more trials do not pay: {expected}"
    return f"more trials {'pay' if gain.expected >= POINT else 'may pay'}: {expected}"


def _unfinished(status: Status, minutes: float | None) -> Closing:
    """Say why nothing can be selected yet, and how the search goes on."""
    if status.failed and not status.done:
        return Closing(f"nothing was found: {counted(status.failed, 'trial')} failed, the last: {status.errors[-1]}", "status")
    longer = ("--minutes", f"{2 * minutes:g}") if minutes else ("--trials", str(2 * max(status.done, 1)))
    if not status.done:
        return _begun(status, longer if minutes else ())
    paused = ", ".join(f"{count} on {rung}" for rung, count in status.queue)
    where = f"{status.paused} are paused ({paused})" if paused else f"{status.pruned} were pruned"
    goes_on = "; a longer search goes on with them" if paused else "; a longer search begins others"
    sentence = f"nothing can be selected yet: no trial has climbed the whole ladder, {where}{goes_on}"
    return Closing(sentence, "launch", (status.plan.folder, *longer))


def _begun(status: Status, longer: tuple[str, ...]) -> Closing:
    """Say how far a search came in which no trial has ended. `longer`: the words that give it more time, if it has a limit."""
    if status.waiting:
        sentence = f"no trial has climbed the whole ladder, {counted(status.waiting, 'trial')} interrupted"
        return Closing(
            f"nothing can be selected yet: {sentence}; a longer search goes on", "launch", (status.plan.folder, *longer)
        )
    if longer and not status.running:
        return Closing("nothing was found: no trial has begun in that time", "launch", (status.plan.folder, *longer))
    return Closing("nothing was found: no trial has ended; workers take up what is left", "worker")
