"""Clusters of every system, with something under every key that scripts are made from."""

from __future__ import annotations

from search.launcher.cluster_config import ClusterConfig

DIRECTIVES = {
    "slurm": "--gres=gpu:1",
    "htcondor": "request_gpus = 1",
    "sge": "-l gpu=1",
    "pbs": "-l select=1:ncpus=1:ngpus=1:mem=8gb",
}


def full_cluster(system: str) -> ClusterConfig:
    """Give a cluster with something under every key that scripts are made from."""
    condor = system == "htcondor"
    return ClusterConfig(
        system,
        memory="8GB",
        walltime="02:00:00",
        queue=None if condor else "long",
        account="moedal",
        prologue=("module load python/3.11", 'export SCRATCH="$HOME/it\'s here"'),
        directives=(DIRECTIVES[system],),
        grace=90,
    )
