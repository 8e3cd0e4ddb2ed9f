"""Runs the programs of this folder, each a process of its own, and reads what they report."""

import json
import os
import subprocess
import sys

from tests.test_trust.guard import ROOT


def report_of(program, folder):
    """Run ``tests.test_trust.<program>`` with settings and cache in ``folder``; return its report."""
    made = subprocess.run(
        [sys.executable, "-m", f"tests.test_trust.{program}", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "XDG_CONFIG_HOME": str(folder / "settings"),
            "MMCGAN_CACHE": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
        },
    )
    line = next((line for line in made.stdout.splitlines() if line.startswith("REPORT ")), None)
    assert line, made.stderr[-3000:]
    return json.loads(line.removeprefix("REPORT "))
