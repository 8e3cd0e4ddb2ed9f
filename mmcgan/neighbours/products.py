"""Matrix products whose rounding is known: which precision is fast, and what each may be wrong by.

For a product in floating point with unit roundoff u, whatever the order of its F additions,

    |fl(x·y) - x·y| <= γ_F |x|·|y|,  γ_F = F u / (1 - F u)

(N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1, equation 3.5), where
|x|·|y| is at most the product of the lengths. Products of bfloat16 numbers are exact in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

#: largest relative error of rounding to nearest
UNIT_ROUNDOFF = {torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24, torch.float64: 2.0**-53}
#: sums on matrix units of a GPU are aligned and cut off instead of rounded
CUT_OFF = 4.0


def product_dtype(device: torch.device) -> torch.dtype:
    """Return the precision whose products are fastest: bfloat16 with matrix units, else float32."""
    if device.type == "cuda":
        return torch.bfloat16
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return torch.bfloat16 if device.type == "cpu" and has_tiles() else torch.float32


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
