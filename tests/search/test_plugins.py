"""The plugin of the documentation, from its check to scores; and what a recorded plugin is refused for."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from models.errors import BundleError
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.ensemble import Ensemble
from models.networks.build import build
from search.studies.plan import PLAN
from search.studies.study import find_study
from spaces.choices.losses import Loss
from spaces.choices.networks import Network
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.plugin_files import use_plugin
from spaces.plugins import PluginRef, plugins_of_config, unregister
from tests.support.pages import read_page
from tests.support.tiny import SIZE, write_dataset
from tests.support.toys import LIGHTS


def example() -> str:
    """Give the plugin of the page, as it stands there."""
    return read_page("docs/plugins.md").block("# mynets.py").text


def run(folder: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-P", "-m", "pitsearch", *words]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout + process.stderr


@pytest.mark.slow
def test_the_plugin_of_the_page_goes_from_check_to_scores(tmp_path: Path) -> None:
    (tmp_path / "mynets.py").write_text(example())
    write_dataset(tmp_path / "mydata")
    checked = run(tmp_path, "plugin", "check", "mynets.py")
    assert "network two-scales, mode stacked: kept" in checked
    assert "loss brier: kept" in checked
    listed = run(tmp_path, "spaces", "--plugin", "mynets.py")
    assert re.search(r"^network\.name +two-scales +two sizes of convolution side by side", listed, re.MULTILINE)
    words = ["--fix", "network=two-scales", "--fix", "loss=brier", "--fix", "optimiser.batch_size=16", "--scheme", "binary"]
    options = ["--trials", "4", "--workers", "2", "--ladder", "5x8", "--working-point", "0.2", "--pruner", "none"]
    run(tmp_path, "launch", "mydata", "--plugin", "mynets.py", *words, *options)
    study = f"sqlite:///{tmp_path}/studies.db"
    # The other commands find it by themselves: its place and content are on record.
    assert "4 of 4 done" in run(tmp_path, "status")
    run(tmp_path, "select", "--top", "1", "--repeats", "1", "--reliability", "0")
    run(tmp_path, "export", "best")
    assert [ref.name for ref in recorded_plugins(study)] == ["mynets"]
    run(tmp_path, "predict", "best", "mydata", "--plugin", "mynets.py", "--out", "scores.csv")
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 76
    # Another content is another plugin.
    (tmp_path / "mynets.py").write_text(example().replace("3, padding=1", "5, padding=2"))
    assert "has another content; give --plugin FILE." in run(tmp_path, "status", code=1)


def recorded_plugins(storage: str) -> list[PluginRef]:
    """Read which plugins a study records, without loading them."""
    stored = find_study(None, storage).optuna.user_attrs[PLAN]["plugins"]
    return [PluginRef(**ref) for ref in stored]


def test_a_bundle_names_the_plugin_that_it_needs_and_does_not_load_it(tmp_path: Path) -> None:
    (tmp_path / "mynets.py").write_text(example())
    ref = use_plugin(tmp_path / "mynets.py")
    config = Config(network=Network("two-scales", width=4), loss=Loss("brier"))
    assert plugins_of_config(config) == (ref,)
    assert plugins_of_config(Config()) == ()
    about = {"plugins": [asdict(ref)]}
    classifier = build(config, len(LIGHTS), SIZE, 255)
    write_bundle(tmp_path, Bundle(Ensemble(config, (classifier,), LIGHTS, SIZE, 255), 0.5, 0.05, about))
    assert read_bundle(tmp_path).ensemble.config == config
    unregister("mynets")
    line = r"needs the plugin mynets \(sha256 .{12}\), but it is not loaded; give it with --plugin FILE\.$"
    with pytest.raises(BundleError, match=line):
        read_bundle(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "raise RuntimeError('no such library')",
            r"the plugin .*own\.py must import, but: RuntimeError: no such library; correct",
        ),
        ("", r".*own\.py must define `plugin = Plugin\(\.\.\.\)`, but does not; define it as the last lines of the file"),
        ("plugin = 3", r".*own\.py must define `plugin = Plugin\(\.\.\.\)`, but got int; define it"),
        (
            "import pitsearch as ps\nplugin = ps.Plugin(losses=[ps.LossPlugin('focal', 'again', print)])",
            r"`loss\.name` must offer each name once, but the plugin own adds 'focal', which is taken; rename it",
        ),
    ],
)
def test_a_plugin_that_is_none_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(SpaceError, match=message) as caught:
        use_plugin(tmp_path / "own.py")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(SpaceError, match=r"a plugin must be an existing file, but got .*other\.py"):
        use_plugin(tmp_path / "other.py")
    with pytest.raises(SpaceError, match=r"a plugin must be a \.py file or an installed one \(none\), but got 'nothing'"):
        use_plugin("nothing")


@pytest.mark.slow
def test_a_recorded_plugin_that_others_can_write_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "mynets.py").write_text(example())
    write_dataset(tmp_path / "mydata")
    words = ["--fix", "network=two-scales", "--trials", "1", "--workers", "0", "--ladder", "5x1"]
    run(tmp_path, "launch", "mydata", "--plugin", "mynets.py", *words)
    (tmp_path / "mynets.py").chmod(0o666)
    refused = run(tmp_path, "status", code=1)
    assert "belongs to another user or can be written by everybody; give --plugin FILE." in refused
    assert "two-scales" not in refused
    run(tmp_path, "status", "--plugin", "mynets.py")


@pytest.mark.slow
def test_a_broken_contract_is_told_on_one_line(tmp_path: Path) -> None:
    broken = example().replace("self.head(features.amax((2, 3)))", "self.head(features.amax((2, 3)))[:, :1]")
    (tmp_path / "mynets.py").write_text(broken)
    told = run(tmp_path, "plugin", "check", "mynets.py", code=1)
    assert re.search(
        r"^error: the network two-scales in mode \w+ must give one logit a class, .*; correct it\.$", told, re.MULTILINE
    )


def test_the_list_of_installed_plugins_may_be_empty(tmp_path: Path) -> None:
    assert "no installed package has an entry point of the group pitsearch.plugins" in run(tmp_path, "plugin", "list")
