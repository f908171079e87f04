"""Prepare a process for training: one thread, whole float32, and freed memory kept for the next step.

Knows nothing of what is trained.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

# Parameters of mallopt(3), as glibc numbers them, and what they are set to. By default glibc asks the kernel for every
# activation and returns it at once; the benchmarks show what those page faults cost. M_MMAP_THRESHOLD takes 32 MiB at most.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT = {M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: 512 << 20, M_TOP_PAD: 16 << 20}


def keep_memory() -> bool:
    """Let the C library keep freed memory for the next step; say whether it can. Without glibc nothing changes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in KEPT.items())


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, so that a training gives the same numbers again, and restore the caller's count.

    On a GPU convolutions keep all of float32's digits; by default cuDNN rounds to 10 bits (TF32), by its choice of kernel, and
    folds trained fused would then differ from folds trained apart.
    """
    threads, precision = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    keep_memory()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = precision


@lru_cache(maxsize=1)
def bfloat16_works() -> bool:
    """Tell whether this machine multiplies matrices in bfloat16, by trying it in a child process.

    Some processors announce instructions for it that they lack; the system kills a process that uses them.
    """
    product = "import torch; a = torch.ones(64, 64, dtype=torch.bfloat16); a @ a; torch.bmm(a[None], a[None])"
    return subprocess.run([sys.executable, "-c", product], check=False, capture_output=True).returncode == 0
