"""The lights of QMUL's scans and the labels of our pits: data that carry every choice of a space."""

from __future__ import annotations

from foils.description import Channel

# QMUL's scans: eight rotating lights, then backlit and halo.
QMUL_AZIMUTHS = (67.5, 112.5, 157.5, 202.5, 247.5, 292.5, 337.5, 22.5)
QMUL = (
    *(Channel(str(number), "rotating", azimuth) for number, azimuth in enumerate(QMUL_AZIMUTHS, start=1)),
    Channel("9", "backlit"),
    Channel("10", "halo"),
)
# What every scheme of ours asks for, and the label of pits that nobody is sure of.
LABELS = ("candidate", "top", "bottom", "misc", "maybe")
