"""Detectors of the scheme `anomaly` by name: models of background alone, which score a pit by its distance from it.

To add one, add one entry to DETECTORS and its class in `models/networks/detectors.py`. All but the autoencoder measure
distances between features, what a network computes before its head. That network sees no signal either: it is trained to tell
which label of background a pit has, and by which quarter turn its image was turned (`models/training/anomaly.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorKind:
    """One detector."""

    meaning: str
    # Whether the network is trained to give the image back, and the distance is the error of that.
    reconstructs: bool = False


DETECTORS: dict[str, DetectorKind] = {
    "mahalanobis": DetectorKind(
        "distance from the nearest background label's mean feature, in deviations by a shrunk covariance "
        "(Lee et al. 2018, arXiv:1807.03888; Ledoit & Wolf 2004)"
    ),
    "neighbours": DetectorKind(
        "mean distance from the five nearest background pits, features in deviations (Sun et al. 2022, arXiv:2204.06507)"
    ),
    "forest": DetectorKind("how few random cuts isolate a pit's features (Liu, Ting & Zhou 2008, isolation forest)"),
    "autoencoder": DetectorKind(
        "what is lost where an image passes through the network's features and back (Hinton & Salakhutdinov 2006)",
        reconstructs=True,
    ),
}
