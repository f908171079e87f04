#!/bin/bash
# Search on a SLURM cluster: prepare the study here, then let an array of jobs join it.
#
#     STORAGE=postgresql+psycopg://me@db/studies JOBS=20 bash search_on_slurm.sh mydata --study mine --trials 200
#
# What follows the script's name goes to `pitsearch launch`; `--study` must be there. Run it again with a larger `--trials`, and
# the study goes on. Folder of data, `runs` and Python must be on a disk that the nodes share. A job that runs out of time, or is
# preempted, hands its trial to another one. docs/clusters.md says how the database gets its password.
set -euo pipefail

: "${STORAGE:?must be the address of a database that the nodes reach, such as postgresql+psycopg://me@db/studies}"
: "${JOBS:=10}"
study=
words=("$@")
for index in "${!words[@]}"; do
    if [ "${words[index]}" = --study ]; then study=${words[index + 1]}; fi
done
: "${study:?give the study a name, --study mine}"

# Checks the data, locks the held-out set away, and trains nothing.
pitsearch launch "$@" --storage "$STORAGE" --workers 0
pitsearch jobscript --cluster "$(dirname "$0")/slurm.toml" --jobs "$JOBS" --study "$study" --storage "$STORAGE" | sbatch

echo "watch it:   pitsearch status --watch --study $study --storage $STORAGE"
echo "afterwards: pitsearch select --study $study --storage $STORAGE"
