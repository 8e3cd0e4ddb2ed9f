#!/usr/bin/env bash
# Evaluate with several processes on this machine.
#   tools/dist_test.sh CONFIG CHECKPOINT NPROC [arguments of tools/test.py]
set -euo pipefail

if [ "$#" -lt 3 ]; then
  echo "usage: $0 CONFIG CHECKPOINT NPROC [arguments of tools/test.py]" >&2
  exit 2
fi
config=$1
checkpoint=$2
processes=$3
shift 3
exec "$(dirname "$0")/dist_run.sh" "$processes" "$(dirname "$0")/test.py" "$config" "$checkpoint" "$@"
