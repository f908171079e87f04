"""A slow disk: a small library that lets every fsync take its time. Needs a C compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait_a_while(void) { struct timespec t = {0, %d * 1000000L}; nanosleep(&t, 0); }
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); wait_a_while(); return real(fd); }
int fdatasync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); wait_a_while(); return real(fd); }
"""


def slow_disk(folder: Path, milliseconds: int) -> dict[str, str]:
    """Give the environment of a process whose disk takes so long for each fsync."""
    source, library = folder / "slow.c", folder / "slow.so"
    source.write_text(SOURCE % milliseconds, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
