"""How much memory there is, and whether images of a size fit into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

#: Of one image while it is made, turned into levels and compressed.
BYTES_PER_PIXEL = 48
#: Of one number in the order in which images are read: Python's object, and where it is.
BYTES_PER_NUMBER = 40
MEMORY_INFO = Path("/proc/meminfo")


def check_memory(shape: tuple[int, int], owner: str, instead: str, kept: int = 1) -> None:
    """Check that images of a shape (height, width) can be made and written, ``kept`` of them at once.

    Raises:
        ValueError: more memory than is available; says what to ask for ``instead``.
    """
    needed, available = kept * shape[0] * shape[1] * BYTES_PER_PIXEL, available_memory()
    if available is not None and needed > available:
        images = "an image of" if kept == 1 else f"{kept} images of"
        raise ValueError(
            f"{owner}: {images} {shape[0]} x {shape[1]} would take {needed / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are available; ask for {instead} of at most "
            f"{available // (kept * BYTES_PER_PIXEL)} pixels{'' if kept == 1 else ', or for fewer at a time'}"
        )


def check_order(images: int, owner: str) -> None:
    """Check that the order of so many images could be held; what is kept of each comes on top.

    Raises:
        ValueError: it alone takes more memory than is available.
    """
    needed, available = images * BYTES_PER_NUMBER, available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"{owner}: the order of {images:,} images alone would take {needed / 1e9:,.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are available; ask for fewer"
        )


def check_weights_fit(network: Any) -> None:
    """Check that the weights of a network that was made without memory for them could be held at all.

    Raises:
        ValueError: they take more than the machine and its largest device have.
    """
    if not isinstance(network, nn.Module):
        return
    needed = sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
    devices = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    largest = max((torch.cuda.get_device_properties(number).total_memory for number in devices), default=0)
    there = max(total_memory() or 0, largest)
    if there and needed > there:
        raise ValueError(
            f"its weights alone would take {needed / 1e9:.3g} GB of memory, "
            f"this machine has {there / 1e9:.3g} GB"
        )


def available_memory() -> int | None:
    """Return how many bytes of memory can be had, None where the system does not say."""
    return _stated("MemAvailable:")


def total_memory() -> int | None:
    """Return how many bytes of memory the machine has, None where the system does not say."""
    return _stated("MemTotal:")


def _stated(name: str) -> int | None:
    try:
        lines = MEMORY_INFO.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(name)]
    return int(found[0]) * 1024 if found else None
