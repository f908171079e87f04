"""Learning curves: configuration by configuration, how every training ended, fold by fold and seed by seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from models.training.verdicts import Verdict
from search.analysis.trainings import Panel, Trainings, choose_panels, outcomes_by_fold, p_of_folds, read_trainings
from search.report.contents import Drawing, Section
from search.report.figures import trainings as draw
from search.report.subject import Subject
from search.text import counted

# Chance alone names folds in one study of twenty.
LEVEL = 0.05


def section(subject: Subject) -> Section | None:
    """Lay out how trainings went; None where nothing was trained yet."""
    trainings = read_trainings(subject.trials)
    if not trainings.every and not trainings.without and not trainings.faults:
        return None
    panels = choose_panels(subject.trials, trainings)
    return Section(
        "curves",
        "Training curves",
        tuple(_sentences(subject, trainings)),
        tuple(_drawings(subject, trainings, panels)),
        tuple(_warnings(trainings)),
    )


def _sentences(subject: Subject, trainings: Trainings) -> Iterator[str]:
    trials = {training.trial for training in trainings.every}
    counts = Counter(training.verdict for training in trainings.every)
    if trainings.every:
        ended = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
        again = sum(training.curve.start > 0 for training in trainings.every)
        yield (
            f"{counted(len(trainings.every), 'training')} of {counted(len(trials), 'trial')} have curves: {ended}. "
            f"{counted(again, 'training')} took the place of one that had collapsed. `study.curves()` gives all as a table."
        )
    outcomes = outcomes_by_fold(subject.trials)
    if outcomes:
        learned, of = sum(one.learned for one in outcomes), sum(one.trainings for one in outcomes)
        yield f"In complete trials {learned} of {of} trainings learned, restarts counted."
        yield _fold_sentence(p_of_folds(subject.trials), of - learned)


def _fold_sentence(p: float | None, failures: int) -> str:
    """Say whether failures go with a fold."""
    if not failures:
        return "None failed, so that failures follow neither fold nor seed."
    if p is None:
        return "Every complete trial either learned in all folds or in none: failures follow the configuration."
    said = f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
    if p < LEVEL:
        return f"Failures gather in some folds more than chance explains ({said}): look at the pits of those folds."
    return (
        f"Failures are spread over the folds as chance spreads them ({said}): they follow the seed, as far as these trainings "
        "tell. `pitsearch diagnose` trains one configuration again to tell fold from seed."
    )


def _warnings(trainings: Trainings) -> Iterator[str]:
    yield from (f"{fault}; its curves are left out." for fault in trainings.faults)
    if trainings.without:
        trials = counted(len(trainings.without), "trial")
        yield f"An older pitsearch ran, without curves: {trials}, {_listed(trainings.without)}."


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown if len(numbers) <= 10 else f"{shown} and {len(numbers) - 10} more"


def _drawings(subject: Subject, trainings: Trainings, panels: Sequence[Panel]) -> Iterator[Drawing]:
    working_point = subject.plan.options.working_point
    if panels:
        chosen = (
            "One panel a configuration, one line a training: the folds, and trainings that were started again. Shown are the "
            "network in use, the best, those with most failures and those stopped earliest, not a fair sample of all."
        )
        yield Drawing(
            "loss-curves",
            "Losses of both halves",
            draw.loss_curves(panels),
            f"{chosen} Losses are relative: 1, the dashed line, is what predicting the shares of the classes alone costs. A "
            "training that stays there has collapsed. A validation loss that rises while the training loss falls is "
            f"over-confidence, and need not cost acceptance. Losses above {draw.MOST_LOSS:g} are cut off.",
        )
        if any(value == value for panel in panels for one in panel.trainings for value in one.curve.validation_accuracy):
            yield Drawing(
                "accuracy-curves",
                "Accuracies of both halves",
                draw.accuracy_curves(panels),
                "The training accuracy is over images as they were shown, perturbed, and balanced where the configuration says "
                "so, before each step; it may lie below that of the validation. Accuracy is no measure of a search: background "
                "is easy and plentiful.",
            )
            yield Drawing(
                "acceptance-curves",
                f"Signal acceptance at {working_point:.0%} false positives",
                draw.acceptance_curves(panels, working_point),
                "What trials are judged by, on the validation pits of each fold. A fold has few signal pits: steps of one pit "
                "are chance, and the highest epoch is not the one to stop at.",
            )
    if trainings.every:
        yield Drawing(
            "training-ends",
            "Every training at its last epoch",
            draw.training_ends(trainings.every),
            "Each mark is a training; a relative loss of 1 is to know the shares of the classes alone. Where those that "
            "learned and those that collapsed are clusters apart, and one configuration has marks in both, its failures are "
            "chance of the seed. Paused and pruned trials ended sooner, so that their marks are no failures.",
        )
    outcomes = outcomes_by_fold(subject.trials)
    if outcomes:
        yield Drawing(
            "outcomes-by-fold",
            "Fold by fold: trainings of complete trials that learned",
            draw.outcomes_by_fold(outcomes),
            "A fold that lies clearly below the others holds pits that are hard or wrongly labelled. Intervals of 90 % that "
            "overlap are no difference; the trainings are of many configurations.",
        )
    confirmations = [(trial, repeat, one) for (trial, repeat), one in sorted(subject.confirmations.items())]
    if confirmations:
        yield Drawing(
            "outcomes-by-seed",
            "Seed by seed: the folds of every confirmation",
            draw.seed_outcomes(confirmations, working_point),
            "Each mark is a fold of a confirmation; the repeats of a trial stand side by side. Every repeat has a split and "
            "seeds of its own, so that marks differ by both. A configuration whose marks lie together is reliable.",
        )
