"""Describe a selected model: the metrics and versions in its bundle, and its model card. Knows nothing of folders."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from foils import Dataset
from models.inference.bundle import Bundle, networks_of
from models.inference.bundle_schema import SourceData
from models.inference.example import INPUT, ONNX, OUTPUT
from search.selection.held_out import reading
from search.selection.outcome import ModelOrigin
from search.selection.trial_model import FOLDS
from search.text import as_markdown, counted
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

NO_SLIDES = "acceptance on slides it never saw: not known, for only the selected model's is measured"
LIMITS = (
    "Pits of another foil, etching, microscope or focus may look different: check some by eye before you trust the threshold.",
    "The threshold is fixed on listed pits. On a whole foil most objects are background: measure false hits per area there.",
    "P(signal) is a probability only where signal is as frequent as among the pits that it was calibrated on.",
    "Scores of the pits that it was trained on flatter it: measure acceptance on others.",
    "An accepted pit is a candidate to be looked at. The model alone is no evidence of a particle.",
    "Crops that were scaled, sharpened, stored as JPEG or cut in another size are not what it was trained on.",
)


def describe(origin: ModelOrigin) -> dict[str, Any]:
    """Give what a bundle holds `about` its model, as plain values."""
    plan, candidate, opening, model = origin.study.plan, origin.candidate, origin.opening, origin.model
    return {
        "study": origin.study.name,
        "trial": candidate.number,
        "final": origin.key.final,
        "model_sha256": origin.key.sha256,
        "seed": plan.options.seed,
        "fingerprint": plan.fingerprint,
        "held_out_pits": list(plan.held_out),
        "searched_pits": len(plan.folds),
        "searched_pixels": list(origin.searched_pixels),
        "plugins": [asdict(ref) for ref in plugins_of_config(candidate.config)],
        "metrics": {
            "search_acceptance": asdict(candidate.searched),
            "confirmed_acceptance": _plain(candidate.confirmed),
            "confirmed_less_optimism": _plain(candidate.unflattered),
            "reliability": _plain(candidate.tally.reliability),
            "trainings": asdict(candidate.tally),
            "calibration": asdict(model.calibration),
            "held_out": _plain(opening and opening.held_out),
            "held_out_reading": opening and opening.number,
            "by_slides": _plain(origin.by_slides),
            "threshold_backgrounds": model.backgrounds,
        },
        "versions": {name: version(name) for name in ("pitsearch", "torch", "timm", "optuna", "numpy")},
    }


def source_of(locked: Dataset) -> SourceData:
    """Name the data that a model was made from; `locked`: its held-out pits."""
    about = locked.description
    slides = sorted({f"{pit.foil}:{pit.slide}" for pit in locked.pits})
    return SourceData(about.name, about.signal, about.crop_pixel_um, tuple(slides))


def write_card(origin: ModelOrigin, bundle: Bundle, searched: Dataset) -> str:
    """Write the model card, Markdown: what it is, its data, how good it is, what it is not for, how to run it.

    `searched`: the pits that trials may see.
    """
    about, ensemble, candidate = bundle.about, networks_of(bundle), origin.candidate
    plugins = [
        f"- Needs the plugin {as_markdown(ref['name'])}, whose file has the SHA-256 {ref['sha256']}" for ref in about["plugins"]
    ]
    lines = [
        f"# Etch-pit classifier from study {as_markdown(about['study'])}, trial {about['trial']}",
        "",
        f"{_networks(origin)} P(signal) is calibrated by a temperature of {ensemble.temperature:.3f} and an offset of "
        f"{ensemble.offset:+.3f}.",
        "",
        f"- Configuration: {as_markdown(ensemble.config.describe())}",
        f"- Model: {origin.key.sha256}, SHA-256 of weights, calibration and threshold",
        f"- Threshold: {bundle.threshold:.6f}, fixed at {bundle.working_point:.0%} false positives on out-of-fold scores",
        *plugins,
        "",
        "## Data",
        "",
        *_data(origin, bundle, searched),
        "",
        "## Validation",
        "",
        "Shares are of pits, with 90 % intervals.",
        "",
        f"- Reliability: {candidate.tally} trainings learned",
        f"- Acceptance in the search: {candidate.searched}; the search chose by it, so it is optimistic",
        f"- Acceptance on fresh splits and seeds: {candidate.confirmed or 'not known, for this model was not confirmed'}",
        *_held_out(origin),
        f"- {str(origin.by_slides or NO_SLIDES).capitalize()}",
        "- `scores.csv` and `scores.parquet` list what each of these pits was given",
        "",
        "## What it must not be used for",
        "",
        *(f"- {line}" for line in LIMITS),
        "",
        "## How to run it",
        "",
        "Score a data set with the same channels and crop size:",
        "",
        "    pitsearch predict THIS_FOLDER DATA --out scores.csv",
        "",
        *ANYWHERE,
    ]
    return "\n".join(lines)


def _networks(origin: ModelOrigin) -> str:
    members = counted(len(origin.model.ensemble.members), "network")
    if origin.key.final == "refit":
        return "One network, trained on all pits that the search saw;"
    if origin.key.final == FOLDS:
        return (
            f"An ensemble of {members}, the folds of the trial that learned; a pit's score is the mean of theirs. "
            "It was not selected and not confirmed. Its threshold was fixed on scores of single networks: false positives "
            "of their mean may be fewer or more."
        )
    chosen = "" if origin.opening else " It was kept by the selection, which chose another."
    return f"An ensemble of {members}, one of every confirmation; a pit's score is the mean of theirs.{chosen}"


def _data(origin: ModelOrigin, bundle: Bundle, searched: Dataset) -> list[str]:
    about, ensemble, source = bundle.about, networks_of(bundle), bundle.source
    counts = Counter(pit.label for pit in searched.pits)
    labels = ", ".join(f"{number} {as_markdown(label) or 'without a label'}" for label, number in counts.most_common())
    lights = ", ".join(f"{as_markdown(light.name)} ({light.kind})" for light in ensemble.lights)
    pixels = f"{ensemble.size} x {ensemble.size} pixels" + (f" of {source.pixel_um:g} um" if source and source.pixel_um else "")
    named = f"{as_markdown(source.name)}, whose signal is called {as_markdown(source.signal)}; " if source else ""
    return [
        f"- Data set: {named}fingerprint {about['fingerprint'][:12]}",
        f"- Trained on {len(searched)} pits ({labels}); {len(about['held_out_pits'])} others were held out",
        f"- Classes: {', '.join(map(as_markdown, ensemble.config.labelling.classes))}; the first is the signal",
        f"- Input: crops of {pixels}, values up to {ensemble.full_scale}, channels {lights}",
    ]


def _held_out(origin: ModelOrigin) -> list[str]:
    if origin.opening is None:
        return ["- Held-out set: not opened for this model, so that acceptance and rejection on it are not known"]
    held_out = origin.opening.held_out
    pits = f"{held_out.signals} signal, {held_out.backgrounds} background"
    return [
        f"- Held-out set, {reading(origin.opening)} ({pits}): AUC {held_out.auc:.4f}",
        *(
            f"  - threshold at {point.working_point:.0%}: acceptance {point.acceptance}, rejection {point.rejection}"
            for point in held_out.points
        ),
    ]


def _plain(record: Any) -> dict[str, Any] | None:
    """Give a dataclass as plain values; None where there is none."""
    return None if record is None else asdict(record)
