"""A batch system of a few lines, for tests that need any system rather than a real one: a job is a process.

And what jobs are to run: small programs and tasks that tell what happened to them.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SUBMIT, CANCEL = ("sbatch", "qsub", "condor_submit"), ("scancel", "qdel", "condor_rm")

# Submits what it is given, and keeps it as N.job; refuses while there is a file `refuse`.
PROGRAM = """\
#!{python}
import os, pathlib, signal, subprocess, sys
sys.path.insert(0, {root!r})
from tests.support.systems import condor_command
name, folder = pathlib.Path(sys.argv[0]).name, pathlib.Path({folder!r})
if name in {cancel}:
    try:
        os.kill(int(sys.argv[-1].split(".")[0]), signal.SIGTERM)
    except ProcessLookupError:
        sys.exit(1)
elif (folder / "refuse").exists():
    sys.exit(f"{{name}}: error: too many jobs\\n{{name}}: error: try later")
else:
    kept = folder / f"{{os.getpid()}}.job"
    kept.write_text(pathlib.Path(sys.argv[-1]).read_text())
    command = condor_command(kept.read_text()) if name == "condor_submit" else ["bash", str(kept)]
    with kept.with_suffix(".out").open("w") as out:
        job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=folder)
    print(f"1 job(s) submitted to cluster {{job.pid}}." if name == "condor_submit" else f"Submitted job {{job.pid}}")
"""

# Writes down each signal that it gets, and lives on for SAVE seconds after SIGTERM.
RECORDER = """\
import os, signal, sys, time
told = []
def note(text):
    with open(sys.argv[1] + os.environ.get("SLURM_ARRAY_TASK_ID", ""), "a") as file:
        print(text, time.time(), file=file)
def handle(number, frame):
    note(signal.Signals(number).name)
    if number == signal.SIGTERM and not told:
        told.append(time.monotonic())
for number in (signal.SIGTERM, signal.SIGCONT, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
    signal.signal(number, handle)
note("start")
while not told or time.monotonic() < told[0] + float(sys.argv[2]):
    time.sleep(0.05)
note("saved")
"""


def install(folder: Path) -> Path:
    """Write the programs of every system into a folder of its own, below this one; give that folder, to be put on the PATH."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    text = PROGRAM.format(python=sys.executable, root=str(ROOT), folder=str(folder), cancel=CANCEL)
    for name in (*SUBMIT, *CANCEL):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    return programs


def condor_command(description: str) -> list[str]:
    """Give what a submit description runs, as HTCondor reads its arguments."""
    executable, arguments = (
        re.search(rf"^{key} *= *(.*)$", description, re.MULTILINE | re.IGNORECASE) for key in ("executable", "arguments")
    )
    assert executable and arguments
    text = arguments[1].strip()
    assert text.startswith('"') and text.endswith('"')
    text = text[1:-1].replace('""', '"')
    assert not re.search(r"\$\((?!DOLLAR\))", text), "a macro of HTCondor's"
    words = re.findall(r"'(?:[^']|'')*'|[^ ']+", text.replace("$(DOLLAR)", "$"))
    return [executable[1].strip(), *(word[1:-1].replace("''", "'") if word.startswith("'") else word for word in words)]


def signals(file: Path) -> dict[str, float]:
    """Read what the recorder wrote: what happened, and when at first."""
    seen: dict[str, float] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        what, when = line.split()
        seen.setdefault(what, float(when))
    return seen


def loop(folder: str, number: int, save_s: float = 2.0) -> str:
    """Run as a task until a file `done` is there, or until told to stop; then take a while to save. Tell of it in files."""
    from search.launcher.dask_plugin import is_task_ending

    def note(what: str) -> None:
        (Path(folder) / f"{number}.{what}.{os.getpid()}").touch()

    note("start")
    while not (Path(folder) / "done").exists():
        if is_task_ending():
            note("told")
            time.sleep(save_s)
            note("saved")
            return "stopped"
        time.sleep(0.05)
    return "done"
