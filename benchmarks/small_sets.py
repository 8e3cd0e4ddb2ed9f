"""Which one for 500, 5,000 or 50,000 images? Families of GANs on small sets, at one budget of CPU minutes.

    python tools/fetch_emoji.py FOLDER
    python benchmarks/small_sets.py --state work_dirs/small_sets --emoji FOLDER
    python tools/dev/choosing.py --collect work_dirs/small_sets      # docs/choosing.md, in a checkout

Sets: 1 %, 10 % and 100 % of Fashion-MNIST at 32 pixels, emoji of two vendors at 64. Families: BigGAN +
DiffAugment, StyleGAN2-ADA, R3GAN, FastGAN + projected discriminator. Conditionings: none, class by
projection, omni-loss or D2D-CE, instance. ``--only`` takes some (``fashion-1_r3gan_*``, shell patterns of
names), else all are trained in the order of their value for the question, one thread, one after another,
each with ``--minutes`` of CPU time of its own process, so that a busy machine does not distort. Each is read
off at 5,000, 10,000, 20,000 ... images and at 22.5, 45, 90 ... CPU seconds: FID, KID, precision and recall
(k = 3), and memorisation (the share of samples that are nearer to a training image than to a held-out one,
among equally many of both), all over a network that no discriminator looks through.

A result is ``results/NAME.json`` below ``--state`` with its sample grid ``results/NAME.png``. A finished one
is not trained again; an interrupted one goes on where it stopped, one with a larger budget too. Ctrl-C or
SIGTERM stops after the current iteration; ``--until HH:MM`` begins nothing after that time.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from small_sets_configs import RECIPE, Setting, config_text
from small_sets_data import SETS, prepare
from small_sets_reading import CURVE, SPENT, Judge, SmallSetReadings

from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.files import list_checkpoints
from mmcgan.config import load_config
from mmcgan.proposal.figures import CONDITIONINGS, FAMILIES
from mmcgan.registry import build_runner
from mmcgan.text_files import read_text
from mmcgan.version import __version__

FORMAT = "mmcgan-small-sets-1"


def order() -> list[Setting]:
    """Return all settings, the most telling first."""
    # what `mmcgan new` proposes for images with and without classes comes first
    ranked = [(name, kind) for name in SETS for kind in ("omni", "instance")]
    ranked += [(name, kind) for kind in CONDITIONINGS for name in SETS]
    names = [(name, kind, family) for name, kind in dict.fromkeys(ranked) for family in FAMILIES]
    return [Setting(SETS[name], family, kind) for name, kind, family in names]


def result_path(state: Path, setting: Setting) -> Path:
    return state / "results" / f"{setting.name}.json"


def is_done(state: Path, setting: Setting, seconds: float) -> bool:
    """Return whether there is a result of at least this budget."""
    path = result_path(state, setting)
    return path.is_file() and float(json.loads(read_text(path))["budget_seconds"]) >= seconds


def train_one(setting: Setting, state: Path, seconds: float) -> int:
    """Train one setting in this process, or go on with it; return 0 when its budget is used up."""
    torch.set_num_threads(1)
    folder = state / "runs" / setting.name
    path = state / "configs" / f"{setting.name}.py"  # a run's own folder is where it writes its settings
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, config_text(setting, state))
    config = load_config(path)
    config.work_dir, config.resume = str(folder), bool(list_checkpoints(folder))
    judge = Judge(setting.chosen, state)
    runner = build_runner(config)
    hook = SmallSetReadings(seconds, judge, result_path(state, setting).with_suffix(".png"))
    runner.register_hook(hook)
    runner.train()
    if hook.clock.spent < seconds:
        return 1
    write_file(
        result_path(state, setting), json.dumps(_result(setting, seconds, runner, judge), indent=1) + "\n"
    )
    return 0


def _result(setting: Setting, seconds: float, runner: Any, judge: Judge) -> dict[str, Any]:
    known = runner.message_hub.runtime_info
    model, images = runner.model, runner.train_loop.images_seen
    learnt = [p.numel() for p in model.discriminator.parameters() if p.requires_grad]
    return {
        "format": FORMAT,
        "set": setting.chosen.name,
        "images": len(runner.train_loop.dataloader.dataset),
        "image_size": setting.chosen.image_size,
        "family": setting.family,
        "conditioning": setting.conditioning,
        "seed": setting.seed,
        "recipe": RECIPE,
        "budget_seconds": seconds,
        "cpu_seconds": round(known[SPENT], 2),
        "images_seen": images,
        "iterations": runner.train_loop.iter,
        "images_per_second": round(images / known[SPENT], 2),
        "generator_parameters": sum(p.numel() for p in model.generator.parameters()),
        "discriminator_parameters": sum(learnt),
        "judge": SETS[setting.chosen.name].judge(Path())["weights"].rpartition("/")[2],
        "judge_hash": judge.network.weights_hash[:12],
        "samples": setting.chosen.samples,
        "precision": str(runner.optim_wrapper["generator"].precision),
        "version": __version__,
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "threads": 1,
        "curve": known[CURVE],
    }


class Queue:
    """Trainings one after another, each in a process of its own; a signal ends the present one and all."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.stopped = given, False
        self.process: subprocess.Popen[bytes] | None = None

    def stop(self, number: int, frame: object) -> None:
        """Handle a signal."""
        self.stopped = True
        if self.process is not None:
            self.process.terminate()

    def train(self, setting: Setting) -> bool:
        """Train to the end of the budget; return whether that succeeded."""
        given = self.given
        words = [sys.executable, __file__, "--state", str(given.state), "--minutes", str(given.minutes)]
        words += ["--one", setting.name]
        folder = given.state / "runs" / setting.name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "output.txt").open("ab") as log:
            # a group of its own: Ctrl-C in a terminal reaches this process alone, which passes it on
            self.process = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, preexec_fn=os.setpgrp
            )
            failed = self.process.wait() != 0
        self.process = None
        return not failed

    def run(self, settings: Sequence[Setting]) -> None:
        """Train all that is not done; a set's images and stores are made before its first training."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.stop)
        given, begun, done = self.given, time.monotonic(), 0
        todo = [each for each in settings if not is_done(given.state, each, 60 * given.minutes)]
        for number, setting in enumerate(todo):
            if self.stopped or _late(given.until):
                break
            prepare(setting.chosen, given.state, given.emoji, setting.conditioning == "instance")
            good = self.train(setting)
            done += good
            each = (time.monotonic() - begun) / (number + 1) / 60
            left = each * (len(todo) - number - 1)
            said = "done" if good else f"not finished, see {given.state / 'runs' / setting.name}/output.txt"
            now = time.strftime("%H:%M")
            print(f"{now} [{number + 1}/{len(todo)}] {setting.name}: {said}; {left:.0f} min left", flush=True)
        print(f"{done} trained", flush=True)


def _late(until: float | None) -> bool:
    return until is not None and time.time() >= until


def moment(text: str) -> float:
    """Return the next moment at which a clock shows ``HH:MM``, as seconds since the epoch."""
    now = time.localtime()
    hour, minute = time.strptime(text, "%H:%M")[3:5]
    found = time.mktime((*now[:3], hour, minute, 0, 0, 0, -1))
    return found if found > time.time() else found + 24 * 3600


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("work_dirs/small_sets"))
    parser.add_argument("--emoji", type=Path, help="folder that tools/fetch_emoji.py made")
    parser.add_argument("--minutes", type=float, default=1.5, help="CPU minutes of each training")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="of names, see --list")
    parser.add_argument("--until", type=moment, metavar="HH:MM", help="begin nothing after this time")
    parser.add_argument("--list", action="store_true", help="name all settings, in order, and train nothing")
    parser.add_argument("--one", metavar="NAME", help="train this one here, in this process")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train or list."""
    given = parse(argv)
    given.state = given.state.resolve()
    chosen = [each for each in order() if any(fnmatch.fnmatch(each.name, only) for only in given.only)]
    if given.one is not None:
        return train_one({each.name: each for each in order()}[given.one], given.state, 60 * given.minutes)
    if given.list:
        for each in chosen:
            print(("done " if is_done(given.state, each, 60 * given.minutes) else "     ") + each.name)
        return 0
    Queue(given).run(chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
