"""Images per second of the training step, variants side by side in one process.

    python benchmarks/training_step.py [CONFIG] [--batch 64] [--rounds 5] [--threads 2] [--clock wall]
        [--variants plain merged default] [--set model.generator.base_channels=32 ...] [--peer 32]

Variants take turns, so that a machine that changes its speed changes it for all of them; ratios are medians
of the rounds against the first variant, seconds the least of them. ``--clock cpu`` counts the process's CPU
time, for busy machines and one thread. FLOPs are torch's count of one whole step. ``--peer BASE`` puts a step
of StudioGAN's kind beside them (studiogan_step.py): for configs of BigGAN and ReACGAN at 32 pixels whose
``base_channels`` are BASE.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from mmengine.registry import init_default_scope
from studiogan_step import PeerStep
from torch.utils.flop_counter import FlopCounterMode

from mmcgan.config import load_config
from mmcgan.models.layers import merged_convolution
from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

LAST = dict(precision="float32", channels_last=True, split_d=False)
VARIANTS = {
    # nothing of what this file measures: enlargement and pooling by themselves, Adam operation by operation
    "plain": dict(LAST, merged=False, fused=False),
    "merged": dict(LAST, merged=True, fused=False),
    "default": dict(LAST, merged=True, fused=True),
    "two-passes": dict(LAST, split_d=True),
    "first-layout": dict(LAST, channels_last=False),
    "bfloat16-plain": dict(LAST, precision="bfloat16", merged=False, fused=False),
    "bfloat16": dict(LAST, precision="bfloat16"),
}
RULE = merged_convolution.worth_merging


def make_step(name, batch, settings, *, precision, channels_last, split_d, merged=True, fused=True):
    """Return a function that runs one training step of a variant."""
    options = {
        "model.data_preprocessor.channels_last": channels_last,
        "model.step.split_d": split_d,
        "optim_wrapper.precision": precision,
        **settings,
    }
    config = load_config(name, options)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    for player in ("generator", "discriminator"):
        if not fused:
            config.optim_wrapper[player]["optimizer"]["fused"] = False
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(config.optim_wrapper.pop("constructor"))
    optimizers = constructor(config.optim_wrapper)(model)
    size, images = model.generator.image_size, batch * model.step.real_mini_batches
    label = torch.randint(0, model.generator.num_classes, (images,))
    data = {"image": torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8), "label": label}

    def step():
        merged_convolution.worth_merging = RULE if merged else lambda positions: False
        model.train_step(data, optimizers)

    return step


def measure(steps, rounds, clock):
    """Return the seconds of every round by name; the first round warms up."""
    now = time.process_time if clock == "cpu" else time.perf_counter
    seconds = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start = now()
            step()
            if number:
                seconds[name].append(now() - start)
    return seconds


def parse():
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", nargs="?", default="omnigan_biggan_fashion-mnist-32")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["plain", "merged", "default"])
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="options of the config")
    parser.add_argument("--peer", type=int, metavar="BASE", help="base channels of the peer's networks")
    return parser.parse_args()


def main():
    """Measure and print a table."""
    given = parse()
    torch.set_num_threads(given.threads)
    init_default_scope("mmcgan")
    settings = {key: int(value) for key, value in (pair.split("=") for pair in given.set)}
    steps = {
        name: make_step(given.config, given.batch, settings, **VARIANTS[name]) for name in given.variants
    }
    if given.peer:
        critic = settings.get("model.step.n_critic", 1)
        peer = PeerStep(given.peer, given.batch, "reacgan" in given.config, critic)
        steps = {"studiogan's kind": peer, **steps}
    flops = {}
    for name, step in steps.items():
        with FlopCounterMode(display=False) as counter:
            step()
        flops[name] = counter.get_total_flops()
    seconds = measure(steps, given.rounds, given.clock)
    reference = seconds[next(iter(steps))]
    isa = torch.backends.cpu.get_cpu_capability()
    print(f"{given.config}: batch {given.batch}, {given.threads} threads, {isa}, {given.clock} time")
    columns = ("variant", "GFLOP a step", "s a step", "images/s", "GFLOP/s", "time over the first")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name, times in seconds.items():
        ratio = statistics.median(b / a for a, b in zip(reference, times, strict=True))
        least = min(times)
        cells = (f"{flops[name] / 1e9:.2f}", f"{least:.3f}", f"{given.batch / least:.1f}")
        print(f"| {name} | {' | '.join(cells)} | {flops[name] / least / 1e9:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
