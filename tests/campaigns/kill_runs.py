"""Kills runs at random moments, resumes them, and compares what they learnt with a run that was let be.

    python -m tests.campaigns.kill_runs --kills 120 --seed 0 --out docs/kills.md

Each scenario is a tiny run of its own kind. It is started, killed at a random moment of a phase drawn at
random (the start, an iteration, an evaluation, the sample grid, saving, the end) by a random signal, to its
process or to its whole process group (of a launcher: to all its processes, which have groups of their own),
started again with resume, and so on; after some kills it is let finish and compared. A kill counts when the
process was alive to receive it. A polite signal to a run that has begun to listen must end with status 0 and
a checkpoint of the iteration that was under way; of a launcher, whose status is its own, the iteration alone
is asked for. Whatever fails is printed, and the exit status is 1.

Runs that are killed at their start or end are processes of their own, and so are ranks under a launcher;
others are forks of this program, which has imported everything already.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from mmcgan.checkpoints.files import list_checkpoints, load_checkpoint
from mmcgan.cli import main as main_of_mmcgan
from tests.campaigns.kill_scenarios import ITERATIONS, LAUNCHED, PHASES, SCENARIOS, config_of, phases_of
from tests.campaigns.paced import PHASE_FILE
from tests.test_engine.tiny_run import differences

ROOT = Path(__file__).resolve().parents[2]
IMPORT_SECONDS = 4
LONGEST_CHAIN = 5  # kills before a run is let finish
POLITE = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")


@dataclass
class Event:
    """One kill and what came of it."""

    scenario: str
    phase: str
    signal: str
    to_group: bool
    listening: bool
    under_way: int
    status: int | str = ""
    newest: int = -1
    left_over: bool = False
    seconds: float = 0.0

    @property
    def faults(self):
        """Return what must not be."""
        found = ["somebody is left over"] if self.left_over else []
        if self.signal == "SIGKILL" or not self.listening:
            return found
        if self.scenario not in LAUNCHED and self.status != 0:
            found.append(f"status {self.status}")
        if self.newest < self.under_way:
            found.append(f"iteration {self.under_way} is not kept, {self.newest} is")
        return found


class Fork:
    """A run as a fork of this process, in a session of its own, with the interface of ``Popen``."""

    def __init__(self, arguments, environment, errors):
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            self._run(arguments, environment, errors)

    def _run(self, arguments, environment, errors):
        status = 70
        try:
            os.setsid()
            for number, path, flags in ((1, os.devnull, os.O_WRONLY), (2, errors, os.O_WRONLY | os.O_APPEND)):
                os.dup2(os.open(path, flags | os.O_CREAT), number)
            os.environ.update(environment)
            sys.argv = ["mmcgan", *arguments]
            status = main_of_mmcgan()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def poll(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status

    def wait(self, timeout):
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("fork", timeout)
            time.sleep(0.005)
        return self.status


def start(name, folder, fork=False):
    """Start, or start again, the run of a scenario in a session of its own."""
    path = folder / "config.py"
    arguments = ["train", str(path), "--work-dir", str(folder / "run"), "--resume"]
    if fork and name not in LAUNCHED:
        (folder / "phase").unlink(missing_ok=True)
        return Fork(arguments, {PHASE_FILE: str(folder / "phase")}, folder / "errors.txt")
    command = ["-m", "mmcgan", *arguments]
    if name in LAUNCHED:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
        command = [*launcher, "--no-python", sys.executable, *command]
    (folder / "phase").unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        PHASE_FILE: str(folder / "phase"),
    }
    return subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("a"),
        start_new_session=True,
    )


def phase_of(folder):
    """Return what a run says that it does, the iteration, and who says so (rank 0)."""
    try:
        phase, iteration, process = (folder / "phase").read_text().split("\n")[:3]
    except (OSError, ValueError):
        return "start", -1, None
    return phase, int(iteration), int(process)


def listens(process):
    """Return whether a process has begun to take signals as requests (it catches SIGUSR1)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("SigCgt"):
                return bool(int(line.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1)
    return False


def processes_of(process, folder):
    """Return the processes of a run: itself, its workers, a launcher's ranks in sessions of their own."""
    mark, found = f"{PHASE_FILE}={folder / 'phase'}".encode(), []
    for other in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            session = int((other / "stat").read_bytes().rpartition(b")")[2].split()[3])
            if session == process.pid or mark in (other / "environ").read_bytes().split(b"\0"):
                found.append(int(other.name))
    return found


def is_gone(process, folder, seconds=60):
    """Wait until nobody of a run is left; return whether that happened."""
    deadline = time.monotonic() + seconds
    while processes_of(process, folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def kill_all(process, folder):
    """End whoever is left of a run."""
    for receiver in processes_of(process, folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(receiver, signal.SIGKILL)


def newest(folder):
    """Return the iteration of the newest checkpoint, -1 without one."""
    found = list_checkpoints(folder / "run")
    return int(found[0].stem.split("_")[1]) if found else -1


def learnt(folder):
    """Return what training has learnt."""
    state = load_checkpoint(folder / "run" / f"iter_{ITERATIONS}.pth")
    keys = ("state_dict", "optimizer", "param_schedulers", "random")
    return {key: state[key] for key in keys} | {"images_seen": state["meta"]["images_seen"]}


def wait_for(wanted, process, folder, start_seconds, draw):
    """Wait for a random moment of a phase; return whether the run still lives then."""
    if wanted == "start":
        delay = draw.uniform(0.05, start_seconds)
    else:
        seen = 1 if wanted == "end" else draw.randint(1, 12)
        while process.poll() is None and seen:
            before = phase_of(folder)
            time.sleep(0.003)
            seen -= phase_of(folder)[0] == wanted and phase_of(folder) != before
        delay = draw.uniform(0, 0.5 if wanted == "end" else 0.03)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    return process.poll() is None


def send(process, folder, number, to_group, launched):
    """Send a signal to the process that was started or to its group; to all of a launcher's processes."""
    if to_group and not launched:
        os.killpg(process.pid, number)
        return
    for receiver in processes_of(process, folder) if to_group else (process.pid,):
        with contextlib.suppress(ProcessLookupError):
            os.kill(receiver, number)


def kill_once(name, folder, start_seconds, draw):
    """Start a run, kill it once and return what happened; None if it ended before."""
    number, to_group = draw.choice([*POLITE, "SIGKILL"]), draw.random() < 0.5
    wanted = draw.choice(phases_of(name))
    process = start(name, folder, fork=wanted not in ("start", "end"))
    began = time.monotonic()
    if not wait_for(wanted, process, folder, start_seconds, draw):
        return None
    phase, iteration, speaker = phase_of(folder)
    listening = listens(speaker or process.pid)
    # an iteration that has been told of is finished; of later phases it is finished already
    event = Event(name, phase, number, to_group, listening, iteration)
    send(process, folder, getattr(signal, number), to_group, name in LAUNCHED)
    try:
        event.status = process.wait(120)
    except subprocess.TimeoutExpired:
        kill_all(process, folder)
        event.status = "did not end"
    event.left_over = not is_gone(process, folder)
    kill_all(process, folder)
    event.newest, event.seconds = newest(folder), round(time.monotonic() - began, 1)
    return event


def let_finish(name, folder):
    """Start a run and let it come to its end."""
    if start(name, folder, fork=True).wait(600) != 0:
        raise SystemExit(f"{name}: {(folder / 'errors.txt').read_text()[-3000:]}")


def run_scenario(name, kills, draw, folder):
    """Kill a scenario so many times, let it finish now and then, compare it with one that was let be."""
    whole, parts = folder / "whole", folder / "parts"
    for place in (whole, parts):
        place.mkdir(parents=True)
        config_of(name, place).dump(place / "config.py")
    process, began = start(name, whole, fork=True), time.monotonic()
    while phase_of(whole)[2] is None and process.poll() is None:
        time.sleep(0.05)
    # a fork has imported everything; a process takes some seconds more
    start_seconds = time.monotonic() - began + IMPORT_SECONDS
    if process.wait(600) != 0:
        raise SystemExit(f"{name}: {(whole / 'errors.txt').read_text()[-3000:]}")
    expected, events, chain, compared, equal = learnt(whole), [], 0, 0, 0
    while len(events) < kills:
        event = kill_once(name, parts, start_seconds, draw)
        if event is not None:
            events.append(event)
            chain += 1
            print(json.dumps(asdict(event) | dict(faults=event.faults)), flush=True)
        if event is None or chain == LONGEST_CHAIN or len(events) == kills:
            let_finish(name, parts)
            found = differences(expected, learnt(parts))
            compared, equal, chain = compared + 1, equal + (found == []), 0
            print(json.dumps(dict(scenario=name, equal=found == [], differences=found[:3])), flush=True)
            for path in (parts / "run").glob("*.pth"):
                path.unlink()
    return events, compared, equal


def table(results):
    """Return the Markdown table of a campaign."""
    names = ["what", "kills", "KILL", *(name.removeprefix("SIG") for name in POLITE), "to group"]
    names += [*PHASES, "not listening", "faults", "resumed and finished", "equal bit by bit"]
    lines = [names, ["---"] * len(names)]
    for name, (events, compared, equal) in results.items():
        signals, phases = Counter(e.signal for e in events), Counter(e.phase for e in events)
        counts = [signals[s] for s in ("SIGKILL", *POLITE)]
        counts += [sum(e.to_group for e in events), *(phases[p] for p in PHASES)]
        counts.append(sum(not e.listening for e in events))
        counts += [sum(bool(e.faults) for e in events), compared, equal]
        lines.append([name, len(events), *counts])
    if len(results) > 1:
        lines.append(["**all**", *(sum(line[i] for line in lines[2:]) for i in range(1, len(names)))])
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def main():
    """Run the campaign; return 1 if something was not as promised."""
    parser = argparse.ArgumentParser(description="kill runs at random moments")
    parser.add_argument("--kills", type=int, default=120, help="in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--out", type=Path, help="write the table here too")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    share = -(-options.kills // len(options.only))
    with tempfile.TemporaryDirectory() as temporary:
        results = {
            name: run_scenario(name, share, draw, Path(temporary) / name.replace(" ", "-"))
            for name in options.only
        }
    text = table(results)
    print(text)
    if options.out:
        options.out.write_text(text)
    faults = any(event.faults for events, _, _ in results.values() for event in events)
    return int(faults or any(equal < compared for _, compared, equal in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
