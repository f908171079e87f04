"""Copy trials to MLflow: an experiment for each study, a run for each trial, with its choices as parameters.

A run's tags say which trial it is of which study, and how it stood when it was copied: a later launch finds it again. Rungs are
steps of the metric `rung_acceptance`; the other metrics are of the last rung. Nothing is uploaded but figures and words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from search.report.mirrors.mirror import Mirror, Say, not_installed, refused
from search.report.mirrors.trial_values import TrialValues
from search.studies.study import Study

# Tags of a run: the study's UID, the trial's number, how the trial stood, and its rungs that were copied.
STUDY, TRIAL, MOMENT, RUNGS = "pitsearch.study", "pitsearch.trial", "pitsearch.moment", "pitsearch.rungs"
# MLflow's word for how a trial stands; what is paused or interrupted waits.
STATUS = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}
WAITING = "SCHEDULED"
# A server that does not answer is asked again for minutes by default, while the launch waits.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


@dataclass(frozen=True)
class _Run:
    """A run that is there."""

    id: str
    moment: str
    # Rungs that it has.
    rungs: int


class MlflowMirror(Mirror):
    """Writes runs through MLflow's client. Raises StudyError where MLflow is missing or its store does not answer."""

    def __init__(self, address: str, place: str, say: Say) -> None:
        super().__init__(address, say)
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise not_installed(address, "mlflow", error) from None
        self._client: Any = None
        self._experiment = self._uid = ""
        self._runs: dict[int, _Run] = {}
        try:
            self._client = MlflowClient(tracking_uri=place)
            self._client.search_experiments(max_results=1)  # opens the store, which a new client leaves alone
        except Exception as error:  # its own, the database's, or the network's
            raise refused(address, error) from None

    def open(self, study: Study) -> None:
        """Find the study's experiment and runs, or make the experiment."""
        self._uid = study.uid
        found = self._client.get_experiment_by_name(study.name)
        self._experiment = self._client.create_experiment(study.name) if found is None else found.experiment_id
        page = None
        while True:
            runs = self._client.search_runs([self._experiment], f"tags.`{STUDY}` = '{self._uid}'", page_token=page)
            for run in runs:
                tags = run.data.tags
                self._runs[int(tags[TRIAL])] = _Run(run.info.run_id, tags.get(MOMENT, ""), int(tags.get(RUNGS, 0)))
            page = runs.token
            if not page:
                return

    def write(self, values: TrialValues) -> None:
        """Make a trial's run, or go on with it: rungs that it has stay, its figures become those of the last rung."""
        from mlflow.entities import Metric, Param, RunTag

        run = self._runs.get(values.number) or self._make(values)
        if run.moment == values.moment:
            return
        ended = int(1000 * values.ended)
        last = values.rungs[-1][0] if values.rungs else 0
        rungs = [Metric("rung_acceptance", value, ended, step) for step, value in values.rungs[run.rungs :]]
        figures = [Metric(name, value, ended, last) for name, value in values.figures.items()]
        told = {"state": values.state, **values.words, MOMENT: values.moment, RUNGS: str(len(values.rungs))}
        self._client.log_batch(
            run.id,
            metrics=[*rungs, *figures],
            params=[Param(name, str(value)) for name, value in values.choices.items()],
            tags=[RunTag(name, text) for name, text in told.items()],
        )
        status = STATUS.get(values.state)
        if status is None:
            self._client.update_run(run.id, status=WAITING)
        else:
            self._client.set_terminated(run.id, status, ended)
        self._runs[values.number] = _Run(run.id, values.moment, len(values.rungs))

    def _make(self, values: TrialValues) -> _Run:
        made = self._client.create_run(
            self._experiment,
            start_time=int(1000 * values.started),
            tags={STUDY: self._uid, TRIAL: str(values.number)},
            run_name=f"trial {values.number}",
        )
        return _Run(made.info.run_id, "", 0)
