"""What is said twice, or stands for nothing, is refused; a study goes on with its own space, ladder and seed unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.studies.study import Study
from tests.support.commands import Runner
from tests.support.studies import SHORT, SMALL_SPACE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["launch", "d", "--seed", "1", "--seed=2"], "--seed must be given once, but got --seed and --seed=2; remove one."),
        (["status", "--study", "a", "--study", "a"], "--study must be given once, but got --study and --study; remove one."),
        (["storage", "copy", "a", "b", "--study=a", "--study=b"], "--study must be given once"),
    ],
)
def test_two_values_for_one_option_are_wrong_use(run: Runner, words: list[str], said: str) -> None:
    refused = run(*words)
    assert refused.code == 2
    assert said in refused.err


def test_an_option_that_may_be_given_again_may(run: Runner, tiny_folder: Path) -> None:
    refused = run("launch", tiny_folder, "--fix", "network=minihip", "--fix", "network.depth=3")
    assert (refused.code, refused.err) == (
        1,
        "error: `network.depth` must not be set where no `network.name` has one, but the names are minihip; remove it, or add "
        "a network that has.\n",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--fix", "labelling=binary", "--scheme", "anomaly"],
            "`labelling.scheme` must be pinned once, but got labelling=binary and labelling=anomaly; remove one.",
        ),
        (["--fix", "network=minihip", "--fix", "network.name=pitnet"], "`network.name` must be pinned once, but got network="),
        (["--fix", "network.nmae=minihip"], "`network.nmae` must be an axis of the space, but is not; perhaps network.name"),
        (["--holdout-share", "0.3", "--holdout-slide", "1"], "the held-out pits must be chosen in one way, but got the share"),
        (["--cluster", "slurm", "--workers", "2"], "a cluster must be given --jobs, not --workers, but got 2; remove"),
    ],
)
def test_what_contradicts_is_refused_on_one_line(run: Runner, tiny_folder: Path, words: list[str], said: str) -> None:
    refused = run("launch", tiny_folder, *words)
    assert refused.code == 1
    assert refused.err.startswith(f"error: {said}")
    assert len(refused.err.splitlines()) == 1
    assert not [*Path.cwd().iterdir()]


@pytest.mark.parametrize("name", ["", " ", "-x", "../up", "a\nb", "a;b", "a$(b)", "a'b", "a`b", "a*", "a&b", "a|b", "a>b"])
def test_a_name_that_a_shell_or_a_path_takes_for_something_else_is_refused(run: Runner, tiny_folder: Path, name: str) -> None:
    refused = run("launch", tiny_folder, f"--study={name}", "--trials", 1)
    assert refused.code == 1
    assert refused.err.startswith("error: a study's name must be of letters, digits, blanks and ")
    assert len(refused.err.splitlines()) == 1
    assert not [*Path.cwd().iterdir()]


def test_a_study_goes_on_with_its_own_space_ladder_and_seed(run: Runner, tiny_folder: Path) -> None:
    Path("space.toml").write_text(SMALL_SPACE.write())
    name = "my study"
    words = ["--study", name, "--ladder", SHORT, "--space", "space.toml"]
    first = run("launch", tiny_folder, "--trials", 1, "--workers", 1, "--working-point", 0.1, "--seed", 4, *words)
    assert first.code == 0
    assert "pits locked away as the held-out set" in first.out
    assert first.out.endswith("next: pitsearch select --study 'my study'\n")
    study = Study(name)
    plan = study.plan
    # By its name alone, or by its data and name; neither changes what it was made for.
    nothing = run("launch", name, "--workers", 1)
    assert nothing.code == 0
    assert (
        "note: nothing is trained: the study has 1 finished trial and --trials, which counts them all, is 1; for as many more "
        "give --trials 2" in nothing.out
    )
    more = run("launch", tiny_folder, "--study", name, "--trials", 2, "--workers", 1)
    assert more.code == 0
    assert "note: the study has 1 finished trial of 2: 1 more are run" in more.out
    assert len(study.optuna.trials) == 2
    assert study.plan == plan
    for other, said in (
        (["--seed", 3], "was made with another seed (4, but now 3)"),
        (["--ladder", "5x1"], "was made with another ladder"),
        (["--space", "quick"], "was made for another space"),
        (["--holdout-share", 0.4], "a data set must keep its held-out set, drawn by a share of 0.2, but got a share of 0.4"),
    ):
        refused = run("launch", name, *other)
        assert refused.code == 1
        assert said in refused.err


def test_jobs_of_a_cluster_do_not_share_a_file(run: Runner, finished: Study) -> None:
    refused = run("jobscript", "--cluster", "slurm", "--storage", finished.storage)
    assert refused.code == 1
    assert refused.err.startswith("error: a cluster's workers must share a database server, but got the file ")


def test_a_file_of_suspects_without_a_name_is_named_by_its_path(run: Runner, tiny_folder: Path) -> None:
    refused = run("relabel", tiny_folder, ".")
    assert refused.err == ("error: .: the file must be readable UTF-8 CSV, but: Is a directory; correct it.\n")
