"""In which precision networks compute: one place decides, by measurement, and all others ask it.

bfloat16 halves the time of a network where the processor multiplies it and multiplies the time by up to
ten where torch has to emulate it. What a processor is called says little (an environment variable, a
virtual machine or a build of torch may hide its units), so that the answer of oneDNN is confirmed by
timing one small convolution, forward and backward, in each precision: some 0.1 s (0.2 s where bfloat16 is
emulated), once a process, by the thread's own time and the least of rounds in turn (:mod:`mmcgan.timing`).
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.distributed import first_answer
from mmcgan.timing import least_seconds

AUTO = "auto"
#: What networks can compute in; weights stay float32.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
#: What a frozen network, or one trained without a gradient scaler, may be told.
Precision = Literal["auto", "float32", "bfloat16"]
NETWORK_PRECISIONS = ("auto", "float32", "bfloat16")

# bfloat16 costs digits: it has to gain more than a busy machine's timings vary.
LEAST_RATIO = 1.1
PROBE_SHAPE = (8, 64, 16, 16)


@dataclass(frozen=True)
class Choice:
    """What ``auto`` means on one kind of device.

    Attributes:
        precision: ``float32`` or ``bfloat16``.
        ratio: time of a small convolution, forward and backward, in float32 over that in bfloat16; None
            where it was not measured.
        reason: why, for people.
    """

    precision: str
    ratio: float | None
    reason: str

    def __str__(self) -> str:
        return f"{self.precision} ({self.reason})"


def choose(device: str | torch.device) -> Choice:
    """Return what ``auto`` means on ``device``; the same on all ranks of a distributed job.

    There the rank that asks first decides for all, since ranks that compute differently would no longer
    train the same network.
    """
    kind = torch.device(device).type
    found = measure(kind)
    return Choice(**json.loads(first_answer(f"precision/{kind}", json.dumps(asdict(found)))))


def resolve(precision: str, device: str | torch.device) -> str:
    """Return ``precision``, or for ``auto`` what is fast on ``device``.

    Raises:
        ValueError: an unknown precision.
    """
    if precision == AUTO:
        return choose(device).precision
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join((AUTO, *PRECISIONS))}, got {precision!r}")
    return precision


def check_network_precision(precision: str) -> None:
    """Refuse what a network without a gradient scaler cannot compute in.

    Raises:
        ValueError: neither ``auto``, ``float32`` nor ``bfloat16``.
    """
    if precision not in NETWORK_PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(NETWORK_PRECISIONS)}, got {precision!r}")


def bfloat16_is_fast(device: str | torch.device = "cpu") -> bool:
    """Return whether ``device`` computes faster in bfloat16 than in float32."""
    return choose(device).precision == "bfloat16"


def recorded_or_faster(recorded: str, device: str | torch.device) -> str:
    """Return the precision that a file was made in, or float32 where its bfloat16 would be emulated.

    For frozen networks whose output in float32 agrees with that in bfloat16, such as the extractors of
    instances.
    """
    emulated = recorded == "bfloat16" and not bfloat16_is_fast(device)
    return "float32" if emulated else resolve(recorded, device)


def autocast(precision: str, device: str | torch.device) -> AbstractContextManager[None]:
    """Return the context in which networks on ``device`` compute in ``precision`` (or ``auto``)."""
    kind, wanted = torch.device(device).type, resolve(precision, device)
    return torch.autocast(kind, dtype=PRECISIONS[wanted], enabled=wanted != "float32")


@cache
def measure(kind: str) -> Choice:
    """Return what this process finds on a kind of device (``cpu``, ``cuda``), measured once."""
    if kind == "cpu":
        return decide_on_cpu(has_bfloat16_units(), *convolution_seconds())
    if kind == "cuda" and torch.cuda.is_available():
        return decide_on_cuda(torch.cuda.is_bf16_supported(including_emulation=False))
    return Choice("float32", None, f"bfloat16 is not used on {kind} devices")


def decide_on_cpu(units: bool, float32: float, bfloat16: float) -> Choice:
    """Decide from oneDNN's answer and the seconds of a small convolution in either precision."""
    ratio = float32 / bfloat16
    measured = (
        f"a small convolution is {ratio:.1f} times as fast in bfloat16 as in float32"
        if ratio >= 1
        else f"a small convolution takes {1 / ratio:.1f} times as long in bfloat16 as in float32"
    )
    if not units:
        return Choice("float32", ratio, f"oneDNN has no bfloat16 on this processor; {measured}")
    if ratio < LEAST_RATIO:
        return Choice("float32", ratio, f"bfloat16 gains nothing on this processor; {measured}")
    return Choice("bfloat16", ratio, measured)


def decide_on_cuda(units: bool) -> Choice:
    """Decide from what torch says of the device."""
    if units:
        return Choice("bfloat16", None, "the CUDA device multiplies it")
    return Choice("float32", None, "the CUDA device does not multiply bfloat16")


def has_bfloat16_units() -> bool:
    """Return whether oneDNN multiplies bfloat16 on this processor, within what its environment allows."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # torch was built without oneDNN
        return False


def convolution_seconds() -> tuple[float, float]:
    """Return the least seconds of a small convolution, forward and backward, in float32 and bfloat16.

    It runs on one thread. Random state, the number of threads and the caller's autograd and autocast modes
    are as before afterwards.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            return _time_in_turns()
    finally:
        torch.set_num_threads(threads)


def _time_in_turns() -> tuple[float, float]:
    image = torch.ones(PROBE_SHAPE, dtype=torch.float32, device="cpu")
    image = image.to(memory_format=torch.channels_last).requires_grad_()
    channels = PROBE_SHAPE[1]
    kernel = torch.ones(channels, channels, 3, 3, dtype=torch.float32, device="cpu", requires_grad=True)
    ways = [partial(_convolve_once, image, kernel, bfloat16) for bfloat16 in (False, True)]
    float32, bfloat16 = least_seconds(ways)
    return float32, bfloat16


def _convolve_once(image: Tensor, kernel: Tensor, bfloat16: bool) -> None:
    """Compute one convolution, forward and backward."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16, cache_enabled=False):
        output = F.conv2d(image, kernel, padding=1)
    torch.autograd.grad(output.float().sum(), (image, kernel))
