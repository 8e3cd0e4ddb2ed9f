"""Images per second of the training step, side by side: precision, memory layout, one or two D passes.

    python benchmarks/training_step.py [CONFIG] [--batch 64] [--rounds 5] [--threads 2]

Variants take turns, so that a machine that changes its speed changes it for all of them; ratios are
medians of the rounds against the first variant. The FLOP count is torch's, of one whole step. bfloat16 is
left out where it is emulated, unless --emulated asks for it.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from mmcgan.config import load_config
from mmcgan.precision import choose
from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

VARIANTS = {
    "fp32, two passes": dict(precision="float32", channels_last=False, split_d=True),
    "fp32": dict(precision="float32", channels_last=False, split_d=False),
    "fp32 channels-last": dict(precision="float32", channels_last=True, split_d=False),
    "bf16": dict(precision="bfloat16", channels_last=False, split_d=False),
    "bf16 channels-last": dict(precision="bfloat16", channels_last=True, split_d=False),
}


def make_step(config_name, batch, precision, channels_last, split_d):
    """Return a function that runs one training step of the variant."""
    options = {
        "model.data_preprocessor.channels_last": channels_last,
        "model.step.split_d": split_d,
        "optim_wrapper.precision": precision,
    }
    config = load_config(config_name, options)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(config.optim_wrapper.pop("constructor"))
    optimizers = constructor(config.optim_wrapper)(model)
    size, images = model.generator.image_size, batch * model.step.real_mini_batches
    label = torch.randint(0, model.generator.num_classes, (images,))
    data = {"image": torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8), "label": label}
    return lambda: model.train_step(data, optimizers)


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="omnigan_biggan_fashion-mnist-32")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--emulated", action="store_true", help="time bfloat16 even where it is emulated")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    init_default_scope("mmcgan")
    choice = choose("cpu")
    print(f"precision auto: {choice}")
    variants = dict(VARIANTS)
    if choice.precision != "bfloat16" and not given.emulated:
        variants = {name: v for name, v in variants.items() if v["precision"] != "bfloat16"}
    steps = {name: make_step(given.config, given.batch, **variant) for name, variant in variants.items()}
    with FlopCounterMode(display=False) as counter:
        steps["fp32"]()
    flops = counter.get_total_flops()
    seconds = {name: [] for name in steps}
    for number in range(given.rounds + 1):  # the first round warms up
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - start)
    reference = seconds[next(iter(steps))]
    print(f"{given.config}: batch {given.batch}, {given.threads} threads, {flops / 1e9:.1f} GFLOP a step")
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(reference, times, strict=True))
        median = statistics.median(times)
        rate, speed = given.batch / median, flops / median / 1e9
        print(f"{name:20s} {rate:8.1f} images/s {speed:8.1f} GFLOP/s {ratio:6.2f} x")


if __name__ == "__main__":
    main()
