"""What the launcher of a distributed job leaves in the environment, made uniform."""

from __future__ import annotations

import os
import subprocess


def join_launcher(launcher: str) -> None:
    """Make sure that the environment says what torch.distributed needs to know.

    ``tools/dist_train.sh`` and ``tools/slurm_train.sh`` do so by themselves and need no
    ``--launcher``; ``mim`` passes one, and starts Slurm tasks without these variables.

    Raises:
        ValueError: ``launcher`` did not start this process.
    """
    if launcher == "pytorch" and "WORLD_SIZE" not in os.environ:
        raise ValueError("--launcher pytorch: start with tools/dist_train.sh CONFIG NPROC, or torchrun")
    if launcher != "slurm" or "RANK" in os.environ:
        return
    if "SLURM_PROCID" not in os.environ:
        raise ValueError("--launcher slurm: start with tools/slurm_train.sh, or srun")
    os.environ.update(
        RANK=os.environ["SLURM_PROCID"],
        WORLD_SIZE=os.environ["SLURM_NTASKS"],
        LOCAL_RANK=os.environ["SLURM_LOCALID"],
    )
    os.environ.setdefault("MASTER_PORT", "29500")
    if "MASTER_ADDR" not in os.environ:
        nodes = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
        listed = subprocess.run(nodes, check=True, capture_output=True, text=True).stdout
        os.environ["MASTER_ADDR"] = listed.split()[0]


def is_main_process() -> bool:
    """Return whether this process speaks for the job; also before and after its process group."""
    return os.environ.get("RANK", "0") == "0"
