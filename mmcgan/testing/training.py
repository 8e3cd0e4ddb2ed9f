"""Whether a network in training goes on, from what a checkpoint keeps of it, as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from mmcgan.models.random_source import connect_random_sources
from mmcgan.random import RandomStreams
from mmcgan.testing.requirements import require

RATE = 1e-3


def check_resume(network: nn.Module, scalar: Callable[[nn.Module], Tensor]) -> None:
    """Require that two steps equal a step, a new network with its ``state_dict``, and a step.

    What a network keeps outside its weights and buffers is lost where a run goes on.

    Args:
        network: as built; it is copied, not changed.
        scalar: network -> a scalar to descend; draws no global random numbers of its own.
    """
    name = type(network).__name__
    fresh = deepcopy(network)
    whole = deepcopy(network).train()
    _step(whole, scalar)
    kept = deepcopy(whole.state_dict())
    _step(whole, scalar)
    resumed = fresh.train()
    resumed.load_state_dict(kept)
    _step(resumed, scalar)
    for key, value in whole.state_dict().items():
        require(
            torch.equal(value, resumed.state_dict()[key]),
            f"{name}: {key} differs between two steps and two steps with its state_dict reloaded in between: "
            "what changes in training must be a parameter or a buffer",
        )


def _step(network: nn.Module, scalar: Callable[[nn.Module], Tensor]) -> None:
    """Take a plain step of descent."""
    connect_random_sources(network, RandomStreams())  # as a run does, each step from streams of its own
    value = scalar(network)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not trained or not value.requires_grad:
        return
    slopes = torch.autograd.grad(value, trained, allow_unused=True)
    with torch.no_grad():
        for parameter, slope in zip(trained, slopes, strict=True):
            if slope is not None:
                parameter.sub_(RATE * slope)
