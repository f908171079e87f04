"""A process prepared for training computes on one thread and keeps its memory."""

from __future__ import annotations

import platform

import torch

from models.process import keep_memory, one_thread


def test_the_callers_threads_come_back() -> None:
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_convolutions_keep_every_digit_on_a_gpu_meanwhile() -> None:
    before = torch.backends.cudnn.allow_tf32
    with one_thread():
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_memory_is_kept_where_the_c_library_can() -> None:
    assert keep_memory() == (platform.libc_ver()[0] == "glibc")
