"""Check the devices that trials compute on: the CPU, or GPUs."""

from __future__ import annotations

import re

from search import defaults
from search.errors import StudyError


def check_device(device: str) -> None:
    """Raise StudyError where there is no such device to compute on."""
    match = re.fullmatch(r"cpu|cuda(?::(\d+))?", device)
    if match is None:
        raise StudyError(f"a device must be cpu, cuda or cuda:NUMBER, but got {device!r}; choose one of these.")
    if device == defaults.DEVICE:
        return
    import torch  # takes seconds to import

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(match[1] or 0) >= count:
        raise StudyError(f"a device must exist, but got {device!r} with {count} GPUs that torch sees; choose other --devices.")
