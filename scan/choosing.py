"""Choose the hits worth labelling: in turns the most signal-like, the most uncertain, and the most unlike what was seen.

Arrays in, choices out. None is chosen twice: neither two at one place, nor two that show the same plastic. Knows nothing of
files or models.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.description import Channel
from foils.near_duplicates import look_alikes, mirrors, standardised
from foils.open_image import Grey
from scan.hits import Hit

SIGNAL, UNCERTAIN, UNLIKE = "signal-like", "uncertain", "unlike what was seen"
Floats = npt.NDArray[np.float64]
# Principal components of the crops, in which distances are taken.
COMPONENTS = 16
# What is unlike all pits weighs by P(signal) and this: a kind of signal that the model never saw scores low.
LEAST_CHANCE = 0.1
# The spread of a model of one network, which tells none: half of what members usually differ by near the threshold.
LEAST_SPREAD = 0.05
# Of each list so many times the wanted hits are looked at for duplicates.
SHORT_LIST = 5


@dataclass(frozen=True)
class Choice:
    """A hit that was chosen."""

    # Its number in the list of hits.
    index: int
    # SIGNAL, UNCERTAIN or UNLIKE.
    why: str


def choose(
    hits: Sequence[Hit],
    crops: Grey,
    channels: Sequence[Channel],
    count: int,
    seen: Grey | None = None,
    size: float | None = None,
) -> list[Choice]:
    """Choose hits in turns from three lists, up to `count` of them: the last one by distance times (P(signal) + 0.1).

    `crops`: `[hits, channels, y, x]`; `seen`: the crops of pits that have labels, `[pits, channels, y, x]`: none that shows
    their plastic is chosen; `size`: no two hits are nearer to each other than this, in pixels of the frame; half a crop where
    it is not given.
    """
    if not hits:
        return []
    size = crops.shape[-1] / 2 if size is None else size
    space, distance = distances(crops, seen)
    weight = np.array([hit.p_signal for hit in hits]) + LEAST_CHANCE
    orders = {
        SIGNAL: np.argsort([-hit.p_signal for hit in hits], kind="stable"),
        UNCERTAIN: np.argsort([doubt(hit) for hit in hits], kind="stable"),
        UNLIKE: np.argsort(-distance * weight, kind="stable"),
    }
    short = np.unique(np.concatenate([order[: SHORT_LIST * count] for order in orders.values()]))
    barred, partners = _same_plastic_of(short, crops, channels, seen)
    listed = set(short.tolist())
    lists = {why: [index for index in order.tolist() if index in listed] for why, order in orders.items()}
    choices: list[Choice] = []
    turns = itertools.cycle(lists)
    while len(choices) < count and any(lists.values()):
        why = next(turns)
        # What bars a hit stays: those before the first good one are gone for good.
        lists[why] = [index for index in lists[why] if index not in barred]
        if why == UNLIKE:  # unlike what was chosen, too
            lists[why].sort(key=lambda index: -distance[index] * weight[index])
        if not lists[why]:
            continue
        index = lists[why][0]
        choices.append(Choice(index, why))
        barred |= {index, *partners.get(index, ())}
        barred |= {other for other in short.tolist() if apart(hits[index], hits[other]) < size}
        distance = np.minimum(distance, np.linalg.norm(space - space[index], axis=1))
    return choices


def doubt(hit: Hit) -> float:
    """Give how far P(signal) lies from the threshold, in spreads of the members: the less, the more uncertain."""
    return abs(hit.p_signal - hit.threshold) / math.hypot(hit.spread, LEAST_SPREAD)


def distances(crops: Grey, seen: Grey | None) -> tuple[Floats, Floats]:
    """Place crops in a plain space, `[hits, components]`, and give the distance of each to the nearest pit seen, `[hits]`.

    The space: the first principal components of all crops, each less the average crop and its own mean under each light, of
    unit length. It knows shapes, and nothing of what a network looks at. Where nothing was seen, the distance is that to the
    average crop.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    both = crops if seen is None else np.concatenate([crops, seen])
    vectors = standardised(both)
    parts = min(COMPONENTS, len(vectors) - 1, vectors.shape[1])
    if parts < 1:
        return np.zeros((len(crops), 1)), np.zeros(len(crops))
    space = PCA(parts, svd_solver="randomized", random_state=0).fit_transform(vectors).astype(np.float64)
    own, others = space[: len(crops)], space[len(crops) :]
    if not len(others):
        return own, np.linalg.norm(own, axis=1)
    nearest, _ = NearestNeighbors(n_neighbors=1).fit(others).kneighbors(own)
    return own, nearest[:, 0]


def apart(one: Hit, other: Hit) -> float:
    """Give the distance of two hits in pixels: on one frame, or on one foil by their places on it; infinite where unknown."""
    if one.foil != other.foil:
        return math.inf
    if one.slide == other.slide:
        return math.hypot(one.x - other.x, one.y - other.y)
    if one.x_foil is None or one.y_foil is None or other.x_foil is None or other.y_foil is None:
        return math.inf
    return math.hypot(one.x_foil - other.x_foil, one.y_foil - other.y_foil)


def _same_plastic_of(
    short: npt.NDArray[np.int64], crops: Grey, channels: Sequence[Channel], seen: Grey | None
) -> tuple[set[int], dict[int, set[int]]]:
    """Give which of some hits show what was seen, and for each the others that show the same plastic."""
    alike, taken = _same_plastic(crops[short], channels, seen)
    partners: dict[int, set[int]] = defaultdict(set)
    for one, other in alike:
        partners[int(short[one])].add(int(short[other]))
        partners[int(short[other])].add(int(short[one]))
    return {int(short[index]) for index in taken}, partners


def _same_plastic(crops: Grey, channels: Sequence[Channel], seen: Grey | None) -> tuple[list[tuple[int, int]], set[int]]:
    """Pair crops that are identical or look the same, and give those that show what was seen."""
    both = crops if seen is None else np.concatenate([crops, seen])
    first: dict[bytes, int] = {}
    same = [first.setdefault(hashlib.sha256(crop.tobytes()).digest(), index) for index, crop in enumerate(both)]
    distinct = np.array(sorted(set(same)))
    alike = [(index, place) for index, place in enumerate(same) if index != place]
    if len(distinct) > 1:
        alike += [(int(distinct[a]), int(distinct[b])) for a, b in look_alikes(both[distinct], mirrors(channels))]
    own = len(crops)
    pairs = [pair for pair in alike if max(pair) < own]
    return pairs, {min(pair) for pair in alike if min(pair) < own <= max(pair)}
