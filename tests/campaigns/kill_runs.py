"""Kills runs at random moments, resumes them, and compares what they learnt with a run that was let be.

    python -m tests.campaigns.kill_runs --kills 120 --seed 0 --out kills.md

Each scenario is a tiny run of its own kind. It is started, killed at a random moment (start, training,
evaluation, sample grid, saving) by a random signal, to its process or its whole process group, started again
with resume, and so on; in the end it is let finish. A kill counts when the process was alive to receive it.
Polite signals must end with status 0 and a checkpoint of the iteration that was under way. The table says
what was found.
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
from collections import Counter
from pathlib import Path

from mmcgan.checkpoints.files import list_checkpoints, load_checkpoint
from tests.test_engine.tiny_run import EVALUATION, differences, tiny_config

ROOT = Path(__file__).resolve().parents[2]
ITERATIONS = 60
POLITE = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
NOISE = {"custom_imports": dict(imports=["tests.test_engine.test_resume"], allow_failed_imports=False)}
GRID = [dict(type="GlobalNoise"), dict(type="SampleGridHook", interval=7, rows=1)]
ADA = dict(type="ADA", transforms=["bgc"], adapt=dict(target=-0.9, interval=1, kimg=0.5))
SCENARIOS = {
    "plain": {"custom_hooks": [dict(type="GlobalNoise")]},
    "evaluation and sample grid": {**EVALUATION, "custom_hooks": GRID, "train_cfg.val_interval": 5},
    "two workers": {"train_dataloader.num_workers": 2, "custom_hooks": GRID},
    "accumulation": {"train_dataloader.batch_size": 16, "model.step": dict(d_accumulation=2, n_critic=2)},
    "moving ADA p": {"model.augment": ADA, "custom_hooks": GRID, **EVALUATION},
    "two ranks": {**EVALUATION, "train_cfg.val_interval": 5},
}


def config_of(name, folder):
    """Return the config of a scenario."""
    config = tiny_config(folder, **{"train_cfg.max_iters": ITERATIONS, **NOISE, **SCENARIOS[name]})
    config.default_hooks.checkpoint.interval = 4
    config.default_hooks.checkpoint.max_keep = 3
    return config


def start(name, folder):
    """Start, or start again, the run of a scenario in a session of its own."""
    path = folder / "config.py"
    command = ["-m", "mmcgan", "train", str(path), "--work-dir", str(folder / "run"), "--resume"]
    if name == "two ranks":
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
        command = [*launcher, "--no-python", sys.executable, *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("a"),
        start_new_session=True,
    )


def group_is_gone(process, seconds=60):
    """Wait until nobody of the session is left; return whether that happened."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            time.sleep(0.1)
            continue
        return True
    return False


def newest(folder):
    """Return the iteration of the newest checkpoint, -1 without one."""
    found = list_checkpoints(folder / "run")
    return int(found[0].stem.split("_")[1]) if found else -1


def learnt(folder):
    """Return what training has learnt."""
    state = load_checkpoint(folder / "run" / f"iter_{ITERATIONS}.pth")
    keys = ("state_dict", "optimizer", "param_schedulers", "random")
    return {key: state[key] for key in keys} | {"images_seen": state["meta"]["images_seen"]}


def kill_once(name, folder, whole_seconds, draw):
    """Start a run, kill it once and return what happened; None if it ended before."""
    number = draw.choice([*POLITE, "SIGKILL"])
    to_group = draw.random() < 0.5
    process = start(name, folder)
    began = time.monotonic()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(draw.uniform(0.3, whole_seconds))
        return None
    before = newest(folder)
    (os.killpg if to_group else os.kill)(process.pid, getattr(signal, number))
    try:
        status = process.wait(120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        status = "did not end"
    alone = group_is_gone(process, 60)
    if not alone:
        os.killpg(process.pid, signal.SIGKILL)
    return dict(
        signal=number,
        to="group" if to_group else "process",
        status=status,
        seconds=round(time.monotonic() - began, 1),
        kept=newest(folder) - before,
        left_over=not alone,
    )


def run_scenario(name, kills, draw, folder):
    """Kill a scenario so many times, let it finish and compare it with one that was let be."""
    whole, parts = folder / "whole", folder / "parts"
    for place in (whole, parts):
        place.mkdir(parents=True)
        config_of(name, place).dump(place / "config.py")
    began = time.monotonic()
    assert start(name, whole).wait(600) == 0, (whole / "errors.txt").read_text()[-3000:]
    seconds = time.monotonic() - began
    events, equal = [], 0
    compared = 0
    while len(events) < kills:
        event = kill_once(name, parts, seconds, draw)
        if event is not None:
            events.append(event)
            print(json.dumps(dict(scenario=name, **event)), flush=True)
        if event is None or len(events) == kills:  # it has come to its end, or must now
            assert start(name, parts).wait(600) == 0, (parts / "errors.txt").read_text()[-3000:]
            found = differences(learnt(whole), learnt(parts))
            compared, equal = compared + 1, equal + (found == [])
            print(json.dumps(dict(scenario=name, equal=found == [], differences=found[:3])), flush=True)
            for path in (parts / "run").glob("*.pth"):
                path.unlink()
    return events, compared, equal


def table(results):
    """Return the Markdown table of a campaign."""
    names = ["scenario", "kills", "KILL", *(name.removeprefix("SIG") for name in POLITE)]
    names += ["to group", "left over", "finished", "equal"]
    lines = [names, ["---"] * len(names)]
    for name, (events, compared, equal) in results.items():
        count = Counter(event["signal"] for event in events)
        signals = [count[s] for s in ("SIGKILL", *POLITE)]
        group = sum(event["to"] == "group" for event in events)
        left = sum(event["left_over"] for event in events)
        lines.append([name, len(events), *signals, group, left, compared, equal])
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="kill runs at random moments")
    parser.add_argument("--kills", type=int, default=120, help="in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--out", type=Path, help="write the table here too")
    options = parser.parse_args()
    generator = random.Random(options.seed)
    share = -(-options.kills // len(options.only))
    with tempfile.TemporaryDirectory() as temporary:
        results = {
            name: run_scenario(name, share, generator, Path(temporary) / name.replace(" ", "-"))
            for name in options.only
        }
    text = table(results)
    print(text)
    if options.out:
        options.out.write_text(text)
    left_over = any(event["left_over"] for events, _, _ in results.values() for event in events)
    raise SystemExit(left_over or any(equal < compared for _, compared, equal in results.values()))
