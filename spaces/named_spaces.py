"""Choose a space by name or by file, and pin axes of it.

To add a ready-made space, add its file to `ready/`; the file's first line says what it is for. Knows nothing of data sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from pitsearch.errors import did_you_mean, reason
from spaces.axes import AXES, SHORT, Domain, Scalar, check_domain
from spaces.errors import SpaceError
from spaces.space import Space

# From minutes to days.
READY = ("quick", "standard", "angles", "everything")


def ready_text(name: str) -> str:
    """Give the text of a ready-made space's file. Raises SpaceError for an unknown name."""
    if name not in READY:
        raise SpaceError(
            f"a space must be one of {', '.join(READY)}, or a space file, but got {name!r}; {did_you_mean(name, READY)}."
        )
    return (files("spaces") / "ready" / f"{name}.toml").read_text(encoding="utf-8")


def purpose(name: str) -> str:
    """Say what a ready-made space is for, on one line."""
    return ready_text(name).splitlines()[0].removeprefix("# ")


def ready(name: str) -> Space:
    """Read a ready-made space. What a data set does not carry of it is dropped, as of the defaults."""
    ready_text(name)
    with as_file(files("spaces") / "ready" / f"{name}.toml") as path:
        space = Space.read(path)
    return replace(space, lenient=frozenset(space.chosen))


def is_file(name: str) -> bool:
    """Tell whether a space is named by its file."""
    return name not in READY and (name.endswith(".toml") or Path(name).exists())


def find_space(name: str) -> Space:
    """Find a space: ready-made by name, or one's own by its file. Raises SpaceError where there is none, or it is wrong."""
    return Space.read(name) if is_file(name) else ready(name)


def copy_space(name: str, path: Path) -> None:
    """Copy a space's file, with its remarks, to a new file. Raises SpaceError where that is there, or cannot be written."""
    find_space(name)
    text = Path(name).read_text(encoding="utf-8") if is_file(name) else ready_text(name)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise SpaceError(
            f"{path}: a space must be written to a new file, but this one is there; choose another name."
        ) from None
    except OSError as error:
        raise SpaceError(
            f"{path}: a space must be written to a new file, but: {reason(error)}; check folder and rights."
        ) from None


def pin(space: Space, pins: Iterable[str]) -> Space:
    """Give axes of a space one value each, whatever it offered. `pins`: KEY=VALUE, e.g. `network=minihip`.

    A key is an axis's, or the bare name of a part. Raises SpaceError for an unknown key or value.
    """
    chosen, lenient = dict(space.chosen), set(space.lenient)
    pinned: dict[str, str] = {}
    for text in pins:
        short, equals, word = (part.strip() for part in text.partition("="))
        key = SHORT.get(short, short)
        if not equals or not short or not word:
            raise SpaceError(f"an axis must be pinned as KEY=VALUE, but got {text!r}; write e.g. network=minihip.")
        if key not in AXES:
            raise SpaceError(
                f"`{short}` must be an axis of the space, but is not; {did_you_mean(short, (*AXES, *SHORT))}, see "
                "`pitsearch spaces`."
            )
        before = pinned.setdefault(key, text)
        if before is not text:
            raise SpaceError(f"`{key}` must be pinned once, but got {before} and {text}; remove one.")
        value = _value(key, word)
        check_domain(key, (value,), space.schemes)
        chosen[key] = (value,)
        lenient.discard(key)
    pinned_space = Space(chosen, space.schemes, frozenset(lenient))
    _check_measures(pinned, pinned_space.domain("network.name"))
    return pinned_space


def _check_measures(pinned: Iterable[str], networks: Domain) -> None:
    """Raise SpaceError for a measure that was pinned and that none of the networks has."""
    names = networks if isinstance(networks, tuple) else ()
    for key in pinned:
        if key.startswith("network.") and not any(AXES[key].applies({"network.name": name}) for name in names):
            raise SpaceError(
                f"`{key}` must not be set where no `network.name` has one, but the names are {', '.join(map(str, names))}; "
                "remove it, or add a network that has."
            )


def _value(key: str, word: str) -> Scalar:
    """Read a value as its axis wants it; what is no number stays a word, for the axis to refuse."""
    if AXES[key].least is None:
        return word
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
