"""Check the labels of all pits together: that there is signal and background, and that no label is a slip of the pen.

Knows nothing of how they were written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from foils.description import Description, alike
from foils.pit import Pit

# A label on fewer pits than folds cannot be learned; where foil.toml lists no labels it is taken for a slip of the pen.
RARE = 5
# Never scored where foil.toml says nothing, so that no pit need bear it.
BY_DEFAULT = "maybe"


def check_labels(pits: Sequence[Pit], line_of: Mapping[str, int], description: Description, faults: list[str]) -> None:
    """Add a fault for every rule that the labels break. `line_of`: each pit's line in labels.csv."""
    counts = Counter(pit.label for pit in pits)
    twice = _check_case(pits, counts, line_of, description, faults)
    _check_signal(counts, description, twice, faults)
    for label in description.ignore:
        if label not in counts and label not in (*description.labels, BY_DEFAULT) and label not in twice:
            faults.append(
                f"foil.toml: `ignore` must hold labels of pits, but got {label!r}, which no pit bears (labels found: "
                f"{', '.join(sorted(counts))}); correct or remove it."
            )
    if description.labels:
        return
    for pit in pits:
        if counts[pit.label] < RARE and pit.label not in (description.signal, *description.ignore, *twice):
            faults.append(
                f"labels.csv:{line_of[pit.pit]}: a label not listed in foil.toml must be on at least {RARE} pits, but "
                f"got {pit.label!r} on {counts[pit.label]}; correct it, or list it: labels = [...] in foil.toml."
            )


def _check_case(
    pits: Sequence[Pit], counts: Counter[str], line_of: Mapping[str, int], description: Description, faults: list[str]
) -> set[str]:
    """Refuse labels that differ by case alone, and give them."""
    pairs = alike([description.signal, *description.ignore, *sorted(counts, key=lambda label: -counts[label])])
    for first, second in pairs:
        line = min((line_of[pit.pit] for pit in pits if pit.label == second), default=1)
        faults.append(
            f"labels.csv:{line}: labels must differ by more than case, but got {second!r} on {counts[second]} pits and "
            f"{first!r} on {counts[first]}; make them one."
        )
    return {label for pair in pairs for label in pair}


def _check_signal(counts: Counter[str], description: Description, twice: set[str], faults: list[str]) -> None:
    """Check that there are signal pits, one for every fold."""
    names = ", ".join(sorted(counts))
    signals = counts[description.signal]
    if not signals and description.signal not in twice:
        faults.append(
            f"labels.csv: at least {RARE} pits must carry the signal label {description.signal!r}, but got 0 "
            f"(labels found: {names}); label some, or correct `signal` in foil.toml."
        )
    elif 0 < signals < RARE:
        faults.append(
            f"labels.csv: there must be at least as many signal pits as folds ({RARE}), but got "
            f"{signals} pits labelled {description.signal!r}; label more."
        )


def check_background(pits: Sequence[Pit], description: Description, faults: list[str]) -> None:
    """Check that there is something to tell signal from."""
    counts = Counter(pit.label for pit in pits)
    if set(counts) - {description.signal, *description.ignore}:
        return
    ignored = ", ".join(repr(label) for label in description.ignore if label in counts)
    faults.append(
        f"labels.csv: some pits must be background, but got {counts[description.signal]} labelled {description.signal!r}, the "
        f"signal, and {len(pits) - counts[description.signal]} under `ignore`{f' ({ignored})' if ignored else ''}; label "
        "background, or correct `ignore` in foil.toml."
    )
