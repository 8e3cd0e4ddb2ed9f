#!/usr/bin/env bash
# Train on a Slurm cluster, one process per task.
#   [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=4] [SRUN_ARGS="--time=24:00:00"] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
# Slurm sends SIGTERM before the time limit (add --signal=TERM@120 for two minutes of notice):
# the run then saves and ends, and --resume continues it.
set -euo pipefail

if [ "$#" -lt 3 ]; then
  echo "usage: $0 PARTITION JOB_NAME CONFIG [arguments of tools/train.py]" >&2
  exit 2
fi
partition=$1
job_name=$2
config=$3
shift 3
gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
export MASTER_PORT=${PORT:-29500}
export PYTHON=${PYTHON:-python}

# shellcheck disable=SC2086,SC2016 # SRUN_ARGS is a list; the quoted part is expanded in each task
exec srun --partition="$partition" --job-name="$job_name" --ntasks="$gpus" \
  --ntasks-per-node="$gpus_per_node" --gres=gpu:"$gpus_per_node" --cpus-per-task="${CPUS_PER_TASK:-4}" \
  --kill-on-bad-exit=1 ${SRUN_ARGS:-} bash -c '
    export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID
    MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
    export MASTER_ADDR
    exec "$PYTHON" "$@"' _ "$(dirname "$0")/train.py" "$config" "$@"
