"""What the form of a gradient costs on a processor: strided depthwise filters, a gate behind a batch norm.

    python benchmarks/strided_filters.py [--rounds 5]

Prints milliseconds, forward and backward, least of some rounds taken in turns, one thread, channels-last: the
filters that halve and double StyleGAN2's maps in bfloat16 and in float32, and FastGAN's batch norm followed
by its gate, as ``torch.nn.functional.glu`` and as mmcgan computes it. ``in_float32_on_processors`` and
``gated_linear_unit`` come from it; docs/performance.md has the table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.models.layers.gated_blocks import gated_linear_unit
from mmcgan.models.layers.resample import BINOMIAL

BATCH, CHANNELS, SIDE = 32, 64, 32


def halve(x: Tensor, kernel: Tensor) -> Tensor:
    """Filter and halve every channel apart."""
    return F.conv2d(x, kernel.to(x.dtype), stride=2, padding=1, groups=x.shape[1])


def double(x: Tensor, kernel: Tensor) -> Tensor:
    """Double and filter every channel apart."""
    return F.conv_transpose2d(x, kernel.to(x.dtype), stride=2, padding=1, groups=x.shape[1])


def gate(x: Tensor, unit: Callable[[Tensor], Tensor]) -> Tensor:
    """Normalise by the batch, then gate."""
    ones, zeros = torch.ones(x.shape[1]), torch.zeros(x.shape[1])
    return unit(F.batch_norm(x, None, None, ones.requires_grad_(), zeros.requires_grad_(), training=True))


def milliseconds(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype, rounds: int
) -> tuple[float, float]:
    """Return the least time of one call and of its backward pass."""
    x = torch.randn(BATCH, CHANNELS, SIDE, SIDE).to(dtype, memory_format=torch.channels_last).requires_grad_()
    there, back = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        result = function(x)
        there.append(time.perf_counter() - start)
        upstream = torch.randn_like(result)
        start = time.perf_counter()
        result.backward(upstream)
        back.append(time.perf_counter() - start)
    return 1000 * min(there), 1000 * min(back)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    row = torch.tensor(BINOMIAL) / sum(BINOMIAL)
    kernel = torch.outer(row, row).expand(CHANNELS, 1, len(BINOMIAL), len(BINOMIAL))
    cases = {
        "halve": partial(halve, kernel=kernel),
        "double": partial(double, kernel=kernel),
        "batch norm, F.glu": partial(gate, unit=partial(F.glu, dim=1)),
        "batch norm, gated_linear_unit": partial(gate, unit=gated_linear_unit),
    }
    for name, function in cases.items():
        times = {dtype: milliseconds(function, dtype, rounds) for dtype in (torch.float32, torch.bfloat16)}
        texts = [f"{str(dtype)[6:]} {a:6.1f} + {b:6.1f} ms" for dtype, (a, b) in times.items()]
        print(f"{name:32s}{'   '.join(texts)}")


if __name__ == "__main__":
    main()
