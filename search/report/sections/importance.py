"""What mattered in a search: axes for acceptance and for failing, uses of the lights, labelling schemes side by side."""

from __future__ import annotations

from collections.abc import Sequence

from search.analysis.acceptance_curves import acceptance_curve
from search.analysis.choice_groups import (
    ChoiceGroup,
    Outcome,
    SampledAxis,
    group_by,
    light_name,
    lights_name,
    outcomes,
    sampled_axes,
    scheme_name,
)
from search.analysis.importance import LEAST, LEAST_TOP, Importance, Weight, finished, of_finished
from search.analysis.out_of_fold import scores_of_trial
from search.report import figures
from search.report.contents import Drawing, Listing, Section
from search.report.subject import Subject
from search.text import counted
from search.trials.ranking import find_trial

NAME, TITLE = "importance", "What mattered"
# Axes drawn as slices, and as parallel coordinates.
SLICED, PARALLEL = 6, 7


def section(subject: Subject) -> Section:
    """Lay out what the trials' choices tell."""
    finished_trials = finished(subject.trials)
    trials = outcomes(finished_trials)
    if not any(trial.is_complete for trial in trials):
        return Section(NAME, TITLE, ("No trial has climbed the whole ladder yet: there is nothing to compare.",), ())
    weighed = None
    if len(trials) >= LEAST:
        weighed = of_finished(subject.study.name, finished_trials, subject.plan.ladder)
    axes = _by_weight(sampled_axes(subject.trials, [trial.number for trial in trials]), weighed)
    parts = [*_weights(weighed), *_axes(subject, trials, axes), *_compared(subject, trials)]
    return Section(NAME, TITLE, _sentences(trials, weighed), tuple(parts))


def _sentences(trials: Sequence[Outcome], weighed: Importance | None) -> tuple[str, ...]:
    if weighed is None:
        return (
            f"Which axes mattered cannot be told: that needs {LEAST} trials that are finished or paused, and there are "
            f"{len(trials)}. The figures show every trial.",
        )
    acceptance = _named("for acceptance", weighed.acceptance)
    some = f"{counted(weighed.failing, 'trial')} of {weighed.finished} had a training that failed"
    if weighed.failing < LEAST_TOP:
        return acceptance, f"{some}: too few to tell what makes trainings fail, for which {LEAST_TOP} are needed."
    return acceptance, f"{some}. {_named('for failing to learn', weighed.failure)}"


def _named(question: str, weights: Sequence[Weight]) -> str:
    """Say which axes mattered."""
    names = [weight.axis for weight in weights if weight.matters]
    if not any(weight.value is not None for weight in weights):
        return f"No axis varied in enough trials to tell what mattered {question}."
    if not names:
        return f"No axis mattered {question} by more than chance gives."
    return f"What mattered {question} by more than chance gives, heaviest first: {', '.join(f'`{name}`' for name in names)}."


def _by_weight(axes: Sequence[SampledAxis], weighed: Importance | None) -> list[SampledAxis]:
    """Order axes by their weight for acceptance, those without one last."""
    order = [weight.axis for weight in weighed.acceptance] if weighed else []
    return sorted(axes, key=lambda axis: order.index(axis.name) if axis.name in order else len(order))


def _weights(weighed: Importance | None) -> list[Drawing]:
    if weighed is None:
        return []
    caption = (
        "How far the choices of the top quarter of the trials differ from those of all, by PED-ANOVA: 0 where an axis tells "
        "nothing, at most 1. An axis is measured among the trials where it applies. It matters where its whole interval lies "
        "above chance. An axis that did not matter here may matter over other choices; values do not add up to 1."
    )
    drawn = []
    for name, question, weights in (
        ("acceptance", "acceptance", weighed.acceptance),
        ("failing", "failing to learn", weighed.failure),
    ):
        if any(weight.value is not None for weight in weights):
            title = f"What mattered for {question}"
            drawn.append(Drawing(f"importance-{name}", title, figures.importances(weights, question), caption))
    return drawn


def _axes(subject: Subject, trials: Sequence[Outcome], axes: Sequence[SampledAxis]) -> list[Drawing]:
    if not axes:
        return []
    rate = subject.plan.options.working_point
    complete = sum(trial.is_complete for trial in trials)
    return [
        Drawing(
            "slices",
            "Acceptance by choice",
            figures.slices(trials, axes[:SLICED], rate),
            f"Every trial by its choice, {_heaviest(min(len(axes), SLICED))}. Only those "
            "that climbed the whole ladder compare with one another; the others stopped earlier, where acceptance is lower. "
            "The sampler looks where it is good: a region with few trials was not shown to be bad.",
        ),
        Drawing(
            "parallel-coordinates",
            "Choices of every complete trial",
            figures.parallel_coordinates(trials, axes[:PARALLEL]),
            f"Each of {counted(complete, 'complete trial')} is a line through its choices to its acceptance, the best quarter "
            "strongest. Strong lines through one point agree on that choice. A line leaves out axes that do not apply to it. "
            "Choices that go together were not tried apart: the figure does not tell which of them is the cause.",
        ),
    ]


def _heaviest(count: int) -> str:
    """Say how many axes are drawn."""
    return "on the one axis that varied" if count == 1 else f"on {count} axes, heaviest first"


def _compared(subject: Subject, trials: Sequence[Outcome]) -> list[Drawing | Listing]:
    rate, parts = subject.plan.options.working_point, list[Drawing | Listing]()
    caution = (
        "Beside each name stand its complete and all its finished trials. The best of many trials is higher by chance alone: "
        "compare the medians, too. Other choices differ between the trials, and a difference may be theirs."
    )
    for name, title, what, name_of in (
        ("schemes", "Labelling schemes side by side", "labelling scheme", scheme_name),
        ("uses-of-lights", "How important is angle: uses of the lights", "use of the lights", lights_name),
        ("single-lights", "How important is angle: each light alone", "light", light_name),
    ):
        groups = group_by(trials, name_of)
        if len(groups) > 1:
            same = "All schemes are scored alike, by P(signal) on the same pits. " if name == "schemes" else ""
            if sum(bool(group.complete) for group in groups) > 1:
                parts.append(Drawing(name, title, figures.choices_compared(groups, rate), same + caution))
            parts.append(groups_table(title, what, groups))
            if name == "schemes":
                parts += _scheme_curves(subject, groups)
    return parts


def _scheme_curves(subject: Subject, groups: Sequence[ChoiceGroup]) -> list[Drawing]:
    """Draw the acceptance of each scheme's best trial against background, where two or more kept their scores."""
    rate, curves = subject.plan.options.working_point, []
    for group in groups:
        trial = find_trial(subject.trials, group.complete[0].number) if group.complete else None
        scored = None if trial is None else scores_of_trial(trial, subject.plan)
        if scored is not None:
            curves.append(acceptance_curve(f"{group.name}, trial {scored.trial}", scored, (rate,)))
    if len(curves) < 2:
        return []
    return [
        Drawing(
            "scheme-curves",
            "Labelling schemes: signal acceptance against background",
            figures.roc(curves),
            "The best trial of each scheme, on the same pits and by the same score, P(signal), out of fold. Marks are the "
            "working point with its interval, side by side. Each line is of the trial that was best by such pits: lines closer "
            "than their intervals are not told apart.",
        )
    ]


def groups_table(title: str, what: str, groups: Sequence[ChoiceGroup]) -> Listing:
    """List choices side by side."""
    rows = [
        (
            group.name,
            f"{len(group.complete)} of {group.finished}",
            str(group.complete[0].acceptance) if group.complete else "none complete",
            str(group.complete[0].number) if group.complete else "",
            "" if group.median is None else f"{group.median:.3f}",
            str(group.sound),
        )
        for group in groups
    ]
    columns = (what, "complete of finished", "best acceptance [90 %]", "trial", "median", "reliability [90 %]")
    note = "Reliability is the share of all trials' trainings that did not fail; one that was cut short did not."
    return Listing(title, columns, tuple(rows), note)
