"""Whatever is asked and uploaded, the page opens files of its folder, its models and the code only."""

import os
import subprocess
import sys


def test_no_request_reads_or_writes_anything_else(tmp_path):
    command = [sys.executable, "-m", "tests.test_demo.guarded", str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["open /etc/hostname"]
