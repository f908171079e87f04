"""A diagnosis from end to end: the pits that trials saw, the same numbers from any workers, planted faults, and its page."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from foils import Dataset
from models.training.verdicts import Verdict
from search.analysis.diagnose import (
    Chance,
    Diagnosis,
    DiagnosisInput,
    Labels,
    judged_labels,
    label_asks,
    run_diagnosis,
    study_subject,
    weigh_chance,
    weigh_labels,
)
from search.analysis.permutation_tests import Effect, Effects, SlideGroup
from search.analysis.suspects import Suspect
from search.errors import StudyError
from search.report.diagnosis_tables import acceptance_line, conclusions, diagnosis_table, failing_line
from search.report.suspect_files import write_suspects
from search.selection.selection_record import SELECTION, ModelKey
from search.studies.study import Study
from search.training.cross_validation import Repeat
from spaces import Config
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from tests.support.golden import assert_golden, render

SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adam", learning_rate=1e-2, batch_size=16))


def subject_of(data: Dataset, epochs: int = 2, config: Config = SMALL) -> DiagnosisInput:
    """Diagnose some pits in two folds."""
    return DiagnosisInput(data, config, tuple(number % 2 for number in range(len(data))), epochs, 0.1, 0, "tiny, by hand")


def mislabelled(data: Dataset, pits: dict[int, str]) -> Dataset:
    """Give some pits other labels."""
    return replace(data, pits=tuple(replace(pit, label=pits.get(number, pit.label)) for number, pit in enumerate(data.pits)))


@pytest.fixture(scope="module")
def wrong(tiny: Dataset) -> dict[int, str]:
    """Three pits by number with labels that are not theirs."""
    tops = [number for number, pit in enumerate(tiny.pits) if pit.label == "top"]
    bottoms = [number for number, pit in enumerate(tiny.pits) if pit.label == "bottom"]
    return {tops[2]: "bottom", bottoms[3]: "candidate", bottoms[7]: "top"}


@pytest.fixture(scope="module")
def diagnosed(tiny: Dataset, wrong: dict[int, str]) -> Diagnosis:
    return run_diagnosis(subject_of(mislabelled(tiny, wrong), epochs=12), seeds=2, repeats=2, workers=1)


def test_planted_labels_come_out_first(diagnosed: Diagnosis, wrong: dict[int, str], tiny: Dataset) -> None:
    first = diagnosed.labels.suspects[: len(wrong)]
    assert {one.index for one in first} == set(wrong)
    assert all(one.suggested == tiny.pits[one.index].label for one in first)
    assert not {one.label for one in diagnosed.labels.suspects} & {"maybe"}
    assert diagnosed.labels.judged == sum(pit.label != "maybe" for pit in tiny.pits)
    assert diagnosed.labels.unjudged == ("maybe",)


def test_slides_are_tested_and_styles_only_where_there_are_several(diagnosed: Diagnosis, tiny: Dataset) -> None:
    assert {member.name for member in diagnosed.labels.slides} == {"f1:1", "f1:2", "f1:3", "f1:4"}
    assert diagnosed.labels.styles == ()


def test_a_style_with_other_labels_is_named(tiny: Dataset) -> None:
    subject = subject_of(tiny)
    names, asks = judged_labels(subject), label_asks(subject, judged_labels(subject), 1)
    # Networks that believe every label, but for the pits of the old style.
    old = np.array([number % 5 == 0 for number in range(len(tiny))])
    styled = replace(
        tiny, pits=tuple(replace(pit, style="old" if old[number] else "new") for number, pit in enumerate(tiny.pits))
    )
    given = np.array([names.index(label) if label in names else 0 for label in tiny.labels])
    seen = 0.9 * np.eye(len(names))[np.where(old, (given + 1) % len(names), given)] + 0.1 / len(names)
    repeat = replace(REPEAT, probabilities=seen)
    found = weigh_labels(replace(subject, data=styled), names, [(asks[0], repeat)])
    assert [(member.name, member.p < 0.01) for member in found.styles] == [("old", True), ("new", False)]
    assert [member.name for member in found.standing_out if member in found.styles] == ["old"]


REPEAT = Repeat(np.zeros((1, 4)), (18, 16), (20, 20), (0.9, 0.9), ("learned", "learned"), (0, 0), 4, 1.0)


@pytest.mark.slow
def test_workers_change_no_number(tiny: Dataset) -> None:
    told: list[tuple[int, int]] = []
    subject = subject_of(tiny)
    alone = run_diagnosis(subject, seeds=2, repeats=1, workers=1, done=lambda finished, of: told.append((finished, of)))
    spread = run_diagnosis(subject, seeds=2, repeats=1, workers=2)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert (alone.chance, alone.labels) == (spread.chance, spread.labels)


def test_collapses_are_counted_as_they_are(tiny: Dataset) -> None:
    subject = subject_of(tiny)
    names, failed = judged_labels(subject), replace(REPEAT, verdicts=(BAD, BAD), probabilities=np.full((len(tiny), 4), 0.25))
    asks = label_asks(subject, names, 1)
    chance = weigh_chance([failed, failed], 0)
    labels = weigh_labels(subject, names, [(asks[0], failed)])
    assert chance.failed == ((True, True), (True, True))
    assert chance.on_failing == Effects(Effect(1.0, 0.0), Effect(1.0, 0.0))
    # Networks that did not learn are no witnesses.
    assert (labels.judged, labels.witnesses, labels.slides, labels.suspects) == (0, 0, (), ())
    assert render(diagnosis_table(Diagnosis(subject, chance, labels))).endswith("no suspect pits\n")


def test_a_study_gives_its_best_trial_and_after_a_selection_the_winner(finished: Study, tiny: Dataset) -> None:
    subject = study_subject(finished)
    best = max(finished.optuna.trials, key=lambda trial: trial.value or 0.0)
    assert subject.what == "study tiny, best complete trial"
    assert subject.config.to_dict() == best.user_attrs["recipe"]["config"]
    assert (len(subject.data), subject.epochs, subject.working_point) == (len(finished.plan.folds), 6, 0.1)
    assert not {pit.pit for pit in subject.data.pits} & set(finished.plan.held_out)
    finished.optuna.set_user_attr(SELECTION, {"winner": asdict(ModelKey(1, "ensemble", 5))})
    assert study_subject(finished).what == "study tiny, trial 1"
    assert study_subject(finished, trial=2).config.to_dict() == finished.trial(2).user_attrs["recipe"]["config"]
    with pytest.raises(StudyError, match="a trial must have a configuration, but trial 9 of study 'tiny' has none; choose"):
        study_subject(finished, trial=9)


@pytest.mark.parametrize(("seeds", "repeats", "message"), [(1, 1, "`seeds >= 2` must hold"), (2, 0, "`repeats >= 1` must")])
def test_too_little_is_refused(tiny: Dataset, seeds: int, repeats: int, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        run_diagnosis(subject_of(tiny), seeds=seeds, repeats=repeats, workers=1)


def test_labels_on_too_few_pits_are_not_judged_and_one_alone_is_refused(tiny: Dataset) -> None:
    rare = subject_of(mislabelled(tiny, {0: "odd"}))
    assert judged_labels(rare) == ("candidate", "bottom", "top", "misc")
    alone = subject_of(tiny.take(np.flatnonzero(np.isin(tiny.labels, ["candidate", "maybe"]))))
    with pytest.raises(
        StudyError, match=r"two labels, the signal's among them, must be on at least 2 pits each, .* got candidate"
    ):
        judged_labels(alone)


def chance_of(verdicts: list[list[str]], fold: float = 0.4, seed: float = 0.5) -> Chance:
    """Make the outcome of trainings by hand, with p values for everything."""
    acceptance = tuple(tuple(0.8 if verdict == "learned" else 0.1 for verdict in row) for row in verdicts)
    effects = Effects(Effect(fold, 0.62), Effect(seed, 0.31))
    return Chance(acceptance, tuple(map(tuple, verdicts)), effects, effects)


GOOD, BAD = str(Verdict.LEARNED), str(Verdict.COLLAPSED)


@pytest.mark.parametrize(
    ("chance", "failing", "acceptance"),
    [
        (
            chance_of([[GOOD] * 2] * 2),
            "no failures: all 4 trainings learned",
            "acceptance goes with neither fold (p = 0.4000) nor",
        ),
        (
            chance_of([[GOOD, BAD], [BAD, GOOD]]),
            "failures follow the seed, as far as can be told: 2 of 4 trainings failed, now in one fold, now in another; the",
            "acceptance goes with neither",
        ),
        (
            chance_of([[GOOD, GOOD], [BAD, BAD]], seed=0.01),
            "failures follow the seed, as far as can be told: 2 of 4 trainings failed, some seeds in most folds; the",
            "acceptance goes with the seed, which explains 31% of the variance, p = 0.0100",
        ),
        (
            chance_of([[GOOD, BAD]] * 2, fold=0.01),
            "failures follow the fold: 2 of 4 trainings failed, in fold 1 100%, p = 0.0100; look at the pits of that fold",
            "acceptance goes with the fold: fold 1 is lowest, 0.100, and the fold explains 62% of the variance, p = 0.0100",
        ),
        (
            chance_of([[GOOD, BAD], [GOOD, GOOD]]),
            "one of 4 trainings failed, too few to tell fold from seed",
            "acceptance goes with neither",
        ),
        (
            chance_of([[BAD, BAD]] * 2),
            "failures follow neither fold nor seed, but the configuration: 4 of 4 trainings failed",
            "acceptance goes with neither",
        ),
    ],
)
def test_one_sentence_says_what_failures_and_acceptance_follow(chance: Chance, failing: str, acceptance: str) -> None:
    assert failing_line(chance).startswith(failing)
    assert acceptance_line(chance).startswith(acceptance)


def by_hand(data: Dataset) -> Diagnosis:
    slides = (
        SlideGroup("f1:3", 12, 0.71, 0.48, 0.0004),
        SlideGroup("f1:1", 18, 0.25, 0.03, 0.61),
        SlideGroup("f1:2", 17, 0.2, -0.02, 0.9),
    )
    styles = (SlideGroup("old", 20, 0.3, 0.06, 0.31), SlideGroup("new", 27, 0.2, -0.05, 1.0))
    suspects = (
        Suspect(4, "top", "bottom", 0.981, 5, 5, "networks disagree with the label; identical to p009, labelled bottom"),
        Suspect(9, "bottom", "top", None, 0, 0, "identical to p004, labelled top"),
    )
    chance = chance_of([[GOOD, GOOD], [BAD, GOOD], [GOOD, BAD]])
    return Diagnosis(subject_of(data), chance, Labels(slides, styles, suspects, 70, 9, 10, ("maybe",)))


def test_the_page(tiny: Dataset) -> None:
    assert_golden("diagnose", render(diagnosis_table(by_hand(tiny))))


def test_nothing_that_stands_out_is_said_so(tiny: Dataset) -> None:
    found = by_hand(tiny)
    quiet = replace(found.labels, slides=found.labels.slides[1:], suspects=())
    assert list(conclusions(replace(found, labels=quiet)))[-2:] == ["no slide or style stands out", "no suspect pits"]


def test_suspects_are_written_to_be_corrected_and_looked_at(tiny: Dataset, tmp_path: Path) -> None:
    odd = mislabelled(tiny, {4: "<b>top</b>", 9: "=1+1"})
    suspects = [replace(one, label=odd.pits[one.index].label) for one in by_hand(tiny).labels.suspects]
    page = write_suspects(suspects, odd, tmp_path / "out.csv", "Suspect <pits>").read_text(encoding="utf-8")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["pit", "label", "suggested", "sure", "repeats", "reason", "corrected"]
    assert [row["pit"] for row in rows] == [tiny.pits[4].pit, tiny.pits[9].pit]
    # Labels stand there as in labels.csv, for relabel compares them.
    assert [row["label"] for row in rows] == ["<b>top</b>", "=1+1"]
    assert [(row["sure"], row["repeats"], row["corrected"]) for row in rows] == [("0.981", "5 of 5", ""), ("", "0 of 0", "")]
    assert len(re.findall("<img ", page)) == 2 * len(tiny.description.channels)
    assert "&lt;b&gt;top&lt;/b&gt;" in page and "<b>top" not in page and "Suspect <pits>" not in page
    assert not re.search(r"(src|href)=\"(?!data:image/png;base64,)", page)


def test_a_file_that_cannot_be_written_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    for out, message in (("a.html", "--out must not end in .html"), ("no/a.csv", "--out must lie in an existing folder")):
        with pytest.raises(StudyError, match=message):
            write_suspects((), tiny, tmp_path / out, "none")
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(StudyError, match=r"the suspects must be written, but: Is a directory; choose another --out\."):
        write_suspects((), tiny, tmp_path / "taken.csv", "none")
