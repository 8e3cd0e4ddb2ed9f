#!/usr/bin/env bash
# Start SCRIPT in NPROC processes with torchrun; what dist_train.sh and dist_test.sh share.
#   tools/dist_run.sh NPROC SCRIPT [arguments]
set -euo pipefail

processes=$1
script=$2
shift 2
python=${PYTHON:-python}

# CPU threads are shared out between the processes unless the user decides.
if [ -z "${OMP_NUM_THREADS:-}" ]; then
  threads=$(($(nproc) / processes))
  export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))
fi

if [ "${NNODES:-1}" -gt 1 ]; then
  rendezvous=(--nnodes "$NNODES" --node_rank "${NODE_RANK:?set NODE_RANK}"
    --master_addr "${MASTER_ADDR:?set MASTER_ADDR}" --master_port "${PORT:-29500}")
else
  rendezvous=(--standalone --nnodes 1) # a free port, so that jobs do not collide
fi
exec "$python" -m torch.distributed.run "${rendezvous[@]}" --nproc_per_node "$processes" -- "$script" "$@"
