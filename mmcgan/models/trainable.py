"""Two short-lived switches of the training step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def only_trainable(optimizer: Any, optimizers: Iterable[Any]) -> Iterator[None]:
    """Let gradients reach the parameters of ``optimizer`` and of no other of ``optimizers``.

    Membership in an optimiser decides, not membership in a network: a head of the
    discriminator that the generator's optimiser trains (InfoGAN) learns in its step, and a
    frozen layer (FreezeD), which no optimiser holds, in none.
    """
    everything = [parameter for each in optimizers for parameter in each.parameters()]
    for parameter in everything:
        parameter.requires_grad_(False)
    for parameter in optimizer.parameters():
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in everything:
            parameter.requires_grad_(True)


@contextmanager
def untracked_batch_statistics(network: nn.Module, active: bool = True) -> Iterator[None]:
    """Use batch statistics without moving the running ones while the context lasts."""
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    for norm in norms if active else []:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
