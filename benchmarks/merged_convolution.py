"""Merged convolutions over the two steps they stand for: from how many positions on are they faster?

    python benchmarks/merged_convolution.py [--device cpu] [--precision float32] [--channels 32 128 384]

Prints time of the merged form over time of the plain one, forward and forward with backward, by positions of
the smaller map over the batch. The threshold in mmcgan/models/layers/merged_convolution.py comes from it. On
the CPU it counts CPU time of the process, so that other work on the machine disturbs it little.
"""

from __future__ import annotations

import argparse
import time

import torch

from mmcgan.models.layers import merged_convolution
from mmcgan.models.layers.merged_convolution import convolve_and_pool, enlarge_and_convolve

IMAGES = (1, 4, 16, 32, 64, 128, 256)
SIDE = 4
KINDS = {"enlarge": (enlarge_and_convolve, SIDE), "pool": (convolve_and_pool, 2 * SIDE)}


def seconds(function, x, weight, differentiate):
    """Return how long one call takes, with its backward pass if asked for."""
    x, weight = (value.detach().requires_grad_(differentiate) for value in (x, weight))
    if x.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter() if x.is_cuda else time.process_time()
    y = function(x, weight)
    if differentiate:
        y.backward(torch.ones_like(y))
    if x.is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() if x.is_cuda else time.process_time()) - start


def ratio(kind, channels, images, options, differentiate):
    """Return the merged form's least time over the plain form's, taken in turns."""
    function, side = KINDS[kind]
    memory_format = torch.contiguous_format if options.plain_layout else torch.channels_last
    x = torch.randn(images, channels, side, side, device=options.device)
    weight = torch.randn(channels, channels, 3, 3, device=options.device)
    x, weight = (value.contiguous(memory_format=memory_format) for value in (x, weight))
    least = {True: float("inf"), False: float("inf")}
    short = options.precision != "float32"
    if short:
        x = x.to(getattr(torch, options.precision))
    for _ in range(options.rounds):
        for form in least:
            merged_convolution.worth_merging = lambda positions, form=form: form
            with torch.autocast(options.device, dtype=x.dtype, enabled=short):
                least[form] = min(least[form], seconds(function, x, weight, differentiate))
    return least[True] / least[False]


def main():
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 128, 384])
    parser.add_argument("--plain-layout", action="store_true", help="NCHW instead of channels-last")
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    print("| channels, kind | " + " | ".join(str(images * SIDE**2) for images in IMAGES) + " |")
    print("|---" * (len(IMAGES) + 1) + "|")
    for channels in options.channels:
        for kind in KINDS:
            cells = []
            for images in IMAGES:
                values = [ratio(kind, channels, images, options, way) for way in (False, True)]
                cells.append(" / ".join(f"{value:.2f}" for value in values))
            print(f"| {channels}, {kind} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
