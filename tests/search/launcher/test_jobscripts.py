"""Job scripts: what each system is asked for, and that a worker is told by SIGTERM whatever the system sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.errors import StudyError
from search.launcher.cluster_config import SYSTEMS, ClusterConfig
from search.launcher.jobscripts import job_script
from tests.support.cluster_configs import full_cluster
from tests.support.golden import assert_golden
from tests.support.systems import RECORDER, condor_command, signals

COMMAND = ["pitsearch", "worker", "--study", "foil 24", "--storage", "postgresql+psycopg://moedal@db:5432/studies"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_scripts_are_as_a_person_has_read_them(system: str) -> None:
    assert_golden(f"jobscript_{system}", job_script(full_cluster(system), COMMAND, 20))


@pytest.mark.parametrize("system", SYSTEMS)
def test_words_reach_the_command_as_they_are(system: str, tmp_path: Path) -> None:
    words = ["it's", 'a "word"', "$HOME", "$(date)", "a;b", "", "*", "%d"]
    cluster = ClusterConfig(system, prologue=('export KEPT="$HOME"',))
    program = "import os, sys; print(sys.argv[1:], os.environ['KEPT'], os.environ['OMP_NUM_THREADS'])"
    text = job_script(cluster, [sys.executable, "-c", program, *words], 2)
    (tmp_path / "script").write_text(text)
    command = condor_command(text) if system == "htcondor" else ["bash", str(tmp_path / "script")]
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/me", "PBS_O_WORKDIR": str(tmp_path)}
    if system == "htcondor":
        assert 'environment = "OMP_NUM_THREADS=1 ' in text
        environment["OMP_NUM_THREADS"] = "1"
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{words} /home/me 1"


@pytest.mark.parametrize(
    ("system", "sent"),
    [
        ("slurm", signal.SIGTERM),
        ("htcondor", signal.SIGTERM),
        ("pbs", signal.SIGTERM),
        ("sge", signal.SIGTERM),
        ("sge", signal.SIGUSR1),
        ("sge", signal.SIGUSR2),
    ],
)
def test_a_worker_is_told_by_sigterm_whatever_its_system_sends(system: str, sent: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text(RECORDER)
    text = job_script(
        ClusterConfig(system), [sys.executable, str(tmp_path / "recorder.py"), str(tmp_path / "signals"), "0.5"], 2
    )
    (tmp_path / "script").write_text(text)
    command = condor_command(text) if system == "htcondor" else ["bash", str(tmp_path / "script")]
    job = subprocess.Popen(command, env={**os.environ, "PBS_O_WORKDIR": str(tmp_path)}, start_new_session=True)
    try:
        wait_for(tmp_path / "signals", "start")
        # PBS and SGE signal all that belongs to a job, the others its first process.
        (os.killpg if system in ("pbs", "sge") else os.kill)(job.pid, sent)
        assert job.wait(60) == 0
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
    seen = signals(tmp_path / "signals")
    assert {"start", "SIGTERM", "saved"} == set(seen) - {"SIGCONT"}
    assert seen["saved"] - seen["SIGTERM"] > 0.4


def test_pbs_warns_by_itself_when_time_is_nearly_up(tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text(RECORDER)
    cluster = ClusterConfig("pbs", walltime="00:00:12", grace=10)
    text = job_script(cluster, [sys.executable, str(tmp_path / "recorder.py"), str(tmp_path / "signals"), "0.5"], 2)
    (tmp_path / "script").write_text(text)
    began = time.monotonic()
    subprocess.run(["bash", str(tmp_path / "script")], env={**os.environ, "PBS_O_WORKDIR": str(tmp_path)}, check=True)
    assert time.monotonic() - began > 2
    assert "saved" in signals(tmp_path / "signals")  # it would work on for ever


def wait_for(file: Path, what: str) -> None:
    end = time.monotonic() + 60
    while what not in signals(file):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "word", ["postgresql://me:s3cret@db/studies", "--storage=mysql://me:s3cret@db/x", "mysql://db/x?passwd=s3cret"]
)
def test_a_command_with_a_password_is_refused_without_quoting_it(system: str, word: str) -> None:
    with pytest.raises(StudyError, match="must hold no password") as refused:
        job_script(ClusterConfig(system), ["pitsearch", "worker", word], 2)
    assert "s3cret" not in str(refused.value)


def test_there_is_at_least_one_job() -> None:
    with pytest.raises(StudyError, match="`jobs >= 1` must hold, but got 0"):
        job_script(ClusterConfig("slurm"), COMMAND, 0)
    # PBS takes no array of one, and a job's parts once only.
    assert job_script(ClusterConfig("pbs"), COMMAND, 2).count("-l select=1:ncpus=1:mem=4000mb") == 1
    assert "-J" not in job_script(ClusterConfig("pbs"), COMMAND, 1)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("word", ["a\nqueue 100", "a\r#SBATCH --x", "a\x00b"])
def test_a_word_of_more_than_one_line_is_refused(system: str, word: str) -> None:
    with pytest.raises(StudyError, match="a job's command must be one line of plain text, but got "):
        job_script(ClusterConfig(system), [*COMMAND, word], 2)
