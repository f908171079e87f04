"""Fill in what the dashboard's own pages leave open: a plugin of Bottle, which the dashboard is written in.

A trial and a study that nobody has written a note about have one of ours. Plots that have a panel for each two parameters are
drawn of the parameters that matter most: of all they take half a minute and 20 MB. Whatever the server draws is drawn once, one
at a time. Knows nothing of how requests come.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from search.dashboard.notes import trial_note
from search.dashboard.study_page import StudyPages
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.storage.optuna_internals import trial_id_of

STUDY, PLOT = "/api/studies/<study_id:int>", "/api/studies/<study_id:int>/plot/<plot_type>"
# Plots with a panel for each two parameters; of so many parameters they are drawn.
SQUARE = {"rank": optuna.visualization.plot_rank, "contour": optuna.visualization.plot_contour}
MOST = 4
View = Callable[..., Any]


class Presenting:
    """A plugin of Bottle."""

    name, api = "pitsearch", 2

    def __init__(self, view: StudyView, pages: StudyPages) -> None:
        self.view, self.pages = view, pages
        # By study and plot: what it was drawn of, and the plot.
        self._plots: dict[tuple[int, str], tuple[object, Any]] = {}
        # By the id of a trial that has ended: the trial as it was recorded, and its note.
        self._notes: dict[int, tuple[FrozenTrial, str]] = {}
        self._lock = Lock()

    def apply(self, callback: View, route: Any) -> View:
        """Put ours around what answers a route."""
        if route.method != "GET" or route.rule not in (STUDY, PLOT):
            return callback
        return self._of_study(callback) if route.rule == STUDY else self._of_plot(callback)

    def _of_study(self, callback: View) -> View:
        def call(study_id: int) -> Any:
            detail = callback(study_id=study_id)
            if not isinstance(detail, dict) or "trials" not in detail:
                return detail  # refused
            for trial in (*detail["trials"], *detail["best_trials"]):
                if trial["state"] == "Complete" and not trial["note"]["version"]:
                    trial["note"]["body"] = self._note(trial["trial_id"])
            if not detail["note"]["version"]:
                detail["note"]["body"] = self.pages.note(study_id)
            return detail

        return call

    def _note(self, trial_id: int) -> str:
        trial = self.view.recorded.get_trial(trial_id)
        recorded, note = self._notes.get(trial_id, (None, ""))
        if recorded is not trial:
            try:
                note = trial_note(trial)
            except StudyError as error:
                note = str(error)
            self._notes[trial_id] = (trial, note)
        return note

    def _of_plot(self, callback: View) -> View:
        def call(study_id: int, plot_type: str) -> Any:
            trials = self.view.get_all_trials(study_id, deepcopy=False)
            # What has ended, by its number and when: another study may be given the number of a deleted one.
            drawn_of = [(trial_id_of(trial), trial.datetime_start) for trial in trials if trial.state.is_finished()]
            with self._lock:
                before, plot = self._plots.get((study_id, plot_type), (None, None))
                if before != drawn_of:
                    plot = _square(self.view, study_id, plot_type) or callback(study_id=study_id, plot_type=plot_type)
                    if isinstance(plot, str):
                        self._plots[study_id, plot_type] = (drawn_of, plot)
            return plot

        return call


def _square(view: StudyView, study_id: int, plot_type: str) -> str | None:
    """Draw a plot with a panel for each two parameters, as JSON; None where it is none, or small."""
    draw = SQUARE.get(plot_type)
    study = optuna.load_study(study_name=view.get_study_name_from_id(study_id), storage=view)
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    if draw is None or len(complete) < 2 or len(set().union(*(trial.params for trial in complete))) <= MOST:
        return None
    most = most_important(study)
    if len(most) < 2:
        return None
    words = study.metric_names[0] if study.metric_names else "Objective 0"
    target = None if len(study.directions) == 1 else lambda trial: trial.values[0]
    figure = draw(study, params=most, target=target, target_name=words)
    figure.update_layout(title=f"{figure.layout.title.text}: the {len(most)} parameters that matter most")
    return str(figure.to_json())


def most_important(study: optuna.Study) -> list[str]:
    """Name the parameters that matter most for the first objective, of those that all complete trials have."""
    sign = -1 if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else 1
    with warnings.catch_warnings():  # of few trials the importances are inaccurate, and good enough to choose by
        warnings.simplefilter("ignore", UserWarning)
        importances = get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(), target=lambda trial: sign * trial.values[0]
        )
    return list(importances)[:MOST]
