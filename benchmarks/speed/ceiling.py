"""The ceiling: what the machine can do at most in fp32, and how many operations a network asks for.

Knows nothing of the trainer.
"""

from __future__ import annotations

import time

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.support import naive
from benchmarks.support.measure import Work, timed

# Large enough that the product is bound by arithmetic and the copy by memory; half a second each.
EDGE, FLOATS, SECONDS = 1024, 1 << 25, 0.5


def matrix_products() -> Work:
    """Multiply matrices on one thread; the amount is in floating-point operations."""
    torch.set_num_threads(1)
    left, right = torch.randn(EDGE, EDGE), torch.randn(EDGE, EDGE)
    left @ right

    def run() -> float:
        until, products = time.perf_counter() + SECONDS, 0
        while time.perf_counter() < until:
            left @ right
            products += 1
        return products * 2.0 * EDGE**3

    return timed(run)


def copies() -> Work:
    """Copy memory on one thread; the amount is in bytes read and written."""
    torch.set_num_threads(1)
    source, target = torch.zeros(FLOATS), torch.empty(FLOATS)
    target.copy_(source)

    def run() -> float:
        until, passes = time.perf_counter() + SECONDS, 0
        while time.perf_counter() < until:
            target.copy_(source)
            passes += 1
        return passes * 2.0 * source.nbytes

    return timed(run)


def operations(network: str, channels: int, size: int, validated: float = 0.25) -> float:
    """Count the floating-point operations of an epoch for each image that is trained on, in the network's plain form.

    Forward and backward of one image, and `validated` images forward for each trained one.
    """
    built = naive.NETWORKS[network](channels, 2)
    images = torch.zeros(8, channels, size, size)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        built(images)
    with FlopCounterMode(display=False) as both:
        functional.cross_entropy(built(images), torch.zeros(8, dtype=torch.int64)).backward()
    return float(both.get_total_flops() + validated * forward.get_total_flops()) / 8
