"""Find pits whose label is suspect: networks that did not train on them say another, or a near-duplicate carries another.

Confident learning by cleanlab (Northcutt, Jiang & Chuang 2021, JAIR 70). Arrays in, a list out: knows nothing of studies,
training or files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from foils.near_duplicates import look_alikes
from foils.open_image import Grey
from models.metrics import Floats
from models.training.verdicts import Verdict

Ints = npt.NDArray[np.int64]
# Networks that ended so know something of the pits; the others are no witness against a label.
WITNESSES = (Verdict.LEARNED, Verdict.OVERTRAINED)
# In more than this share of the repeats the suggested label must beat the given one.
MOST = 0.5
IDENTICAL, OVERLAPS, LOOKS = "identical to", "shares plastic with", "looks the same as"


@dataclass(frozen=True)
class Suspect:
    """A pit whose label a person should look at."""

    # Of the pit.
    index: int
    label: str
    suggested: str
    # (1 + P(suggested) - P(given)) / 2, 0.5 where both are as likely, None where nothing could judge the pit.
    sure: float | None
    agreed: int
    # Repeats in which the network that did not train on the pit had learned, `agreed`: those of them in which it gave the
    # suggested label more than the given one.
    judged: int
    # For people.
    reason: str


@dataclass(frozen=True)
class LabelScores:
    """What networks say of pits that they did not train on."""

    # `[repeats, pits, labels]`, not a number where the network did not learn.
    probabilities: Floats
    # The labels, in that order.
    names: tuple[str, ...]
    # `[pits]`, the given ones, some of which may be too rare to be in `names`.
    labels: npt.NDArray[np.str_]

    @cached_property
    def repeats(self) -> Ints:
        """In how many repeats each pit was judged, `[pits]`."""
        count: Ints = np.isfinite(self.probabilities[:, :, 0]).sum(0)
        return count

    @cached_property
    def given(self) -> Ints:
        """The number of each pit's given label among `names`, -1 where it is not there, `[pits]`."""
        number = {name: place for place, name in enumerate(self.names)}
        return np.array([number.get(str(label), -1) for label in self.labels], np.int64)

    @cached_property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which pits were judged and carry a label that the networks know, `[pits]`."""
        usable: npt.NDArray[np.bool_] = (self.repeats > 0) & (self.given >= 0)
        return usable

    @cached_property
    def mean(self) -> Floats:
        """The mean over the repeats that judged a pit, `[pits, labels]`; 0 where none did."""
        total: Floats = np.nansum(self.probabilities, axis=0) / np.maximum(self.repeats, 1)[:, None]
        return total


def errors(judged: LabelScores) -> Floats:
    """Give the probability that each usable pit's label lacks, 1 - P(given label), mean over repeats, `[usable pits]`."""
    usable = judged.usable
    lacking: Floats = 1 - judged.mean[usable, judged.given[usable]]
    return lacking


def find_suspects(judged: LabelScores) -> tuple[Suspect, ...]:
    """List the pits whose label confident learning does not believe, the surest first.

    A pit stays only if its suggested label beats the given one in most repeats.
    """
    places = np.flatnonzero(judged.usable)
    given, means = judged.given[places], judged.mean[places]
    if len(np.unique(given)) < 2:
        return ()
    means = means / means.sum(1, keepdims=True)
    # One process: a few thousand pits, and forked workers do not go well with threads.
    doubted = find_label_issues(given, means, n_jobs=1)
    sure = 1 - get_label_quality_scores(given, means, method="normalized_margin")
    suspects = []
    for place, quality, likeliest in zip(places[doubted], sure[doubted], means[doubted].argmax(1), strict=True):
        suspect = _suspect(judged, int(place), judged.names[likeliest], float(quality), "networks disagree with the label")
        if suspect.agreed > MOST * suspect.judged:
            suspects.append(suspect)
    return tuple(sorted(suspects, key=lambda one: (-(one.sure or 0.0), one.index)))


def _suspect(judged: LabelScores, index: int, suggested: str, sure: float | None, reason: str) -> Suspect:
    agreed = 0
    if sure is not None:
        votes = judged.probabilities[:, index]
        agreed = int((votes[:, judged.names.index(suggested)] > votes[:, judged.given[index]]).sum())
    return Suspect(index, str(judged.labels[index]), suggested, sure, agreed, int(judged.repeats[index]), reason)


def contradictions(judged: LabelScores, pairs: Sequence[tuple[int, int, str]], pits: Sequence[str]) -> tuple[Suspect, ...]:
    """List the pits of near-duplicate pairs with different labels; of each the other's label is suggested.

    `pairs`: numbers of two pits and why they are near-duplicates; `pits`: all names. Of two that only overlap, which may be
    neighbours with a label each, a pit is listed where networks side with the other's label. Rows of one pit are joined
    where they suggest the same label.
    """
    reasons: dict[tuple[int, str], list[str]] = defaultdict(list)
    for first, second, why in pairs:
        if judged.labels[first] != judged.labels[second]:
            for one, other in ((first, second), (second, first)):
                suggested = str(judged.labels[other])
                sure = _sure(judged, one, suggested)
                if why != OVERLAPS or sure is None or sure > 0.5:
                    reasons[one, suggested].append(f"{why} {pits[other]}, labelled {suggested}")
    return tuple(
        _suspect(judged, index, suggested, _sure(judged, index, suggested), "; ".join(why_all))
        for (index, suggested), why_all in reasons.items()
    )


def _sure(judged: LabelScores, index: int, suggested: str) -> float | None:
    if not judged.usable[index] or suggested not in judged.names:
        return None
    of = judged.mean[index]
    return float(1 + of[judged.names.index(suggested)] - of[judged.given[index]]) / 2


def merge(suspects: Sequence[Suspect], others: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Join two lists: a pit with the same suggestion in both is listed once, with both reasons; the surest first."""
    joined = {(one.index, one.suggested): one for one in suspects}
    for other in others:
        earlier = joined.get((other.index, other.suggested))
        reason = f"{earlier.reason}; {other.reason}" if earlier else other.reason
        joined[other.index, other.suggested] = replace(earlier or other, reason=reason)
    return tuple(sorted(joined.values(), key=lambda one: (-(-1.0 if one.sure is None else one.sure), one.index)))


def near_duplicates(crops: Grey, groups: Ints) -> list[tuple[int, int, str]]:
    """Pair pits that show the same plastic: of one group, or with crops that look the same.

    `crops`: `[pits, channels, y, x]`; `groups`: `[pits]`.
    """
    pairs: dict[tuple[int, int], str] = {}
    same = np.unique(crops.reshape(len(crops), -1), axis=0, return_inverse=True)[1].ravel()
    apart = np.sort(np.unique(same, return_index=True)[1])
    for first, second in look_alikes(crops[apart]):
        pairs[int(apart[first]), int(apart[second])] = LOOKS
    for group in np.flatnonzero(np.bincount(groups) > 1):
        members = np.flatnonzero(groups == group)
        for first, second in combinations(members.tolist(), 2):
            if same[first] == same[second]:
                pairs[first, second] = IDENTICAL
            pairs.setdefault((first, second), OVERLAPS)
    return [(first, second, why) for (first, second), why in sorted(pairs.items())]
