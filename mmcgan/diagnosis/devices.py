"""CUDA devices and what works on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmcgan.diagnosis.finding import BROKEN, NOTE, Finding


def devices() -> list[Finding]:
    """Return one line per CUDA device and one per thing tried on the first."""
    import torch

    if not torch.cuda.is_available():
        built = torch.version.cuda
        if built is None:
            return [Finding("CUDA", "torch is built without it; networks run on the CPU")]
        advice = "if there is a GPU: nvidia-smi says whether its driver works and is new enough"
        return [Finding("CUDA", f"torch is built for {built}, no device is found", advice=advice)]
    found = [_device(number) for number in range(torch.cuda.device_count())]
    return [*found, *(_tried(name, attempt) for name, attempt in ATTEMPTS.items())]


def _device(number: int) -> Finding:
    import torch

    free, total = torch.cuda.mem_get_info(number)
    properties = torch.cuda.get_device_properties(number)
    value = f"{properties.name}, compute capability {properties.major}.{properties.minor}, "
    value += f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    return Finding(f"cuda:{number}", value)


def _tried(name: str, attempt: Callable[[], Any]) -> Finding:
    try:
        answer = attempt()
    except Exception as error:  # whatever it is, it is what the user needs to see
        return Finding(name, f"{type(error).__name__}: {error}", BROKEN, "the driver and torch may not fit")
    return Finding(name, "works" if answer else "not there", "ok" if answer else NOTE)


def _convolution(dtype: str, channels_last: bool) -> bool:
    import torch

    form = torch.channels_last if channels_last else torch.contiguous_format
    kind = getattr(torch, dtype)
    image = torch.ones(2, 8, 8, 8, device="cuda", dtype=kind).to(memory_format=form).requires_grad_()
    kernel = torch.ones(8, 8, 3, 3, device="cuda", dtype=kind)
    torch.nn.functional.conv2d(image, kernel, padding=1).float().sum().backward()
    torch.cuda.synchronize()
    return image.grad is not None and bool(torch.isfinite(image.grad).all())


def _bfloat16() -> bool:
    from mmcgan.precision import bfloat16_is_fast

    return bfloat16_is_fast("cuda") and _convolution("bfloat16", False)


def _nccl() -> bool:
    import torch.distributed as torch_dist

    return torch_dist.is_available() and torch_dist.is_nccl_available()


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "float32": lambda: _convolution("float32", False),
    "bf16": _bfloat16,
    "channels-last": lambda: _convolution("float32", True),
    "nccl": _nccl,
}
