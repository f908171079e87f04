"""Describe a selected model: the metrics and versions in its bundle, and its model card. Knows nothing of folders."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from foils import Dataset
from models.inference.bundle import Bundle, networks_of
from models.inference.bundle_schema import SourceData
from models.inference.example import INPUT, ONNX, OUTPUT
from search.selection.held_out import reading
from search.selection.outcome import Selection
from spaces.plugins import plugins_of_config

# How to run the graph that an export adds, where numpy and onnxruntime are all that there is.
ANYWHERE = (
    f"Score pixels in Python, in this folder, with nothing but numpy and onnxruntime; `{INPUT}` holds pits of the search:",
    "",
    "    import numpy, onnxruntime",
    f'    session = onnxruntime.InferenceSession("{ONNX}")',
    f'    pixels = numpy.load("{INPUT}")  # as stored, [pits, channels, y, x]',
    '    p_signal, p_class, spread = session.run(None, {"pixels": pixels})',
    f'    print(abs(p_signal - numpy.load("{OUTPUT}")).max())',
    "",
)


def describe(selection: Selection) -> dict[str, Any]:
    """Give what a bundle holds `about` its model, as plain values."""
    plan = selection.study.plan
    winner, opening = selection.winner, selection.opening
    return {
        "study": selection.study.name,
        "trial": winner.number,
        "final": selection.key.final,
        "model_sha256": selection.key.sha256,
        "seed": plan.options.seed,
        "fingerprint": plan.fingerprint,
        "held_out_pits": list(plan.held_out),
        "searched_pits": len(plan.folds),
        "searched_pixels": list(selection.searched_pixels),
        "plugins": [asdict(ref) for ref in plugins_of_config(selection.ensemble.config)],
        "metrics": {
            "search_acceptance": asdict(winner.searched),
            "confirmed_acceptance": asdict(winner.confirmed) if winner.confirmed else None,
            "confirmed_less_optimism": asdict(winner.unflattered) if winner.unflattered else None,
            "reliability": asdict(winner.tally.reliability) if winner.tally.reliability else None,
            "trainings": asdict(winner.tally),
            "calibration": asdict(selection.model.calibration),
            "held_out": asdict(opening.held_out),
            "held_out_reading": opening.number,
            "by_slides": asdict(selection.by_slides),
            "threshold_backgrounds": selection.model.backgrounds,
        },
        "versions": {name: version(name) for name in ("pitsearch", "torch", "timm", "optuna", "numpy")},
    }


def source_of(locked: Dataset) -> SourceData:
    """Name the data that a model was made from; `locked`: its held-out pits."""
    about = locked.description
    slides = sorted({f"{pit.foil}:{pit.slide}" for pit in locked.pits})
    return SourceData(about.name, about.signal, about.crop_pixel_um, tuple(slides))


def write_card(selection: Selection, bundle: Bundle) -> str:
    """Write the model card, Markdown: what it is, how good, for what data, how to run it."""
    about, ensemble = bundle.about, networks_of(bundle)
    lights = ", ".join(light.name for light in ensemble.lights)
    lines = [
        f"# Etch-pit classifier from study {about['study']}, trial {about['trial']}",
        "",
        f"{_networks(selection)} P(signal) is calibrated by a temperature of {ensemble.temperature:.3f} and an "
        f"offset of {ensemble.offset:+.3f}.",
        "",
        f"- Configuration: {ensemble.config.describe()}",
        f"- Input: crops of {ensemble.size} x {ensemble.size} pixels, values up to {ensemble.full_scale}, channels {lights}",
        f"- Model: {selection.key.sha256}, SHA-256 of weights, calibration and threshold",
        f"- Threshold: {bundle.threshold:.6f}, fixed at {bundle.working_point:.0%} false positives on out-of-fold scores",
        f"- Trained on {about['searched_pits']} pits of the data with fingerprint {about['fingerprint'][:12]}",
        f"- Reliability: {selection.winner.tally} trainings learned (90 % interval)",
        f"- Acceptance in the search: {selection.winner.searched.value:.3f}; the search chose by it, so it is optimistic",
        f"- Acceptance on fresh splits and seeds: {selection.winner.confirmed}",
        *(f"- Needs the plugin {ref['name']}, whose file has the SHA-256 {ref['sha256']}" for ref in about["plugins"]),
    ]
    held_out = selection.opening.held_out
    pits = f"{held_out.signals} signal, {held_out.backgrounds} background"
    lines.append(f"- Held-out set, {reading(selection.opening)} ({pits}; 90 % intervals): AUC {held_out.auc:.4f}")
    lines += [
        f"  - threshold at {point.working_point:.0%}: acceptance {point.acceptance}, rejection {point.rejection}"
        for point in held_out.points
    ]
    lines += [
        f"- {str(selection.by_slides).capitalize()}",
        "",
        "Score a data set with the same channels and crop size:",
        "",
        "    pitsearch predict THIS_FOLDER DATA --out scores.csv",
        "",
        *ANYWHERE,
        "Pits of another foil, etching or microscope may look different; check some by eye before you trust the threshold.",
        "",
    ]
    return "\n".join(lines)


def _networks(selection: Selection) -> str:
    members = len(selection.ensemble.members)
    if selection.key.final == "refit":
        return "One network, trained on all pits that the search saw;"
    return f"An ensemble of {members} networks, one of every confirmation; a pit's score is the mean of theirs."
