"""Clusters: by name, by file and by address, and the ones that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyError
from search.launcher.cluster_config import SYSTEMS, ClusterConfig, read_cluster

WHOLE = """\
[cluster]
system = "slurm"
memory = "8GB"
walltime = "48:00:00"
queue = "gpu"
account = "moedal"
prologue = ["module load python"]
directives = ["--gres=gpu:1"]
python = "/opt/python"
interface = "ib0"
grace = 120
"""


def test_a_cluster_is_a_name_a_file_or_an_address(tmp_path: Path) -> None:
    assert [read_cluster(system) for system in SYSTEMS] == [ClusterConfig(system) for system in SYSTEMS]
    (tmp_path / "whole.toml").write_text(WHOLE)
    read = read_cluster(str(tmp_path / "whole.toml"))
    assert read == ClusterConfig(
        "slurm",
        memory="8GB",
        walltime="48:00:00",
        queue="gpu",
        account="moedal",
        prologue=("module load python",),
        directives=("--gres=gpu:1",),
        python="/opt/python",
        interface="ib0",
        grace=120,
    )
    assert isinstance(read, ClusterConfig)
    assert (read.memory_mb, read.walltime_s, read.warned_s) == (8000, 172800, 172680)
    for address in (
        "tcp://127.0.0.1:8786",
        "tcp://localhost:8786",
        "tcp://[::1]:8786",
        "tls://login01:8786",
        "tls://10.0.0.1:1",
    ):
        assert read_cluster(address) == address


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "must hold one table [cluster], but got none"),
        ("[clusters]\nsystem = 'slurm'", "must hold one table [cluster], but got clusters"),
        ("[cluster]\n[other]", "must hold one table [cluster], but got cluster, other"),
        ("[cluster", "must be readable TOML, but: "),
        ("[cluster]\nmemory = '1GB'", "`system` must be set, to one of slurm, htcondor, sge, pbs"),
        ("[cluster]\nsystem = 'lsf'", "`system` must be one of slurm, htcondor, sge, pbs, but got 'lsf'"),
        ("[cluster]\nsystem = ['slurm']", "`system` must be one of slurm, htcondor, sge, pbs, but got ('slurm',)"),
        ("[cluster]\nsystem = 'slurm'\nmem = '1GB'", "but got `mem`; perhaps memory was meant, or remove it."),
        ("[cluster]\nsystem = 'slurm'\nmemory = 4", "`memory` must be whole MB or GB, as 4GB, but got 4;"),
        ("[cluster]\nsystem = 'slurm'\nmemory = '4 GiB'", "`memory` must be whole MB or GB, as 4GB, but got '4 GiB';"),
        (
            "[cluster]\nsystem = 'slurm'\nwalltime = 3600",
            "`walltime` must be hours, minutes and seconds, as 01:00:00, but got 3600",
        ),
        ("[cluster]\nsystem = 'slurm'\nwalltime = '1:00'", "`walltime` must be hours, minutes and seconds"),
        (
            "[cluster]\nsystem = 'slurm'\nwalltime = '00:00:30'",
            "`grace` must be whole seconds, 1 or more and fewer than `walltime`",
        ),
        (
            "[cluster]\nsystem = 'slurm'\ngrace = true",
            "`grace` must be whole seconds, 1 or more and fewer than `walltime`, but got True",
        ),
        ("[cluster]\nsystem = 'slurm'\nqueue = \"a\\n#SBATCH b\"", "`queue` must be one word, but got 'a\\n#SBATCH b'"),
        (
            "[cluster]\nsystem = 'slurm'\nprologue = 'module load'",
            "`prologue` must list lines that are no comments, but got 'module load'",
        ),
        (
            "[cluster]\nsystem = 'slurm'\ndirectives = ['#SBATCH -x']",
            "`directives` must list lines that are no comments, but got ('#",
        ),
        ("[cluster]\nsystem = 'slurm'\ndirectives = [1]", "`directives` must list lines that are no comments, but got (1,)"),
        ("[cluster]\nsystem = 'slurm'\nprologue = [\"a\\nb\"]", "`prologue` must list lines that are no comments"),
        (
            "[cluster]\nsystem = 'slurm'\naddress = 'a'\ninterface = 'b'",
            "`address` must not be set beside `interface`, but got 'a' and 'b'",
        ),
        ("[cluster]\nsystem = 'htcondor'\nqueue = 'long'", "`htcondor` takes no `queue`"),
        (
            "[cluster]\nsystem = 'htcondor'\ndirectives = ['-l x']",
            "`directives` written name = value, but got None and ('-l x',)",
        ),
    ],
)
def test_a_cluster_file_is_refused_with_the_rule_and_the_file(lines: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(lines)
    with pytest.raises(StudyError) as refused:
        read_cluster(str(file))
    assert str(refused.value).startswith(f"{file}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "lsf",
            "a cluster must be slurm, htcondor, sge, pbs, a file ending in .toml, or a Dask scheduler's address, but got 'lsf'",
        ),
        ("none.toml", "none.toml: a cluster file must be readable TOML, but: "),
        (
            "tcp://10.0.0.1:8786",
            "must be reached by tls://, for Dask runs whatever code it is sent, but got tcp://10.0.0.1:8786",
        ),
        ("tcp://localhost.evil.org:8786", "must be reached by tls://"),
        ("tcp://127.0.0.1@10.0.0.1:8786", "must be reached by tls://"),
        ("tcp://0.0.0.0:8786", "must be reached by tls://"),
        ("tls://login01", "must be tcp://HOST:PORT or tls://HOST:PORT, but got tls://login01"),
        ("tls://login01:x", "must be tcp://HOST:PORT or tls://HOST:PORT"),
        ("inproc://127.0.0.1:1", "must be tcp://HOST:PORT or tls://HOST:PORT"),
    ],
)
def test_what_is_no_cluster_or_cannot_be_defended_is_refused(text: str, said: str) -> None:
    with pytest.raises(StudyError) as refused:
        read_cluster(text)
    assert said in str(refused.value)
