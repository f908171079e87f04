"""What pitsearch takes of Optuna's private parts stands in one module, and is still there as that module takes it."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import optuna
import pytest
from optuna.samplers import CmaEsSampler, TPESampler
from optuna.storages import RDBStorage

from search.storage import optuna_internals
from search.storage.optuna_internals import PRIVATE_READS, PRIVATE_WRITES, CachedStorage, StudyInfo, models
from tests.support.repository import PACKAGES, ROOT, modules

OWN_MODULE = ROOT / "search" / "storage" / "optuna_internals.py"
REMEDY = (
    "Optuna has changed a private part that pitsearch rests on. Read search/storage/optuna_internals.py, compare it with "
    "Optuna's source of this part, correct that module and the tables of this test, run the tests of storage, workers and "
    "pruning, then widen the range of optuna in pyproject.toml."
)
# Optuna's private methods, with their parameters.
METHODS: dict[type, dict[str, tuple[str, ...]]] = {
    RDBStorage: {
        "_create_new_trial": ("study_id", "template_trial"),
        "_get_best_trial_id": ("study_id", "direction"),
        "_get_prepared_new_trial": ("study_id", "template_trial", "session"),
        "_get_trials": ("study_id", "states", "included_trial_ids", "trial_id_greater_than"),
        "_set_trial_attr_without_commit": ("session", "model_cls", "trial_id", "key", "value"),
        "_set_trial_intermediate_value_without_commit": ("session", "trial_id", "step", "intermediate_value"),
        "_set_trial_param": ("trial_id", "param_name", "param_value_internal", "distribution", "previous_distribution"),
        "_set_trial_param_without_commit": (
            *("session", "trial_id", "param_name", "param_value_internal", "distribution", "previous_distribution"),
        ),
        "_set_trial_value_without_commit": ("session", "trial", "objective", "value"),
    },
    CachedStorage: {"_add_trials_to_cache": ("study_id", "trials")},
    CmaEsSampler: {
        "_init_optimizer": ("trans", "direction"),
        "_restore_optimizer": ("completed_trials",),
        "_concat_optimizer_attrs": ("optimizer_attrs",),
        "_split_optimizer_str": ("optimizer_str",),
    },
    TPESampler: {
        "_sample": ("study", "trial", "search_space"),
        "_build_parzen_estimator": ("study", "search_space", "trials", "handle_below"),
        "_compute_acquisition_func": ("samples", "mpe_below", "mpe_above"),
    },
    optuna.Study: {"_get_trials": ("deepcopy", "states", "use_cache")},
}
# Optuna's private attributes, by what has them.
ATTRIBUTES = {
    "study": ("_storage", "_study_id"),
    "trial": ("_trial_id",),
    "cache": ("_backend", "_studies", "_lock"),
    "study_info": ("last_finished_trial_id", "trials", "unfinished_trial_ids"),
}
PRIVATE = {name for methods in METHODS.values() for name in methods} | {
    name for names in ATTRIBUTES.values() for name in names if name.startswith("_")
}
# The name is taken by many classes of ours for attributes of their own.
OURS = {"_lock"}


def private_uses(path: Path) -> Iterator[str]:
    """List what a file names of Optuna's private parts: imports, attributes, and names in strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "optuna":
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (f"line {node.lineno}: import of {part}" for part in parts if part.startswith("_"))
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("optuna.")]
            yield from (f"line {node.lineno}: import of {name}" for name in names if "._" in name)
        elif isinstance(node, ast.Attribute) and node.attr in PRIVATE - OURS:
            yield f"line {node.lineno}: attribute {node.attr}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in PRIVATE - OURS:
            yield f"line {node.lineno}: name {node.value}"


def test_no_other_module_names_a_private_part_of_optuna() -> None:
    paths = [path for package in (*PACKAGES, "benchmarks") for path in modules(ROOT, package) if path != OWN_MODULE]
    uses = [f"{path.relative_to(ROOT)}: {use}" for path in paths for use in private_uses(path)]
    assert not uses, f"give it a name in {OWN_MODULE.relative_to(ROOT)}, and use that: {uses}"


@pytest.mark.parametrize(
    "line",
    [
        "from optuna.storages._rdb import models",
        "from optuna.storages import _CachedStorage",
        "import optuna.storages._rdb.models",
        "study._storage.get_all_trials(0)",
        "getattr(study, '_study_id')",
    ],
)
def test_a_planted_use_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(line)
    assert list(private_uses(tmp_path / "planted.py"))


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, parameters) for owner, methods in METHODS.items() for name, parameters in methods.items()],
)
def test_every_private_method_takes_what_it_took(owner: type, name: str, parameters: tuple[str, ...]) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"{owner.__name__}.{name} is gone. {REMEDY}"
    signature = tuple(inspect.signature(method).parameters)[1:]
    assert signature == parameters, f"{owner.__name__}.{name} takes {signature}. {REMEDY}"


def test_every_private_attribute_is_there(tmp_path: Path) -> None:
    study = optuna.create_study(storage=f"sqlite:///{tmp_path}/studies.db")
    owners = {"study": study, "trial": study.ask(), "cache": optuna_internals.storage_of(study), "study_info": StudyInfo()}
    assert isinstance(owners["cache"], CachedStorage), REMEDY
    for owner, names in ATTRIBUTES.items():
        absent = [name for name in names if not hasattr(owners[owner], name)]
        assert not absent, f"the {owner} has no {absent}. {REMEDY}"
    assert hasattr(study.trials[0], "_trial_id"), REMEDY


def test_every_table_that_is_named_is_there() -> None:
    paths = [path for package in ("search", "benchmarks") for path in modules(ROOT, package)]
    texts = [text for text in (path.read_text(encoding="utf-8") for path in paths) if "optuna_internals" in text]
    trees = list(map(ast.parse, texts))
    names = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "models"
    }
    assert {"TrialModel", "StudyModel", "TrialUserAttributeModel"} <= names
    absent = sorted(name for name in names if not hasattr(models, name))
    assert not absent, f"Optuna's tables have no {absent}. {REMEDY}"


def test_what_the_cache_asks_of_the_storage_within_is_known() -> None:
    tree = ast.parse(inspect.getsource(CachedStorage))
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_backend"
    }
    private = {name for name in asked if name.startswith("_")}
    # Heartbeats are never asked for: leases take their place.
    assert private <= {*PRIVATE_READS, *PRIVATE_WRITES, "_set_trial_param", "_get_stale_trial_ids"}, f"{private}. {REMEDY}"


def test_only_versions_whose_private_parts_were_read_are_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "optuna>=5.0,<5.1" in project["dependencies"], REMEDY
    assert version("optuna").startswith("5.0."), REMEDY
