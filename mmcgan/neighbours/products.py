"""Matrix products whose rounding is known: which precision is fast, and what each may be wrong by.

For a product in floating point with unit roundoff u, whatever the order of its F additions,

    |fl(x·y) - x·y| <= γ_F |x|·|y|,  γ_F = F u / (1 - F u)

(N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1, equation 3.5), where
|x|·|y| is at most the product of the lengths. Products of bfloat16 numbers are exact in float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F

from mmcgan.precision import has_bfloat16_units
from mmcgan.timing import least_seconds

#: largest relative error of rounding to nearest
UNIT_ROUNDOFF = {torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24, torch.float64: 2.0**-53}
#: sums on matrix units of a GPU are aligned and cut off instead of rounded
CUT_OFF = 4.0
PROBE_SHAPE = (512, 1024)
#: how much faster bfloat16 has to be, since more pairs have to be measured again after it
WORTH_ITS_DIGITS = 1.5


@cache
def bfloat16_gain(kind: str) -> float:
    """Return how many times as fast as in float32 a matrix product is in bfloat16; measured once, 0.1 s.

    About 2 where vector units multiply bfloat16, 4 and more with matrix units, far below 1 where it is
    emulated. What is chosen by it changes no result.
    """
    if kind != "cpu":
        return math.inf if kind == "cuda" else 0.0
    if not has_bfloat16_units():
        return 0.0
    factors = [torch.ones(PROBE_SHAPE, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with full_precision():
            float32, bfloat16 = least_seconds([partial(F.linear, factor, factor) for factor in factors])
    finally:
        torch.set_num_threads(threads)
    return float32 / bfloat16


def product_dtype(device: torch.device) -> torch.dtype:
    """Return the precision whose products decide most comparisons in the shortest time."""
    fast = bfloat16_gain(device.type) >= WORTH_ITS_DIGITS
    return torch.bfloat16 if fast else torch.float32


def gamma(count: int, unit: float) -> float:
    """Return γ, which bounds the relative error of ``count`` roundings; infinity where it has no bound."""
    return count * unit / (1 - count * unit) if count * unit < 0.5 else float("inf")


@contextmanager
def full_precision() -> Iterator[None]:
    """Let products be what their types say: no autocast, no TensorFloat-32, no bfloat16 behind float32."""
    cuda = torch.backends.cuda.matmul
    wanted: list[tuple[Any, str, Any]] = [(cuda, "allow_bf16_reduced_precision_reduction", False)]
    backends = [backend for backend in (cuda, getattr(torch.backends.mkldnn, "matmul", None)) if backend]
    named = all(hasattr(backend, "fp32_precision") for backend in backends) and len(backends) == 2
    wanted += [(backend, "fp32_precision", "ieee") for backend in backends] if named else []
    before = [getattr(owner, name) for owner, name, _ in wanted]
    legacy = None if named else torch.get_float32_matmul_precision()
    try:
        for owner, name, value in wanted:
            setattr(owner, name, value)
        if legacy is not None:
            torch.set_float32_matmul_precision("highest")
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False), torch.no_grad():
            yield
    finally:
        for (owner, name, _), value in zip(wanted, before, strict=True):
            setattr(owner, name, value)
        if legacy is not None:
            torch.set_float32_matmul_precision(legacy)
