"""The public names of `foils`, `spaces`, `models`, `scan` and `search` under one name.

`import pitsearch as ps; ps.launch(...)`. Each package lists its own in `__init__.pyi`; they are imported when they are first
used. Importing this package also makes sure that these are the folders beside it, whatever else has their names.
"""

from __future__ import annotations

from pitsearch import ending

if ending.is_command():
    ending.exit_on_signals()  # before anything else is imported: a library leaves signals alone

from importlib import import_module
from typing import Any

from pitsearch import location
from pitsearch.errors import PitsearchError as PitsearchError

location.install()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pitsearch")
    if name == "__all__":
        return __dir__()
    for package in location.PACKAGES if not name.startswith("_") else ():
        module = import_module(package)
        if name in module.__all__:
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its names are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    names = [name for package in location.PACKAGES for name in import_module(package).__all__]
    return ["PitsearchError", "__version__", *sorted(names)]
