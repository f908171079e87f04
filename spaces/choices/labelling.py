"""Labelling schemes: rules from labels to the classes a network is trained on.

To add a scheme, add one entry to SCHEMES; a space file may bring its own as a table label -> class. Every scheme's first class
is the signal, so that all are scored alike, by P(signal), on the same pits, also on those left out of training. `maybe`, the
label that is never scored, and the style of an older campaign are choices of their own: MAYBES and STYLES.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pitsearch.plain_word import broken_word
from pitsearch.toml_text import shown
from spaces.errors import SpaceError

SIGNAL = "signal"
# The detector of a scheme of background alone, unless told otherwise.
DETECTOR = "neighbours"


@dataclass(frozen=True)
class Scheme:
    """A rule from labels to classes. A label in no class is left out of training."""

    meaning: str
    # Each further class with the labels in it; the class whose labels are () takes every label left over.
    members: tuple[tuple[str, tuple[str, ...]], ...]
    # The label that is scored as the signal, None for the data set's own; where it is another, the labels of the scheme are all
    # that is scored.
    positive: str | None = None
    # Signal is not trained on, and scored as what background is not.
    background_only: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, signal first."""
        return (self.positive or SIGNAL, *(name for name, _ in self.members))

    @property
    def needs(self) -> frozenset[str]:
        """The labels that a data set must have for this scheme to make sense."""
        return frozenset(
            (*(label for _, labels in self.members for label in labels), *([self.positive] if self.positive else []))
        )

    def class_of(self, label: str, signal: str, ignored: Collection[str]) -> int | None:
        """Number the class of a label; None where the scheme leaves it out of training."""
        if label == signal:
            return 0
        for number, (_, labels) in enumerate(self.members, start=1):
            if label in labels or (not labels and label not in ignored):
                return number
        return None


def _classes(**members: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(members.items())


SCHEMES: dict[str, Scheme] = {
    "binary": Scheme("signal against every other label", _classes(background=())),
    "surfaces": Scheme("signal against surface pits, top and bottom; dirt is left out", _classes(surface=("top", "bottom"))),
    "top-bottom": Scheme(
        "top against bottom, scored with top as the signal: the benchmark for days with few candidates",
        _classes(bottom=("bottom",)),
        positive="top",
    ),
    "three-way": Scheme("signal, top, bottom; dirt is left out", _classes(top=("top",), bottom=("bottom",))),
    "surface-misc": Scheme("signal, surface (top and bottom), misc", _classes(surface=("top", "bottom"), misc=("misc",))),
    "four-way": Scheme("signal, top, bottom, misc", _classes(top=("top",), bottom=("bottom",), misc=("misc",))),
    "five-way": Scheme(
        "signal, top, bottom, misc, maybe", _classes(top=("top",), bottom=("bottom",), misc=("misc",), maybe=("maybe",))
    ),
    "anomaly": Scheme(
        "signal as what background is not: a model of background alone, and the distance from it",
        _classes(background=()),
        background_only=True,
    ),
}


@dataclass(frozen=True)
class Maybe:
    """What pits of a label that is never scored are trained as, where the scheme has no class for them."""

    meaning: str
    # The share of the target that is signal, None for a choice of the space; the rest goes to the other classes in equal parts.
    signal: float | None = None
    # Whether they are trained on.
    trained: bool = True
    # They get a class of their own.
    apart: bool = False


MAYBES: dict[str, Maybe] = {
    "left out": Maybe("not trained on", trained=False),
    "background": Maybe("trained on as background", signal=0.0),
    "signal": Maybe("trained on as signal", signal=1.0),
    "own class": Maybe("trained on as a class of their own", apart=True),
    "soft": Maybe("trained on with a share of signal as target, and a weight (Hinton & al. 2015, arXiv:1503.02531)"),
}


@dataclass(frozen=True)
class Style:
    """What pits of an older labelling campaign weigh."""

    meaning: str
    # Of a pit labelled in an older campaign, whose criteria were others, against one of the newest.
    old_weight: float


STYLES: dict[str, Style] = {
    "all": Style("pits of every labelling campaign weigh the same", 1.0),
    "new": Style("pits of the old style are not trained on", 0.0),
    "old halved": Style("pits of the old style weigh half", 0.5),
}
OLD = "old"


@dataclass(frozen=True)
class Labelling:
    """One choice of labels: a scheme, what `maybe` is trained as, and what the old style weighs."""

    scheme: str = "binary"
    maybe: str = "left out"
    # `soft_target`, `soft_weight`: the share of signal and the weight of a `maybe` pit where it is soft.
    soft_target: float = 0.5
    soft_weight: float = 0.5
    style: str = "all"
    # The scheme itself, label -> class, where it is one of the space file's.
    own: Mapping[str, str] = field(default_factory=dict)
    # Of DETECTORS, for a scheme of background alone.
    detector: str = DETECTOR

    def describe(self) -> str:
        """Say the choice in a few words, leaving out what is as by default."""
        soft = f" {self.soft_target:g}/{self.soft_weight:g}" if self.maybe == "soft" else ""
        maybe = "" if self.maybe == "left out" else f" maybe {self.maybe}{soft}"
        detector = f" {self.detector}" if self.rule.background_only else ""
        return f"{self.scheme}{detector}{maybe}{'' if self.style == 'all' else f' style {self.style}'}"

    @property
    def rule(self) -> Scheme:
        """The scheme, with the class that `maybe` gets of its own."""
        scheme = own_scheme(self.scheme, self.own) if self.own else SCHEMES[self.scheme]
        if not MAYBES[self.maybe].apart or "maybe" in scheme.classes:
            return scheme
        return replace(scheme, members=(*scheme.members, ("maybe", ("maybe",))))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, signal first."""
        return self.rule.classes

    def target(self, label: str, style: str, signal: str, ignored: Collection[str]) -> tuple[list[float], float]:
        """Give a pit's target, a share for each class, and its weight; a weight of 0 leaves it out of training."""
        rule, maybe, weight = self.rule, MAYBES[self.maybe], STYLES[self.style].old_weight if style == OLD else 1.0
        count = len(rule.classes)
        number = rule.class_of(label, rule.positive or signal, ignored)
        if number is None and maybe.apart and label in ignored:
            number = count - 1
        if number == 0 and rule.background_only:
            weight = 0.0
        if number is not None:
            return [float(index == number) for index in range(count)], weight
        if label not in ignored or not maybe.trained:
            return [1 / count] * count, 0.0
        soft = maybe.signal is None
        share = self.soft_target if maybe.signal is None else maybe.signal
        return [share, *[(1 - share) / (count - 1)] * (count - 1)], weight * (self.soft_weight if soft else 1.0)


def own_scheme(name: str, table: Mapping[str, str]) -> Scheme:
    """Make a scheme of a table label -> class. Raises SpaceError where it has no signal or nothing against it."""
    for word in (*table, *table.values()):
        if rule := broken_word(word):
            raise SpaceError(f"scheme {name!r} must have labels and classes that are {rule}, but got {shown(word)}; rename it.")
    classes = [kind for kind in dict.fromkeys(table.values()) if kind != SIGNAL]
    if SIGNAL not in table.values() or not classes:
        raise SpaceError(
            f"scheme {name!r} must give one label the class {SIGNAL!r} and another a class against it, but has "
            f"{', '.join(dict.fromkeys(table.values())) or 'none'}; correct it."
        )
    signals = [label for label, kind in table.items() if kind == SIGNAL]
    if len(signals) > 1:
        raise SpaceError(
            f"scheme {name!r} must give the class {SIGNAL!r} to one label, but gives it to {', '.join(signals)}; correct it."
        )
    members = tuple((kind, tuple(label for label, of in table.items() if of == kind)) for kind in classes)
    return Scheme(f"the space's own: {', '.join(f'{label} as {kind}' for label, kind in table.items())}", members, signals[0])
