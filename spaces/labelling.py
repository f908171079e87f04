"""Labelling schemes: rules from labels to the classes a network is trained on.

To add a scheme, add one entry to SCHEMES. Every scheme's first class is the signal, so that all are scored alike,
by P(signal), on the same pits, also on those whose label the scheme leaves out of training.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

SIGNAL = "signal"


@dataclass(frozen=True)
class Scheme:
    """A rule from labels to classes.

    `members` pairs each further class with the labels in it; the class whose labels are () takes every label left over.
    A label in no class is left out of training.
    """

    meaning: str
    members: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, signal first."""
        return (SIGNAL, *(name for name, _ in self.members))

    @property
    def needs(self) -> frozenset[str]:
        """The labels that a data set must have for this scheme to make sense."""
        return frozenset(label for _, labels in self.members for label in labels)

    def class_of(self, label: str, signal: str, ignored: Collection[str]) -> int | None:
        """Number the class of a label; None where the scheme leaves it out of training."""
        if label == signal:
            return 0
        if label in ignored:
            return None
        for number, (_, labels) in enumerate(self.members, start=1):
            if label in labels or not labels:
                return number
        return None


SCHEMES: dict[str, Scheme] = {
    "binary": Scheme("signal against every other label", (("background", ()),)),
    "three-way": Scheme("signal, top, bottom; dirt is scored but not trained on", (("top", ("top",)), ("bottom", ("bottom",)))),
    "four-way": Scheme("signal, top, bottom, misc", (("top", ("top",)), ("bottom", ("bottom",)), ("misc", ("misc",)))),
}
