"""Pits of given labels and groups, without a folder: what is said of folds and held-out sets needs no images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from foils import Dataset
from foils.description import Channel, Description
from foils.pit import Pit

LABELS = ("candidate", "top", "bottom", "misc", "maybe")


def grouped_pits(
    groups: Sequence[Sequence[str]], *, slides: Sequence[str] = (), fingerprint: str = "0" * 64, folder: Path = Path("nowhere")
) -> Dataset:
    """Make pits of the given labels, by group, shuffled; `slides` go round the pits in the order given. A pit is one pixel."""
    labels = [(label, number) for number, members in enumerate(groups) for label in members]
    pits = [
        Pit(f"p{index}", label, "f", slides[index % len(slides)] if slides else "1") for index, (label, _) in enumerate(labels)
    ]
    order = np.random.default_rng(0).permutation(len(pits))
    data = Dataset(
        folder=folder,
        description=Description("mine", "candidate", "{pit}.png", 12, (Channel("1", "backlit"),)),
        pits=tuple(pits[index] for index in order),
        groups=np.array([labels[index][1] for index in order]),
        fingerprint=fingerprint,
        pixels_file=Path("nowhere.npy"),
        rows=np.arange(len(pits)),
    )
    vars(data)["pixels"] = order.astype(np.uint16).reshape(-1, 1, 1, 1)  # in place of a file: a pit's pixel is its number
    return data


def single_pits(**counts: int) -> list[list[str]]:
    """List pits that each form a group, so many of each label."""
    return [[label] for label, count in counts.items() for _ in range(count)]


def names_of(data: Dataset) -> set[str]:
    """Give the names of the pits."""
    return {pit.pit for pit in data.pits}


def countable(data: Dataset, folds: int) -> bool:
    """Tell whether signal and background each form enough groups."""
    with_signal = set(data.groups[data.is_signal].tolist())
    return min(len(with_signal), len(set(data.groups[data.is_background].tolist()) - with_signal)) >= folds


# Groups of random labels, a few of them large.
RANDOM_GROUPS = st.lists(
    st.lists(st.sampled_from(LABELS), min_size=1, max_size=4) | st.lists(st.sampled_from(LABELS), min_size=8, max_size=12),
    min_size=8,
    max_size=40,
)
