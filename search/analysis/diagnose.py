"""Diagnose a configuration: do failures and low scores go with a fold, a slide, a style, single pits - or with the seed?

Two runs, both without a look at held-out pits. *Chance or data* trains the configuration on one split with several seeds, and
starts nothing again that collapses. *Labels* trains it on fresh splits with a class for every label, so that every pit's
label is judged by networks that did not train on it. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from joblib import cpu_count

from foils import Dataset
from foils.folds import fold_numbers
from models.metrics import Floats
from models.training.verdicts import Verdict
from search import defaults
from search.analysis.learning_curve_setup import best_config
from search.analysis.permutation_tests import LEVEL, Effects, SlideGroup, member_effects, table_effects
from search.analysis.suspects import (
    WITNESSES,
    LabelScores,
    Suspect,
    contradictions,
    errors,
    find_suspects,
    merge,
    near_duplicates,
)
from search.counting import Step, no_step, shown
from search.errors import StudyError
from search.seeds import derive_seed
from search.selection.selection_record import SELECTION, selected_key
from search.studies.study import Study, study_data
from search.training.cross_validation import CVRequest, Repeat, splits, train_repeats
from search.trials.ranking import find_trial
from search.trials.records import Recipe
from spaces import Config
from spaces.choices.labelling import SIGNAL, Labelling

# Random numbers of the two runs follow from the seed and these.
CHANCE, LABELS = 1, 2


@dataclass(frozen=True)
class DiagnosisInput:
    """What is diagnosed."""

    # The pits that may be seen.
    data: Dataset
    config: Config
    # The study's own split of them.
    folds: tuple[int, ...]
    epochs: int
    working_point: float
    seed: int
    # Its name, for people.
    what: str


@dataclass(frozen=True)
class Chance:
    """The configuration as it is, trained on one split with several seeds."""

    # `[seeds][folds]`.
    acceptance: tuple[tuple[float, ...], ...]
    # `[seeds][folds]`.
    verdicts: tuple[tuple[str, ...], ...]
    on_acceptance: Effects
    on_failing: Effects

    @property
    def failed(self) -> tuple[tuple[bool, ...], ...]:
        """Whether each training failed: it did not end as learned."""
        return tuple(tuple(verdict != Verdict.LEARNED for verdict in row) for row in self.verdicts)


@dataclass(frozen=True)
class Labels:
    """What networks say of the labels."""

    # Worst first; none where there are not two.
    slides: tuple[SlideGroup, ...]
    # Worst first; none where there are not two.
    styles: tuple[SlideGroup, ...]
    # Surest first.
    suspects: tuple[Suspect, ...]
    # Pits whose label was judged.
    judged: int
    # Trainings that learned, whose scores count.
    witnesses: int
    trainings: int
    # Labels too rare for a class of their own, or never scored.
    unjudged: tuple[str, ...]

    @property
    def standing_out(self) -> tuple[SlideGroup, ...]:
        """The slides, then the styles, whose pits are scored worse than chance explains."""
        return tuple(member for member in (*self.slides, *self.styles) if member.p < LEVEL)


@dataclass(frozen=True)
class Diagnosis:
    """What both runs found."""

    subject: DiagnosisInput
    chance: Chance
    labels: Labels

    def __repr__(self) -> str:
        suspects, groups = len(self.labels.suspects), ", ".join(group.name for group in self.labels.standing_out) or "none"
        return f"Diagnosis({self.subject.what}: {suspects} suspect pits; slides and styles that stand out: {groups})"


def study_subject(study: Study, folder: str | Path | None = None, trial: int | None = None) -> DiagnosisInput:
    """Take a trial of a study, by default the winner of its last selection, or else the best complete one.

    Raises StudyError where there is none, or the study was made from other data.
    """
    plan, ladder = study.plan, study.plan.ladder
    data = plan.search_set(study_data(study, folder))
    chosen = selected_key(study).trial if trial is None and SELECTION in study.optuna.user_attrs else trial
    config = best_config(study) if chosen is None else _config(study, chosen)
    what = f"study {study.name}, {'best complete trial' if chosen is None else f'trial {chosen}'}"
    return DiagnosisInput(data, config, plan.folds, ladder.epochs, plan.options.working_point, plan.options.seed, what)


def _config(study: Study, number: int) -> Config:
    trial = find_trial(study.optuna.get_trials(deepcopy=False), number)
    recipe = None if trial is None else Recipe.read(trial)
    if recipe is None:
        raise StudyError(
            f"a trial must have a configuration, but trial {number} of study {study.name!r} has none; choose another --trial."
        )
    return Config.from_dict(recipe.config)


def diagnose(
    study: Study,
    *,
    data: str | Path | None = None,
    trial: int | None = None,
    seeds: int = defaults.DIAGNOSIS_SEEDS,
    repeats: int = defaults.DIAGNOSIS_REPEATS,
    workers: int | None = None,
    progress: bool | Step = True,
) -> Diagnosis:
    """Diagnose a trial of a study, by default the winner of its last selection, or else the best complete one.

    `data`: the folder of the study's data, if it has moved; `progress` is called at first and after each cross-validation that
    ended, True shows it on stderr, with the time left; the rest is as for `run_diagnosis`. Raises StudyError where there is no
    such trial, or the study was made from other data.
    """
    subject = study_subject(study, data, trial)
    count = min(workers or cpu_count(), max(seeds + repeats, 1))
    with shown(progress, "cross-validations", count) as done:
        return run_diagnosis(subject, seeds=seeds, repeats=repeats, workers=count, done=done)


def run_diagnosis(
    subject: DiagnosisInput,
    *,
    seeds: int = defaults.DIAGNOSIS_SEEDS,
    repeats: int = defaults.DIAGNOSIS_REPEATS,
    workers: int | None = None,
    done: Step = no_step,
) -> Diagnosis:
    """Train the two runs and test what goes with failures, low scores and doubtful labels.

    `seeds`, `repeats`: cross-validations of the first and the second run; `workers`: processes, one a core by default, which
    change no number; `done` is told at first and of each cross-validation that ended. Raises StudyError for too few of them, or
    of pits of two labels.
    """
    for name, value, least in (("seeds", seeds, 2), ("repeats", repeats, 1)):
        if value < least:
            raise StudyError(f"`{name} >= {least}` must hold, but got {value}; choose a larger number.")
    names = judged_labels(subject)
    asks = [*chance_asks(subject, seeds), *label_asks(subject, names, repeats)]
    ended = dict(train_repeats(asks, min(workers or cpu_count(), len(asks)), done))
    chance = weigh_chance([ended[number] for number in range(seeds)], subject.seed)
    labels = weigh_labels(subject, names, [(asks[number], ended[number]) for number in range(seeds, len(asks))])
    return Diagnosis(subject, chance, labels)


def judged_labels(subject: DiagnosisInput) -> tuple[str, ...]:
    """Give the labels that get a class each, the signal's first: all that are scored and on at least one pit a fold.

    Raises StudyError where none stands against the signal.
    """
    data, folds = subject.data, max(subject.folds) + 1
    names = tuple(label for label, count in data.counts().items() if count >= folds and label not in data.description.ignore)
    if len(names) < 2 or names[0] != data.description.signal:
        raise StudyError(
            f"two labels, the signal's among them, must be on at least {folds} pits each, one for every fold, but got "
            f"{', '.join(names) or 'none'}; label more."
        )
    return names


def chance_asks(subject: DiagnosisInput, seeds: int) -> list[CVRequest]:
    """Ask for the configuration as it is, on the study's own split; a collapse is left as it is, for it is what is counted."""
    return [
        CVRequest(
            subject.data,
            subject.config,
            subject.folds,
            derive_seed(subject.seed, CHANCE, number),
            subject.epochs,
            subject.working_point,
            reseed=False,
        )
        for number in range(seeds)
    ]


def label_asks(subject: DiagnosisInput, names: Sequence[str], repeats: int) -> list[CVRequest]:
    """Ask for fresh splits, with a class for every label."""
    style = subject.config.labelling.style
    own = {label: f"pits labelled {label}" if number else SIGNAL for number, label in enumerate(names)}
    config = replace(subject.config, labelling=Labelling("every label", style=style, own=own))
    folds = max(subject.folds) + 1
    return [
        CVRequest(
            subject.data,
            config,
            splits(fold_numbers(subject.data, folds, subject.seed + 1 + number)),
            derive_seed(subject.seed, LABELS, number),
            subject.epochs,
            subject.working_point,
        )
        for number in range(repeats)
    ]


def weigh_chance(repeats: Sequence[Repeat], seed: int) -> Chance:
    """Test one split's trainings, a cross-validation a seed, for effects of fold and seed on acceptance and on failing."""
    acceptance = tuple(
        tuple(accepted / signals for accepted, signals in zip(repeat.accepted, repeat.signals, strict=True))
        for repeat in repeats
    )
    verdicts = tuple(repeat.verdicts for repeat in repeats)
    failed = np.array([[verdict != Verdict.LEARNED for verdict in row] for row in verdicts], np.float64)
    return Chance(acceptance, verdicts, table_effects(np.array(acceptance), seed), table_effects(failed, seed))


def weigh_labels(subject: DiagnosisInput, names: tuple[str, ...], repeats: Sequence[tuple[CVRequest, Repeat]]) -> Labels:
    """Find slides, styles and pits whose labels networks do not reproduce."""
    data = subject.data
    judged = LabelScores(np.array([witnessed(ask, repeat) for ask, repeat in repeats]), names, data.labels)
    usable = np.flatnonzero(judged.usable)
    pairs = near_duplicates(data.crops(), data.groups)
    ignored = set(np.flatnonzero(np.isin(data.labels, data.description.ignore)).tolist())
    pairs = [pair for pair in pairs if ignored.isdisjoint(pair[:2])]
    pits = [pit.pit for pit in data.pits]
    return Labels(
        slides=_members([f"{pit.foil}:{pit.slide}" for pit in data.pits], judged, usable, subject),
        styles=_members([pit.style or "none" for pit in data.pits], judged, usable, subject),
        suspects=merge(find_suspects(judged), contradictions(judged, pairs, pits)),
        judged=len(usable),
        witnesses=sum(verdict in WITNESSES for _, repeat in repeats for verdict in repeat.verdicts),
        trainings=sum(len(repeat.verdicts) for _, repeat in repeats),
        unjudged=tuple(label for label in data.counts() if label not in names),
    )


def witnessed(ask: CVRequest, repeat: Repeat) -> Floats:
    """Give a repeat's probabilities `[pits, labels]`, not a number where the network that judged the pit had not learned."""
    learned = np.array([verdict in WITNESSES for verdict in repeat.verdicts])
    probabilities: Floats = np.where(learned[np.array(ask.folds)][:, None], repeat.probabilities, np.nan)
    return probabilities


def _members(
    names: Sequence[str], judged: LabelScores, usable: npt.NDArray[np.int64], subject: DiagnosisInput
) -> tuple[SlideGroup, ...]:
    of_usable = [names[index] for index in usable]
    if len(set(of_usable)) < 2:
        return ()
    return member_effects(errors(judged), judged.labels[usable], of_usable, subject.data.groups[usable], subject.seed)
