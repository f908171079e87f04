"""Small libraries that are loaded before a process's own, and make its disk slow or its clock wrong. Needs a C compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

SLOW = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void wait_a_while(void) { struct timespec t = {0, %d * 1000000L}; nanosleep(&t, 0); }
int fsync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fsync"); wait_a_while(); return real(fd); }
int fdatasync(int fd) { int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync"); wait_a_while(); return real(fd); }
"""
# What people set is the clock of the day; the time since the machine started goes on as it does.
WRONG = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int found = real(id, t);
    if (id == CLOCK_REALTIME) t->tv_sec += %d;
    return found;
}
int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return t ? (*t = now.tv_sec) : now.tv_sec;
}
"""


def slow_disk(folder: Path, milliseconds: int) -> dict[str, str]:
    """Give the environment of a process whose disk takes so long for each fsync."""
    return _loaded(folder / "slow", SLOW % milliseconds)


def wrong_clock(folder: Path, seconds: int) -> dict[str, str]:
    """Give the environment of a process that lives so far ahead."""
    return _loaded(folder / "wrong", WRONG % seconds)


def _loaded(place: Path, source: str) -> dict[str, str]:
    code, library = place.with_suffix(".c"), place.with_suffix(".so")
    code.write_text(source, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, code, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
