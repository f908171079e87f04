"""The YAML that a model card begins with, as Hugging Face's hub and other catalogues of models read it.

Made from a bundle's `model.json` alone. Knows nothing of folders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from models.inference.bundle_schema import MODEL, read_form

# The file of a bundle that holds the model card.
CARD = "README.md"
TASK = "image-classification"
TAGS = [TASK, "etch-pits", "nuclear-track-detector", "microscopy"]
EMPTY: Mapping[str, Any] = {}


def front_matter(description: bytes, licence: str | None, graph: bool) -> str:
    """Give the block between two lines of dashes. `description`: the content of `model.json`; `graph`: whether there is one."""
    form, about = read_form(description, MODEL)
    values: dict[str, Any] = {
        "library_name": "pitsearch",
        **({} if licence is None else {"license": licence}),
        "tags": [*TAGS, *(["onnx"] if graph else [])],
        "pipeline_tag": TASK,
        "metrics": ["recall", "specificity", "roc_auc"],
        "model-index": [
            {
                "name": f"{about['study']}, trial {about['trial']}",
                "results": [
                    {
                        "task": {"type": TASK},
                        "dataset": {"type": "pitsearch", "name": form.source.name if form.source else "not known"},
                        "metrics": _metrics(about["metrics"], form.working_point),
                    }
                ],
            }
        ],
    }
    return f"---\n{yaml.safe_dump(values, sort_keys=False, allow_unicode=True)}---\n\n"


def _metrics(metrics: Mapping[str, Any], working_point: float) -> list[dict[str, Any]]:
    """List what the held-out set showed, with 90 % intervals; where it was not opened, what was seen on other pits."""
    held_out = metrics["held_out"]
    if held_out is None:
        confirmed = metrics["confirmed_acceptance"]
        name = "on fresh splits" if confirmed else "in the search, which chose by it"
        return [
            _share(
                "recall",
                f"acceptance at {working_point:.0%} false positives, {name}",
                confirmed or metrics["search_acceptance"],
            )
        ]
    pits = {"signal_pits": held_out["signals"], "background_pits": held_out["backgrounds"]}
    listed = [{"type": "roc_auc", "name": "area under the curve, held out", "value": held_out["auc"], "args": pits}]
    for point in held_out["points"]:
        args = {"threshold": point["threshold"], **pits}
        for kind, name in (("recall", "acceptance"), ("specificity", "rejection")):
            listed.append(_share(kind, f"{name} at {point['working_point']:.0%} false positives, held out", point[name], args))
    return listed


def _share(kind: str, name: str, share: Mapping[str, Any], args: Mapping[str, Any] = EMPTY) -> dict[str, Any]:
    return {"type": kind, "name": name, "value": share["value"], "args": {"interval_90": [share["low"], share["high"]], **args}}
