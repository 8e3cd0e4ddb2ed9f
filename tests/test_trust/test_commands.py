"""No command runs, imports, connects or reads elsewhere because a stranger's file says so."""

import json
import os
import subprocess
import sys

import pytest

from mmcgan.cli import COMMANDS
from tests.test_trust.guard import ROOT
from tests.test_trust.reports import report_of
from tests.test_trust.run_commands import TAKES, TAKES_NONE


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return report_of("run_commands", tmp_path_factory.mktemp("hostile"))


def test_every_command_says_what_files_it_takes():
    assert set(COMMANDS) == set(TAKES) | set(TAKES_NONE), "a new command: try it with hostile files"


@pytest.mark.broad  # all commands, each in turn: half a minute
def test_no_command_runs_what_a_file_says(report):
    assert [call["arguments"] for call in report["calls"] if call["ran"]] == []


@pytest.mark.broad  # all commands, each in turn: half a minute
def test_no_command_imports_connects_or_reads_elsewhere_for_a_file(report):
    found = {f"{c['command']} {c['arguments']}": c["violations"] for c in report["calls"] if c["violations"]}
    assert found == {}


@pytest.mark.broad  # all commands, each in turn: half a minute
def test_hostile_files_end_in_a_sentence(report):
    failed = [call for call in report["calls"] if call["status"] is None]
    assert {f"{call['command']} {call['arguments']}": call["errors"] for call in failed} == {}


@pytest.mark.broad
def test_records_made_at_random_run_nothing_and_end_in_a_sentence(tmp_path):
    made = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.fuzz_records", "--examples", "60", "--seed", "7"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    counts = json.loads(made.stdout.partition("REPORT ")[2])["counts"]
    assert sum(counts.values()) >= 60
    # both sides of the fence are visited, or nothing has been tried
    assert any("built" in name for name in counts)
    assert any("refused" in name for name in counts)
