"""Find `foils`, `spaces`, `models`, `scan` and `search` by their location: the folders beside this package.

Their names are common. Python searches the folder of a script first, and a user's `models.py` there would stand for our
package. A finder in front of all others answers for these names alone. Every process needs it before it imports anything
of ours: importing `pitsearch` installs it. Knows nothing of what the packages hold.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

PACKAGES = ("foils", "spaces", "models", "scan", "search")
HOME = Path(__file__).resolve().parents[1]


class LocationFinder:
    """Find the packages in the folder that holds `pitsearch`; leave every other name to the finders behind."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give where a package is; None for any other name, and where the folder is not here."""
        if fullname not in PACKAGES or not (root := HOME / fullname / "__init__.py").is_file():
            return None
        return spec_from_file_location(fullname, root, submodule_search_locations=[str(root.parent)])


FINDER = LocationFinder()


def install() -> None:
    """Put the finder in front of all others, once. Raises ImportError where another module has one of the names already."""
    for name in PACKAGES:
        module = sys.modules.get(name)
        if module is not None and not _is_ours(module):
            place = getattr(module, "__file__", None) or ", ".join(getattr(module, "__path__", ())) or "a module without a file"
            raise ImportError(
                f"the package `{name}` must be pitsearch's own, but {place} was imported before under this name; "
                "give that file another name."
            )
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)


def _is_ours(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == HOME / module.__name__ / "__init__.py"
