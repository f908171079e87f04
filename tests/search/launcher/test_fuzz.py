"""Whatever stands in a cluster file, only our own errors come of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from search.errors import StudyError
from search.launcher.cluster_config import ClusterConfig, read_cluster
from tests.support.fuzzing import LENGTHS, bounded, edited_text

EXAMPLES = {"few": 100, "many": 1500}
TEXT = """\
[cluster]
system = "slurm"
memory = "8GB"
walltime = "02:00:00"
queue = "long"
account = "moedal"
prologue = ["module load python/3.11"]
directives = ["--gres=gpu:1"]
python = "/usr/bin/python3"
address = "127.0.0.1"
grace = 90
"""


@pytest.mark.parametrize("length", LENGTHS)
def test_cluster_files(length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_text(TEXT))
    def check(text: str) -> None:
        with TemporaryDirectory() as place:
            path = Path(place) / "cluster.toml"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                cluster = read_cluster(str(path))
            except StudyError as error:
                assert len(str(error).splitlines()) == 1
            else:
                assert isinstance(cluster, ClusterConfig)
                assert cluster.walltime_s > 0
                assert cluster.memory_mb > 0

    check()
