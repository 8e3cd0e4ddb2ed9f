"""What the command sets before torch: freed memory is kept, idle threads sleep soon, users go first."""

import fcntl
import importlib.util
import os
import platform
import subprocess
import sys

import pytest

from mmcgan import process

GLIBC = platform.libc_ver()[0] == "glibc"


class StandInLibrary:
    """Notes what ``mallopt`` is told."""

    def __init__(self, status=1):
        self.calls, self.status = [], status

    def mallopt(self, key, value):
        self.calls.append((key, value))
        return self.status


@pytest.fixture
def library(monkeypatch):
    for name in (process.MEMORY_VARIABLE, "GLIBC_TUNABLES", *process.MALLOC_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    found = StandInLibrary()
    monkeypatch.setattr(process, "_glibc", lambda: found)
    return found


def test_memory_is_kept_without_mmap(library):
    assert process.keep_freed_memory()
    assert dict(library.calls)[process.M_MMAP_MAX] == 0
    assert {key for key, _ in library.calls} == {-1, -2, -4}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (process.MEMORY_VARIABLE, "0"),
        (process.MEMORY_VARIABLE, "off"),
        ("MALLOC_TOP_PAD_", "4096"),
        ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072"),
    ],
)
def test_the_users_word_on_memory_counts(library, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert not process.keep_freed_memory()
    assert library.calls == []


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(process, "_glibc", lambda: None)
    assert not process.keep_freed_memory()


def test_a_refusal_is_told(library):
    library.status = 0
    assert not process.keep_freed_memory()


@pytest.mark.parametrize("name", [*process.IDLE_VARIABLES, process.THREADS_VARIABLE])
def test_the_users_word_on_threads_counts(name, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    environment = {name: "0"}
    if name == process.THREADS_VARIABLE:
        monkeypatch.setenv(name, "0")
    assert not process.let_threads_sleep(environment)
    assert environment == {name: "0"}


def test_threads_are_told_before_torch_and_not_after(monkeypatch):
    monkeypatch.delenv(process.THREADS_VARIABLE, raising=False)
    environment = {}
    monkeypatch.setitem(sys.modules, "torch", object())
    assert not process.let_threads_sleep(environment)
    monkeypatch.delitem(sys.modules, "torch")
    assert process.let_threads_sleep(environment)
    assert environment in (process.QUIET, process.BUSY)


@pytest.mark.parametrize(("load", "expected"), [(0.1, process.QUIET), (30.0, process.BUSY)])
def test_they_look_for_work_for_longer_on_a_quiet_machine(load, expected, monkeypatch):
    monkeypatch.delenv(process.THREADS_VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(process.os, "getloadavg", lambda: (load, 0, 0))
    monkeypatch.setattr(process.os, "cpu_count", lambda: 4)
    environment = {}
    process.let_threads_sleep(environment)
    assert environment == expected
    assert int(process.BUSY["GOMP_SPINCOUNT"]) < int(process.QUIET["GOMP_SPINCOUNT"])


PROGRAM = """
import os, sys
from mmcgan import cli, process
from mmcgan.commands import list_models
def run(arguments):
    print("torch" in sys.modules, os.environ.get("GOMP_SPINCOUNT"))
list_models.run = run
raise SystemExit(cli.main(["list"]))
"""


def test_commands_are_tuned_before_torch_is_loaded():
    environment = {key: value for key, value in os.environ.items() if key not in process.IDLE_VARIABLES}
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    ).stdout
    loaded, spinning = output.split()
    assert loaded == "False"
    assert spinning in (process.QUIET["GOMP_SPINCOUNT"], process.BUSY["GOMP_SPINCOUNT"])


FAULTS = """
import ctypes, resource
from mmcgan.process import tune_process
tune_process()
def take():
    block = ctypes.create_string_buffer(64 << 20)
take()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    take()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc gives memory back at once")
def test_freed_memory_is_used_again():
    def faults(setting):
        environment = {**os.environ, process.MEMORY_VARIABLE: setting}
        command = [sys.executable, "-c", FAULTS]
        return int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)

    pages = 4 * (64 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert faults("1") < pages / 10
    assert faults("0") >= faults("1")


RANK = "from mmcgan.process import tune_process; tune_process(); import sys; print('yapf' in sys.modules)"


@pytest.mark.parametrize("rank", [True, False])
def test_ranks_import_in_turn_what_writes_a_file_at_its_first_import(rank):
    origin = importlib.util.find_spec("yapf").origin
    environment = {key: value for key, value in os.environ.items() if key != "LOCAL_RANK"}
    environment |= {"LOCAL_RANK": "1"} if rank else {}
    with open(origin, "rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        started = subprocess.Popen(
            [sys.executable, "-c", RANK], env=environment, stdout=subprocess.PIPE, text=True
        )
        if rank:  # the other rank is still at it
            with pytest.raises(subprocess.TimeoutExpired):
                started.communicate(timeout=1.5)
        else:
            assert started.communicate(timeout=60)[0].strip() == "False"
    if rank:
        assert started.communicate(timeout=60)[0].strip() == "True"
