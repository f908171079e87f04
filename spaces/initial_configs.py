"""Where a search starts: the network in use, and a portfolio or a recipe.

The network in use as it is trained today is the baseline that every search must beat: it is tried whole, also where a space
does not hold it. The portfolio did best on other data: `portfolio.toml` tells of it. Where a space holds none of it, the sound
recipe stands in its place, as far as the space holds that: what practice with small convolutional networks suggests, batch
norm, a rate that decays, and every symmetry of the lights. It was not tuned on the project's synthetic foils. Knows nothing of
Optuna.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files

from spaces.axes import AXES, Range, Scalar, holds
from spaces.choices.channels import Channels, Light, used_lights
from spaces.errors import SpaceError
from spaces.known_configs import read_known
from spaces.space import Space
from spaces.suggest import parameter

BASELINE, SOUND, PORTFOLIO = "network in use", "sound recipe", "portfolio"
# What a data set decides, and not a recipe: its labels and its lights.
_OF_DATA = ("labelling.", "channels.", "augmentation.lights", "augmentation.single")

# Keys are those of the table of axes.
STARTS: dict[str, Mapping[str, Scalar]] = {
    BASELINE: {
        "labelling.scheme": "binary",
        "channels.mode": "stacked",
        "network.name": "minihip",
        "optimiser.name": "adam",
        "optimiser.learning_rate": 2e-4,
        # Next to nothing, and the least of the default range, so that the default space holds the recipe whole.
        "optimiser.weight_decay": 1e-6,
        "optimiser.batch_size": 64,
        "optimiser.schedule": "constant",
        "balance.name": "none",
        "normalisation": "dataset",
        "augmentation.lights": "none",
    },
    SOUND: {
        "labelling.scheme": "binary",
        "channels.mode": "stacked",
        "network.name": "pitnet",
        "network.depth": 3,
        "network.width": 32,
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 3e-3,
        "optimiser.weight_decay": 1e-4,
        "optimiser.batch_size": 32,
        "optimiser.schedule": "cosine",
        "balance.name": "none",
        "normalisation": "dataset",
        "augmentation.lights": "symmetries",
    },
}


def baseline(space: Space, signal: str, lights: Sequence[Light]) -> dict[str, Scalar]:
    """Give every choice of the network in use, on data with this signal label and these lights.

    Under one light it is the network in use on that light. Where a space scores another label than the data's signal, it is
    trained for that question, under the space's first scheme.
    """
    known: dict[str, Scalar] = dict(STARTS[BASELINE])
    if space.positive(signal) != signal:
        known["labelling.scheme"] = _first(space, "labelling.scheme")
    try:
        used_lights(Channels(str(known["channels.mode"])), lights)
    except SpaceError:
        known |= {"channels.mode": "single", "channels.light": lights[0].name, "augmentation.single": "none"}
    taken: dict[str, Scalar] = {}
    for key, axis in AXES.items():
        if axis.applies(taken):
            # What the table does not name has one choice by default: today's.
            taken[key] = known[key] if key in known else _first(Space(), key)
    return taken


def sound(space: Space) -> dict[str, Scalar]:
    """Give the choices of the sound recipe that a fitted space holds; what it does not hold is left to the sampler."""
    return _held(space, STARTS[SOUND])


def portfolio(space: Space) -> tuple[dict[str, Scalar], ...]:
    """Give the configurations of the portfolio whose recipe a fitted space holds whole, the best first.

    Labels and lights that the space does not hold are left to the sampler.
    """
    with as_file(files("spaces") / "portfolio.toml") as path:
        known = [config.choices for config in read_known(path)]
    held = [_held(space, choices) for choices in known]
    return tuple(
        choices
        for choices, whole in zip(held, known, strict=True)
        if all(key.startswith(_OF_DATA) for key in whole.keys() - choices)
    )


def holds_whole(space: Space, choices: Mapping[str, Scalar]) -> bool:
    """Tell whether a fitted space holds choices on all axes that apply."""
    modes = space.domain("channels.mode")
    return holds(modes, choices["channels.mode"]) and all(
        holds(parameter(space, key, choices)[1], value) for key, value in choices.items()
    )


def _held(space: Space, choices: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {key: value for key, value in choices.items() if holds(space.domain(key), value)}


def _first(space: Space, key: str) -> Scalar:
    domain = space.domain(key)
    if isinstance(domain, Range) or not domain:
        raise SpaceError(f"`{key}` must be named by the network in use, for it has no one default; name it in STARTS.")
    return domain[0]
