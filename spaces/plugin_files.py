"""Load plugins: from a file that a user names, from an installed package, or as a study recorded them.

Loading runs the plugin's code. A user who names a file wants that. A study may be another's, so what it records is loaded by
itself only where the file has the recorded content, belongs to this user or to root, and cannot be written by everybody.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from pitsearch.errors import reason
from spaces.errors import SpaceError
from spaces.plugins import Plugin, PluginRef, register, registered

GROUP = "pitsearch.plugins"
PACKAGE = "package:"


def use_plugin(name: str | Path) -> PluginRef:
    """Load a plugin, a file or an installed one by its name, and add its parts to the tables. Raises SpaceError."""
    path = Path(name)
    if path.suffix == ".py" or path.is_file():
        return _use_file(path.absolute())
    entry = next((entry for entry in installed_plugins() if entry.name == str(name)), None)
    if entry is None:
        names = ", ".join(entry.name for entry in installed_plugins()) or "none"
        raise SpaceError(f"a plugin must be a .py file or an installed one ({names}), but got {str(name)!r}; correct it.")
    return _use_entry(entry)


def installed_plugins() -> tuple[EntryPoint, ...]:
    """List the plugins of installed packages, by the entry-point group `pitsearch.plugins`."""
    return tuple(entry_points(group=GROUP))


def use_recorded(refs: Iterable[PluginRef], needed_by: str) -> None:
    """Load the plugins that a study recorded, where that is safe. Raises SpaceError with the remedy where it is not."""
    for ref in refs:
        if ref.sha256 in {known.sha256 for known in registered()}:
            continue
        reason = _reason_not_to_load(ref)
        if reason is not None:
            raise SpaceError(f"{needed_by} needs the plugin {ref}, but {reason}; give --plugin FILE.")
        use_plugin(ref.source.removeprefix(PACKAGE))


def check_loaded(refs: Iterable[PluginRef], needed_by: str) -> None:
    """Raise SpaceError where one of these plugins is not in use; loads nothing."""
    for ref in refs:
        if ref.sha256 not in {known.sha256 for known in registered()}:
            raise SpaceError(f"{needed_by} needs the plugin {ref}, but it is not loaded; give it with --plugin FILE.")


def plain_refs() -> tuple[tuple[str, str, str], ...]:
    """Give the plugins in use as plain values, for `use_same` in another process."""
    return tuple((ref.name, ref.sha256, ref.source) for ref in registered())


def use_same(refs: Iterable[tuple[str, str, str]]) -> None:
    """Load the plugins that the process which started this one uses. Raises SpaceError where a file has changed since."""
    for name, sha256, source in refs:
        ref = use_plugin(source.removeprefix(PACKAGE))
        if ref.sha256 != sha256:
            raise SpaceError(f"the plugin {name} must not change while it is in use, but {source} did; run the command again.")


def _reason_not_to_load(ref: PluginRef) -> str | None:
    if ref.source.startswith(PACKAGE):
        name = ref.source.removeprefix(PACKAGE)
        entry = next((entry for entry in installed_plugins() if entry.name == name), None)
        if entry is None:
            return "no installed package has it"
        return None if _hash(_file_of(entry)) == ref.sha256 else "the installed one has another content"
    path = Path(ref.source)
    try:
        state = path.stat()
    except OSError:
        return f"{path} is not there"
    if state.st_uid not in (os.getuid(), 0) or state.st_mode & stat.S_IWOTH:
        return f"{path} belongs to another user or can be written by everybody"
    return None if _hash(path) == ref.sha256 else f"{path} has another content"


def _use_file(path: Path) -> PluginRef:
    if not path.is_file():
        raise SpaceError(f"a plugin must be an existing file, but got {path}; correct the path.")
    ref = PluginRef(path.stem, _hash(path), str(path))
    if ref not in registered():
        register(ref, _run(path, ref))
    return ref


def _run(path: Path, ref: PluginRef) -> Plugin:
    name = f"pitsearch_plugin_{ref.name}_{ref.sha256[:12]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpaceError(f"a plugin must be a Python file, but got {path}; name it NAME.py.")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's code raises
        del sys.modules[name]
        raise _unimportable(str(path), error) from None
    return _checked(getattr(module, "plugin", None), str(path))


def _use_entry(entry: EntryPoint) -> PluginRef:
    ref = PluginRef(entry.name, _hash(_file_of(entry)), f"{PACKAGE}{entry.name}")
    if ref not in registered():
        try:
            value = entry.load()
        except Exception as error:  # whatever a package's code raises
            raise _unimportable(entry.value, error) from None
        register(ref, _checked(value, entry.value))
    return ref


def _unimportable(where: str, error: Exception) -> SpaceError:
    return SpaceError(f"the plugin {where} must import, but: {type(error).__name__}: {reason(error)}; correct it.")


def _checked(value: object, where: str) -> Plugin:
    if not isinstance(value, Plugin):
        got = "does not" if value is None else f"got {type(value).__name__}"
        raise SpaceError(f"{where} must define `plugin = Plugin(...)`, but {got}; define it as the last lines of the file.")
    return value


def _file_of(entry: EntryPoint) -> Path:
    """Find the file of an entry point's module without running it."""
    parts = entry.module.split(".")
    for folder in sys.path:
        base = Path(folder or ".", *parts)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    raise SpaceError(f"the plugin {entry.value} must have a Python file, but none is on the path; install it again.")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def use_plugins(names: Sequence[str]) -> tuple[PluginRef, ...]:
    """Load several plugins in their order."""
    return tuple(use_plugin(name) for name in names)
