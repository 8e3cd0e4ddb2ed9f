"""Convolutions by products of tiles over torch's: from how many channels on are they faster?

    python benchmarks/tiled_convolution.py [--channels 64 128 256 384] [--rounds 4]

Prints CPU milliseconds and GFLOP/s (of the direct sum) of torch's convolution and ours, for float32 in
channels-last layout, by kind of convolution and what is computed. Both take turns; least of the rounds.
"""

from __future__ import annotations

import argparse
import itertools
import time

import torch

from mmcgan.models.layers import tiled_convolution as tiled
from mmcgan.process import tune_process

KINDS = {"3x3": tiled.SAME, "3x3, stride 2": tiled.HALVING, "transposed, stride 2": tiled.DOUBLING}
#: images and pixels of the larger map: 16 images of 32 x 32, and so on
SIZES = ((16, 32), (32, 16), (32, 8))


def least(functions, rounds):
    """Return the least CPU seconds of each function, which take turns."""
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for number, function in enumerate(functions):
            start = time.process_time()
            function()
            best[number] = min(best[number], time.process_time() - start)
    return best


def cases(shape, images, side, channels):
    """Return the direct products and functions of torch and of us by what they compute."""
    if shape.stride == 2:
        side = side // 2 if shape.transposed else side + 1
    x, weight = torch.randn(images, channels, side, side), torch.randn(channels, channels, 3, 3)
    x, weight = (value.contiguous(memory_format=torch.channels_last) for value in (x, weight))
    y = torch.convolution(x, weight, None, *shape.arguments())
    gradient = torch.randn_like(y)
    products = (x if shape.transposed else y).numel() * channels * 9

    def torchs(mask):
        return lambda: tiled._plain_gradients(gradient, x, weight, shape, mask)

    found = {"weight": (torchs([False, True, False]), lambda: tiled._weight_gradient(gradient, x, shape))}
    if shape == tiled.SAME:
        plain = lambda: torch.convolution(x, weight, None, *shape.arguments())  # noqa: E731
        found["result"] = plain, lambda: tiled._tiled_result(x, weight)
    return products, found


def main():
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 128, 256, 384])
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    print("| kind | what | channels | images x pixels | torch ms | GFLOP/s | ours ms | GFLOP/s | ratio |")
    print("|---" * 9 + "|")
    for kind, channels, (images, side) in itertools.product(KINDS, options.channels, SIZES):
        products, functions = cases(KINDS[kind], images, side, channels)
        for what, pair in functions.items():
            plain, ours = least(pair, options.rounds)
            rates = [f"{1e3 * s:.1f} | {2e-9 * products / s:.0f}" for s in (plain, ours)]
            place = f"{channels} | {images} x {side}²"
            print(f"| {kind} | {what} | {place} | {' | '.join(rates)} | {ours / plain:.2f} |", flush=True)


if __name__ == "__main__":
    tune_process()
    torch.set_num_threads(1)
    main()
