"""Open a mirror by its address, `tensorboard:DIR` or `mlflow:URI`. KINDS lists them."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from pitsearch.errors import did_you_mean
from search.errors import StudyError
from search.report.mirrors.mirror import Mirror, Say
from search.report.mirrors.mlflow_mirror import MlflowMirror
from search.report.mirrors.tensorboard_mirror import TensorBoardMirror

# What stands before the colon, and the mirror that takes what stands behind it.
KINDS: dict[str, Callable[[str, str, Say], Mirror]] = {"tensorboard": TensorBoardMirror, "mlflow": MlflowMirror}


def say_on_stderr(text: str) -> None:
    """Print a note."""
    Console(stderr=True, highlight=False, markup=False, emoji=False).print(Text(f"note: {text}"), soft_wrap=True)


def log_to(address: str, say: Say = say_on_stderr) -> Mirror:
    """Open the callback that copies trials to this address.

    `say`: takes a line where the program behind it fails during a launch. Raises StudyError where the address is none, the
    program is not installed, or its place cannot be used.
    """
    kind, colon, place = address.partition(":")
    if not colon or not place or kind not in KINDS:
        forms = " or ".join(f"{name}:{where}" for name, where in zip(KINDS, ("DIR", "URI"), strict=False))
        remedy = "write what stands behind the colon" if kind in KINDS else did_you_mean(kind, KINDS)
        raise StudyError(f"--log-to must be {forms}, but got {address!r}; {remedy}.")
    return KINDS[kind](address, place, say)
