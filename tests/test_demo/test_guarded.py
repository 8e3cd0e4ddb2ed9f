"""Whatever is asked and uploaded, the page opens files of its folder, its models and the code only."""

import os
import subprocess
import sys

import pytest


@pytest.mark.broad  # some ten seconds and more on an old processor
def test_no_request_reads_or_writes_anything_else(tmp_path):
    command = [sys.executable, "-m", "tests.test_demo.guarded", str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    # with it, which the process of a whole suite has, torch opens the driver's library anew each time it is
    # asked for GPUs: 20 openings of libnvidia-ml, measured, and nothing else
    environment.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["open /etc/hostname"]
