"""Select: from a study's complete trials to one trained model that is kept, and a reading of the held-out set.

Confirms the best, keeps only what converges reliably, trains the winner, fixes its threshold from scores out of fold, reads the
held-out set once, and keeps the model as a bundle in the study's folder of checkpoints. Two numbers come of it: the search's
own, which is optimistic, for the search chose by it, and the held-out one. Knows nothing of how they are shown or exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from foils import Dataset
from models.inference.bundle import model_hash, write_bundle
from search import defaults
from search.counting import Step
from search.errors import StudyError
from search.selection.candidates import Candidate, rank_candidates
from search.selection.confirm import ConfirmOptions, confirm
from search.selection.final_model import FinalModel, check_final, make_final_model
from search.selection.held_out import open_held_out
from search.selection.model_folder import searched_pixels, write_model
from search.selection.model_store import disk_errors, file_hashes, open_models, put_model, unfinished_model
from search.selection.outcome import Selection, bundle_of
from search.selection.race_record import CandidateRecord, JudgedRecord, write_judged
from search.selection.selection_record import KEPT, ModelKey, ModelRecord, write_selection
from search.selection.slide_validation import SlideValidation, validate_by_slides
from search.studies.study import Study, study_data


def select(
    study: Study,
    options: ConfirmOptions | None = None,
    *,
    final: str = defaults.FINAL,
    data: str | Path | Dataset | None = None,
    runs: str | Path | None = None,
    workers: int | None = None,
    progress: bool | Step = True,
) -> Selection:
    """Select the best model of a study that converges reliably, train it, keep it, and read the held-out set.

    `options`: what is confirmed, and the bar; `final`: `ensemble` or `refit`; `data`, `runs`: where the study's data and the
    folder of checkpoints are now, if they have moved; `progress`: as for `confirm`, then also for what is trained of the
    winner, from 0 again. Selecting the same model again gives the recorded reading, and opens nothing. Raises StudyError where
    no trial can be kept, or the model cannot be written.
    """
    check_final(final)
    models = open_models(study, runs)  # what is wrong with it is said before anything is trained
    options, plan = options or ConfirmOptions(), study.plan
    dataset = data if isinstance(data, Dataset) else study_data(study, data)
    search_set = plan.search_set(dataset)
    race = confirm(study, options, data=dataset, workers=workers, progress=progress)
    candidates = rank_candidates(study.optuna.get_trials(deepcopy=False), race, options, plan, search_set)
    winner = next((candidate for candidate in candidates if candidate.wins), None)
    if winner is None:
        reasons = "; ".join(f"trial {one.number} {one.reason}" for one in candidates if one.reason.startswith("dropped"))
        raise StudyError(
            f"study {study.name!r} must have a trial that can be kept, but {reasons}; launch more trials, or give more "
            "--repeats or another --reliability."
        )
    entrant = next(entrant for entrant in race if entrant.number == winner.number)
    model = make_final_model(search_set, plan, entrant, final, workers, progress)
    by_slides = validate_by_slides(study, search_set, winner.number, winner.config, progress)
    key = ModelKey(winner.number, final, len(entrant.repeats), model_hash(bundle_of(study, model)))
    selection, record = _read_and_keep(study, candidates, key, model, by_slides, dataset, models / key.sha256)
    entered = [one for one in candidates if one.number in {entrant.number for entrant in race}]
    # The winner first, as `export_top` writes them.
    kept = sorted((one for one in candidates if one.kept), key=lambda one: not one.wins)
    write_judged(study, JudgedRecord(key.sha256, tuple(map(_judged, entered)), by_slides))
    write_selection(study, {**asdict(options), KEPT: [one.number for one in kept]}, key, record)
    return selection


def _judged(candidate: Candidate) -> CandidateRecord:
    same = {field.name: getattr(candidate, field.name) for field in fields(CandidateRecord) if field.name != "trial"}
    return CandidateRecord(trial=candidate.number, **same)


def _read_and_keep(
    study: Study,
    candidates: Sequence[Candidate],
    key: ModelKey,
    model: FinalModel,
    by_slides: SlideValidation,
    data: Dataset,
    folder: Path,
) -> tuple[Selection, ModelRecord]:
    """Read the held-out set with a model, and write the model with what was seen into its folder.

    The weights are on the disk before the set is opened: a disk that is full costs no reading.
    """
    bundle, plan = bundle_of(study, model), study.plan
    with unfinished_model(folder) as unfinished:
        with disk_errors(folder):
            write_bundle(unfinished, bundle)
        locked = plan.held_out_set(data)
        opening = open_held_out(study, key, model.ensemble, locked, model.thresholds, model.backgrounds)
        pixels = searched_pixels(plan, data)
        selection = Selection(study, tuple(candidates), key, model, opening, folder, by_slides, pixels)
        with disk_errors(folder):
            write_model(unfinished, selection.origin, data)
            record = ModelRecord(str(folder), file_hashes(unfinished))
            put_model(unfinished, folder)
    return selection, record
