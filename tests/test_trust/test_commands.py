"""No command runs, imports, connects or reads elsewhere because a stranger's file says so."""

import json
import os
import subprocess
import sys

import pytest

from mmcgan.cli import COMMANDS
from tests.test_trust.guard import ROOT
from tests.test_trust.run_commands import TAKES, TAKES_NONE


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    made = subprocess.run(
        [sys.executable, "-m", "tests.test_trust.run_commands", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "settings"), "OMP_NUM_THREADS": "1"},
    )
    line = next((line for line in made.stdout.splitlines() if line.startswith("REPORT ")), None)
    assert line, made.stderr[-3000:]
    return json.loads(line.removeprefix("REPORT "))


def test_every_command_says_what_files_it_takes():
    assert set(COMMANDS) == set(TAKES) | set(TAKES_NONE), "a new command: try it with hostile files"


def test_no_command_runs_what_a_file_says(report):
    assert [call["arguments"] for call in report["calls"] if call["ran"]] == []


def test_no_command_imports_connects_or_reads_elsewhere_for_a_file(report):
    found = {f"{c['command']} {c['arguments']}": c["violations"] for c in report["calls"] if c["violations"]}
    assert found == {}


def test_hostile_files_end_in_a_sentence(report):
    tracebacks = {
        f"{c['command']} {c['arguments']}": c["errors"] for c in report["calls"] if c["status"] is None
    }
    assert tracebacks == {}
