"""Export a selection as a bundle: weights, description and model card in a new folder.

Writes under a temporary name and renames, so that a bundle is whole or absent.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.inference.bundle import Bundle, write_bundle
from search.errors import StudyError
from search.selection.held_out import reading
from search.selection.select import Selection


def export(selection: Selection, folder: str | Path) -> Path:
    """Write the selected model into a new folder. Raises StudyError where it exists or cannot be written."""
    folder = Path(folder)
    check_new(folder)
    bundle = Bundle(selection.ensemble, selection.threshold, selection.study.plan.options.working_point, _about(selection))
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        write_bundle(unfinished, bundle)
        (unfinished / "README.md").write_text(_card(selection, bundle), encoding="utf-8")
        unfinished.rename(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StudyError(f"{folder}: the folder must be writable, but: {error.strerror}; choose another.") from None
    return folder


def check_new(folder: Path) -> None:
    """Raise StudyError where a bundle's folder exists already."""
    if folder.exists():
        raise StudyError(f"{folder}: a bundle goes into a new folder, but this one exists; choose another name or remove it.")


def _about(selection: Selection) -> dict[str, Any]:
    plan = selection.study.plan
    winner, opening = selection.winner, selection.opening
    return {
        "study": selection.study.name,
        "trial": winner.number,
        "final": selection.key.final,
        "seed": plan.options.seed,
        "fingerprint": plan.fingerprint,
        "held_out_pits": list(plan.held_out),
        "searched_pits": len(plan.folds),
        "metrics": {
            "search_acceptance": asdict(winner.searched),
            "confirmed_acceptance": asdict(winner.confirmed) if winner.confirmed else None,
            "reliability": asdict(winner.tally.reliability) if winner.tally.reliability else None,
            "trainings": asdict(winner.tally),
            "calibration": asdict(selection.model.calibration),
            "held_out": asdict(opening.held_out),
            "held_out_reading": opening.number,
        },
        "versions": {name: version(name) for name in ("pitsearch", "torch", "timm", "optuna", "numpy")},
    }


def _card(selection: Selection, bundle: Bundle) -> str:
    """Write the model card: what it is, how good, for what data, how to run it."""
    about, ensemble = bundle.about, bundle.ensemble
    lights = ", ".join(light.name for light in ensemble.lights)
    lines = [
        f"# Etch-pit classifier from study {about['study']}, trial {about['trial']}",
        "",
        f"{_made(selection)} P(signal) is calibrated by a temperature of {ensemble.temperature:.3f}.",
        "",
        f"- Configuration: {ensemble.config.describe()}",
        f"- Input: crops of {ensemble.size} x {ensemble.size} pixels, values up to {ensemble.full_scale}, channels {lights}",
        f"- Threshold: {bundle.threshold:.6f}, fixed at {bundle.working_point:.0%} false positives on out-of-fold scores",
        f"- Trained on {about['searched_pits']} pits of the data with fingerprint {about['fingerprint'][:12]}",
        f"- Reliability: {selection.winner.tally} trainings learned (90 % interval)",
        f"- Acceptance in the search: {selection.winner.searched.value:.3f}; the search chose by it, so it is optimistic",
        f"- Acceptance on fresh splits and seeds: {selection.winner.confirmed}",
    ]
    look = selection.opening.held_out
    pits = f"{look.signals} signal, {look.backgrounds} background"
    lines.append(f"- Held-out set, {reading(selection.opening)} ({pits}; 90 % intervals): AUC {look.auc:.4f}")
    lines += [
        f"  - threshold at {point.working_point:.0%}: acceptance {point.acceptance}, rejection {point.rejection}"
        for point in look.points
    ]
    lines += [
        "",
        "Score a data set with the same channels and crop size:",
        "",
        "    pitsearch predict THIS_FOLDER DATA --out scores.csv",
        "",
        "Pits of another foil, etching or microscope may look different; check some by eye before you trust the threshold.",
        "",
    ]
    return "\n".join(lines)


def _made(selection: Selection) -> str:
    members = len(selection.ensemble.members)
    if selection.key.final == "refit":
        return "One network, trained on all pits that the search saw;"
    return f"An ensemble of {members} networks, one of every confirmation; a pit's score is the mean of theirs."
