"""What augmentations cost beside the discriminator: milliseconds of one batch, forward and backward.

    python benchmarks/augmentation.py [CONFIG] [--batch 64] [--rounds 7] [--threads 1]

The discriminator of CONFIG scores a batch and its gradient is taken with respect to weights and images;
each augmentation changes a batch of the same size and passes a gradient back to it. All take turns, so
that a machine that changes its speed changes it for all; figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from mmengine.registry import init_default_scope

from mmcgan.config import load_config
from mmcgan.random import make_generator
from mmcgan.registry import AUGMENTS, MODELS
from mmcgan.structures import Condition

VARIANTS = {
    "FlipAndShift": dict(type="FlipAndShift"),
    "DiffAugment": dict(type="DiffAugment"),
    "ADA blit + geometric": dict(type="ADA", transforms=("bg",), p=0.5),
    "ADA colour": dict(type="ADA", transforms=("colour",), p=0.5),
    "ADA filter": dict(type="ADA", transforms=("filter",), p=0.5),
    "ADA bgc": dict(type="ADA", transforms=("bgc",), p=0.5),
    "ADA bgcfnc": dict(type="ADA", transforms=("bgcfnc",), p=0.5),
    "SimCLRAugment": dict(type="SimCLRAugment"),
    "BYOLAugment": dict(type="BYOLAugment"),
}


def make_passes(config_name, batch):
    """Return the image size and, by name, functions that run one forward and backward pass."""
    config = load_config(config_name)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    size = model.generator.image_size
    label = torch.randint(0, max(model.generator.num_classes, 1), (batch,))
    image = (torch.rand(batch, 3, size, size) * 2 - 1).requires_grad_()
    generator = make_generator(0, "augment")
    augments = {name: AUGMENTS.build(dict(variant)) for name, variant in VARIANTS.items()}

    def discriminate():
        scores = model.discriminator(image, Condition(label=label))
        sum(value.sum() for value in scores.values()).backward()

    passes = {"discriminator": discriminate}
    for name, augment in augments.items():
        passes[name] = lambda augment=augment: augment(image, generator).sum().backward()
    return size, passes


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="biggan_fashion-mnist-32")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    init_default_scope("mmcgan")
    size, passes = make_passes(given.config, given.batch)
    times = {name: [] for name in passes}
    for number in range(given.rounds + 1):
        for name, run in passes.items():
            start = time.perf_counter()
            run()
            if number:  # the first round warms up
                times[name].append(1000 * (time.perf_counter() - start))
    print(f"{given.config}: {given.batch} images of {size} px, {given.threads} threads, {torch.__version__}")
    print("| pass | ms | of a discriminator pass |\n|---|---|---|")
    reference = statistics.median(times["discriminator"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"| {name} | {median:.1f} | {100 * median / reference:.1f} % |")


if __name__ == "__main__":
    main()
