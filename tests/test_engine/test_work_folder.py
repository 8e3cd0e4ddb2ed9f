"""One run at a time in a folder, known by its holder, for as long as that lives."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmcgan import locks
from mmcgan.engine.work_folder import FILE, held_folder, lock_folder
from mmcgan.locks import InUseError
from tests.test_trust.guard import ROOT

from .tiny_run import train

HOLD = """
import sys, time
from mmcgan.engine.work_folder import lock_folder
lock_folder(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout.readline().strip() == "held"
    yield process
    process.kill()
    process.wait()


def test_a_folder_that_another_process_holds_is_refused_and_the_process_named(tmp_path, holder):
    message = rf"in use by process {holder.pid} on .*choose another"
    with pytest.raises(InUseError, match=message) as caught:
        train(tmp_path)
    assert isinstance(caught.value, OSError)  # a sentence on the command line
    assert not list(tmp_path.glob("*.pth"))


def test_the_lock_dies_with_its_process_however_that_ends(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock_folder(tmp_path).release()


def test_a_forked_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path):
    program = HOLD.replace("time.sleep(600)", "import os\nif os.fork() == 0: time.sleep(600)\nos._exit(0)")
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        process.wait(60)
        deadline = time.monotonic() + 20  # the child closes the file right after its fork
        while True:
            try:
                lock_folder(tmp_path).release()
                break
            except InUseError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def test_a_process_shares_a_folder_with_itself_and_lets_go_at_the_end(tmp_path):
    with held_folder(tmp_path):
        train(tmp_path / "run", train_cfg=dict(max_iters=1))
        assert json.loads((tmp_path / FILE).read_text())["process"] == os.getpid()
    assert not locks._held
    train(tmp_path / "run", train_cfg=dict(max_iters=2), resume=True)


def test_a_file_system_that_cannot_lock_says_so(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="cannot be locked.*No locks available"):
        lock_folder(tmp_path).release()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("36 25 0:32 / /data rw - fuse.sshfs host:/ rw", "fuse.sshfs"),
        ("36 25 0:32 / /data rw - nfs4 host:/ rw,vers=4.2,local_lock=none", ""),
        ("36 25 0:32 / /data rw - nfs host:/ rw,local_lock=flock", "nfs"),
        ("36 25 0:32 / /data rw shared:1 - lustre a@tcp:/fs rw,localflock", "lustre"),
        ("36 25 0:32 / /data\\040and rw - cifs //host/x rw", ""),
        ("36 25 0:32 / /dat rw - cifs //host/x rw", ""),
        ("36 25 0:32 / / rw - overlay overlay rw", ""),
    ],
)
def test_a_file_system_whose_locks_may_hold_on_one_machine_only_is_known(line, kind, tmp_path):
    (tmp_path / "mounts").write_text(f"25 1 0:1 / / rw - ext4 /dev/a rw\n{line}\n")
    assert locks.doubtful(Path("/data/run/.lock"), tmp_path / "mounts") == kind


def test_a_run_on_such_a_file_system_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "doubtful", lambda file: "fuse.sshfs")
    with pytest.warns(UserWarning, match="on fuse.sshfs other machines may not see a lock"):
        lock_folder(tmp_path).release()
