"""Export models that `select` did not choose: any complete trial's, or all that the last selection kept.

Opens nothing: their held-out figures are not known, and their cards say so. Members that are no longer in the cache are trained
again, to the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foils import Dataset
from models.inference.bundle import model_hash
from search.counting import Step
from search.errors import StudyError
from search.selection.candidates import Candidate, describe_trial
from search.selection.confirm import entrant_of
from search.selection.export import ExportOptions, check_new, complete_bundle, copy_files, kept_files, new_folder
from search.selection.final_model import FinalModel, make_final_model
from search.selection.model_folder import searched_pixels, write_model
from search.selection.outcome import ModelOrigin, bundle_of
from search.selection.selection_record import ModelKey, kept_trials, selected_key
from search.selection.trial_model import FOLDS, make_trial_model
from search.studies.study import Study, study_data


def export_trial(
    study: Study,
    number: int,
    folder: str | Path,
    options: ExportOptions | None = None,
    *,
    data: str | Path | Dataset | None = None,
    workers: int | None = None,
    progress: bool | Step = True,
) -> Path:
    """Write the model of a complete trial into a new folder: the folds of its cross-validation that learned, as an ensemble.

    `data`: where the study's data set is now, if it has moved; `workers`: processes that train again what is no longer kept;
    `progress` is called at first and after each fold that is, True shows it on stderr.
    Raises StudyError where the trial is not complete or none of its folds learned, and as `export` does.
    """
    options, folder = options or ExportOptions(), Path(folder)
    check_new(folder)
    trial, plan = study.trial(number), study.plan
    dataset = data if isinstance(data, Dataset) else study_data(study, data)
    searched = plan.search_set(dataset)
    model = make_trial_model(searched, plan, trial, workers, progress)
    candidate = describe_trial(trial, study.optuna.get_trials(deepcopy=False), searched)
    origin = _origin(study, candidate, FOLDS, 0, model, dataset)
    with new_folder(folder) as unfinished:
        _write(unfinished, origin, dataset, options)
    return folder


def export_top(
    study: Study,
    count: int,
    folder: str | Path,
    options: ExportOptions | None = None,
    *,
    data: str | Path | Dataset | None = None,
    runs: str | Path | None = None,
    workers: int | None = None,
    progress: bool | Step = True,
) -> tuple[Path, ...]:
    """Write the best models that the last selection kept into a new folder, `1-trial-N/` the selected one.

    The others are made as the selected one was, from their confirmations, in the order of their ranking. Gives the folder of
    each: fewer than `count` where fewer were kept. `runs`: as for `export`; `data`, `workers`, `progress`: as for
    `export_trial`. Raises StudyError as `export` does.
    """
    if count < 1:
        raise StudyError(f"`top >= 1` must hold, but got {count}; choose a larger number.")
    options, folder = options or ExportOptions(), Path(folder)
    check_new(folder)
    numbers = kept_trials(study)[:count]
    names = [f"{place}-trial-{number}" for place, number in enumerate(numbers, start=1)]
    files = kept_files(study, options, runs)
    origins, dataset = _others(study, numbers[1:], data, workers, progress) if numbers[1:] else ((), None)
    with new_folder(folder) as unfinished:
        for name in names:
            (unfinished / name).mkdir()
        copy_files(files, unfinished / names[0])
        complete_bundle(unfinished / names[0], options)
        for name, origin in zip(names[1:], origins, strict=True):
            assert dataset is not None
            _write(unfinished / name, origin, dataset, options)
    return tuple(folder / name for name in names)


def _others(
    study: Study, numbers: Sequence[int], data: str | Path | Dataset | None, workers: int | None, progress: bool | Step
) -> tuple[tuple[ModelOrigin, ...], Dataset]:
    """Make the models of kept trials as the last selection made the winner's."""
    plan, key, optuna_study = study.plan, selected_key(study), study.optuna
    dataset = data if isinstance(data, Dataset) else study_data(study, data)
    searched, trials = plan.search_set(dataset), optuna_study.get_trials(deepcopy=False)
    origins = []
    for number in numbers:
        trial = study.trial(number)
        entrant = entrant_of(optuna_study, trial, key.repeats)
        model = make_final_model(searched, plan, entrant, key.final, workers, progress)
        candidate = describe_trial(trial, trials, searched, entrant, plan)
        origins.append(_origin(study, candidate, key.final, key.repeats, model, dataset))
    return tuple(origins), dataset


def _origin(study: Study, candidate: Candidate, final: str, repeats: int, model: FinalModel, data: Dataset) -> ModelOrigin:
    key = ModelKey(candidate.number, final, repeats, model_hash(bundle_of(study, model)))
    return ModelOrigin(study, candidate, key, model, searched_pixels(study.plan, data))


def _write(folder: Path, origin: ModelOrigin, data: Dataset, options: ExportOptions) -> None:
    write_model(folder, origin, data)
    complete_bundle(folder, options)
