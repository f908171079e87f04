"""A process prepared for training computes on one thread and keeps its memory."""

from __future__ import annotations

import ctypes
import platform

import pytest
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


class Mallinfo(ctypes.Structure):
    """What mallinfo(3) gives; the fourth number counts blocks that are mappings, which are given back when they are freed."""

    _fields_ = (("numbers", ctypes.c_int * 10),)
    numbers: ctypes.Array[ctypes.c_int]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library gives memory back as it likes")
def test_no_activation_is_too_large_to_be_kept() -> None:
    keep_memory()
    mallinfo = ctypes.CDLL(None).mallinfo
    mallinfo.restype = Mallinfo
    before = mallinfo().numbers[3]
    activation = torch.empty(48 << 20, dtype=torch.uint8)
    assert mallinfo().numbers[3] == before
    del activation
