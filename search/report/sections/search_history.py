"""The search: the best so far, how every trial ended, the rungs, what pruning saved, and its audit."""

from __future__ import annotations

from collections.abc import Iterator

from search.analysis.search_history import Fate, SearchHistory, search_history
from search.analysis.status import acceptance, configuration
from search.report.contents import Drawing, Listing, Part, Section
from search.report.figures import best_so_far, rung_counts
from search.report.subject import Subject
from search.report.tables import audit_line, comparison_line
from search.text import counted, duration, sentence
from search.trials.outlook import outlook_line
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.reliability import tally

# Trials that the table shows.
MOST = 10


def section(subject: Subject) -> Section | None:
    """Lay out the search; None where no trial has started yet."""
    history = search_history(subject.trials, subject.plan.ladder)
    if not history.trials:
        return None
    return Section("search", "The search", tuple(sentences(subject, history)), tuple(_parts(subject, history)))


def sentences(subject: Subject, history: SearchHistory) -> Iterator[str]:
    """Say how the search went."""
    status, plan = subject.status, subject.plan
    revived = history.count(Fate.REVIVED)
    yield (
        f"{counted(status.done, 'trial')} have come as far as they are to: {status.complete} complete, of which {revived} had "
        f"been paused and taken up again, {status.pruned} pruned and {status.paused} paused; {status.failed} failed."
    )
    yield sentence(comparison_line(status.comparison))
    if status.gain is not None:
        yield sentence(outlook_line(status.gain))
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in status.verdicts.items()) or "none yet"
    yield f"The verdicts on folds are: {verdicts}. Started again after a collapse: {counted(status.reseeds, 'fold')}."
    yield saving_sentence(history)
    if status.audit is not None:
        yield sentence(f"audit of the pruner: {audit_line(status.audit, [rung for rung, _ in status.rungs])}")
    elif plan.options.pruner == "none":
        yield "Nothing is pruned in this study."
    else:
        yield "There is no audit, for no trial is ended for good: a paused one goes on when others prove worse."


def saving_sentence(history: SearchHistory) -> str:
    """Say what ending trials early saved."""
    saving = history.saving
    if not saving.trials:
        return "No trial was paused or pruned, so that nothing was saved."
    return (
        f"{counted(saving.trials, 'paused or pruned trial')} left out {saving.fold_epochs} of the {saving.whole} fold-epochs "
        f"that whole cross-validations of all of them take ({saving.fold_epochs / saving.whole:.0%}), "
        f"{duration(saving.seconds)} of training at each trial's own pace."
    )


def _parts(subject: Subject, history: SearchHistory) -> Iterator[Part]:
    comparison, point = subject.status.comparison, subject.plan.options.working_point
    in_use = None if comparison is None else acceptance(comparison.baseline)
    marks = (
        "Each mark is a trial where it ended; paused and pruned ones show the acceptance on the rung that they reached, of "
        "fewer folds or epochs, and must not be compared with complete ones. Failed trials without a rung lie at 0."
    )
    yield Drawing(
        "best-by-trials",
        "Best so far, by trials",
        best_so_far(history, in_use, point),
        "See whether the best still rises: a long flat stretch says that more trials bring little. "
        f"{marks} Do not read the last step as the acceptance on new pits: the best of many is also the luckiest.",
    )
    yield Drawing(
        "best-by-time",
        "Best so far, by time",
        best_so_far(history, in_use, point, across="time"),
        "See how long the search took to pass the network in use. Time runs on while no worker does, and a paused trial stands "
        "where it was last taken up, so that gaps are not the cost of trials.",
    )
    yield Drawing(
        "rungs",
        "Trials by the rung that they reached",
        rung_counts(history.rungs),
        "See how many trials each rung let climb on, and how those stand that went no further. Do not conclude that a paused "
        "trial is a bad one: on a low rung few folds and epochs tell little.",
    )
    best = rank_trials(subject.trials)[:MOST]
    if best:
        rows = []
        for trial in best:
            result = RungResult.demand(trial)
            rows.append(
                (
                    str(trial.number),
                    str(acceptance(trial)),
                    str(tally([result])),
                    f"{result.seconds:.0f} s",
                    configuration(trial),
                )
            )
        columns = ("trial", "acceptance [90 %]", "reliability [90 %]", "cost", "configuration")
        note = "As the search measured them, the best first; of trials with one configuration the best stands for all."
        yield Listing(
            f"The best {len(best)} of {counted(subject.status.complete, 'complete trial')}", columns, tuple(rows), note
        )
    if subject.status.errors:
        errors = tuple((error,) for error in subject.status.errors[-MOST:])
        yield Listing("Failed trials", ("error",), errors, f"The last {len(errors)} of {len(subject.status.errors)}.")
