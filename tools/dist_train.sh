#!/usr/bin/env bash
# Train with several processes on this machine: nccl on GPUs, gloo on CPUs.
#   tools/dist_train.sh CONFIG NPROC [arguments of tools/train.py]
# On several machines run it on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
# The status is not 0 as soon as one process fails; torchrun then ends the others.
set -euo pipefail

if [ "$#" -lt 2 ]; then
  echo "usage: $0 CONFIG NPROC [arguments of tools/train.py]" >&2
  exit 2
fi
config=$1
processes=$2
shift 2
exec "$(dirname "$0")/dist_run.sh" "$processes" "$(dirname "$0")/train.py" "$config" "$@"
