"""How seconds and memory of a training step grow with resolution, width and batch, beside the arithmetic.

    python benchmarks/step_growth.py [--clock wall] [--rounds 2] [--only resolution width batch]

BigGAN with one discriminator update, float32, channels-last. Every row is a process of its own, forked once
the imports are done; its memory is the growth of its peak resident size over the start. The arithmetic:
torch's FLOP count of the step for the time; for the memory 16 bytes a weight (weight, gradient, Adam's two
moments), 4 more of the generator's for the average, and what one backward pass keeps of its forward pass.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time

import torch
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import MODELS

#: resolution, base channels, batch
SWEEPS = {
    "resolution": [(size, 8, 8) for size in (16, 32, 64, 128, 256)],
    "width": [(32, base, 16) for base in (4, 8, 16, 32)],
    "batch": [(32, 8, batch) for batch in (8, 16, 32, 64)],
}
CLASSES, MEBIBYTE = 10, 2**20


def build(size, base):
    """Return a small BigGAN and its optimisers."""
    model = MODELS.build(
        dict(
            type="ConditionalGAN",
            generator=dict(type="BigGANGenerator", image_size=size, num_classes=CLASSES, base_channels=base),
            discriminator=dict(
                backbone=dict(type="BigGANBackbone", image_size=size, base_channels=base),
                heads=dict(adv=dict(type="ProjectionHead", num_classes=CLASSES)),
            ),
            losses=dict(adversarial=dict(type="HingeLoss")),
            condition_sampler=dict(type="UniformLabel", num_classes=CLASSES),
            data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True),
            step=dict(n_critic=1, split_d=False),
        )
    )
    section = dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999)))
    return model, GANOptimWrapperConstructor(dict(generator=section, discriminator=section))(model)


class Kept:
    """Counts the bytes that graphs keep for their backward passes, until each one runs."""

    def __init__(self):
        self.alive, self.most = {}, 0

    def pack(self, tensor):
        storage = tensor.untyped_storage()
        self.alive[storage.data_ptr()] = storage.nbytes()
        self.most = max(self.most, sum(self.alive.values()))
        return tensor

    def unpack(self, tensor):
        self.alive.clear()
        return tensor


def measure(row, rounds, clock):
    """Return GFLOP, seconds, expected and measured MiB of a step."""
    size, base, batch = row
    torch.manual_seed(0)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model, optimizers = build(size, base)
    image = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    data = {"image": image, "label": torch.randint(CLASSES, (batch,))}
    now = time.process_time if clock == "cpu" else time.perf_counter
    seconds = []
    for _ in range(rounds + 1):
        begin = now()
        model.train_step(data, optimizers)
        seconds.append(now() - begin)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    kept = Kept()
    saved = torch.autograd.graph.saved_tensors_hooks(kept.pack, kept.unpack)
    with saved, FlopCounterMode(display=False) as counter:
        model.train_step(data, optimizers)
    weights = sum(
        p.numel() for network in (model.generator, model.discriminator) for p in network.parameters()
    )
    average = sum(p.numel() for p in model.generator.parameters())
    expected = (kept.most + 16 * weights + 4 * average) / MEBIBYTE
    return counter.get_total_flops() / 1e9, min(seconds[1:]), expected, grown


def main():
    """Measure and print a table for each sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=SWEEPS, default=list(SWEEPS))
    options = parser.parse_args()
    init_default_scope("mmcgan")
    torch.set_num_threads(1)  # a forked process cannot use the threads of its parent
    MODELS.import_from_location()
    context = multiprocessing.get_context("fork")
    columns = ("pixels", "base channels", "batch", "GFLOP", "seconds", "MiB expected", "MiB measured")
    for sweep in options.only:
        print(
            f"\n| {' | '.join((*columns, 'FLOPs grow', 'time grows', 'memory expected to grow', 'grows'))} |"
        )
        print("|---" * (len(columns) + 4) + "|")
        before = None
        for row in SWEEPS[sweep]:
            with context.Pool(1) as pool:
                found = pool.apply(measure, (row, options.rounds, options.clock))
            growth = [
                "" if before is None else f"{b / a:.1f} x"
                for a, b in zip(before or found, found, strict=True)
            ]
            cells = [*map(str, row), *(f"{value:.3g}" for value in found), *growth]
            print(f"| {' | '.join(cells)} |", flush=True)
            before = found


if __name__ == "__main__":
    main()
