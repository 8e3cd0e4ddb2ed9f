"""Checks of optimisers, and of what wraps them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.registry import OPTIM_WRAPPERS, OPTIMIZERS
from mmcgan.testing.requirements import check_finite, require, source

STEPS = 4

Weights = dict[str, Tensor]


def check_optimizer(optimizer: Mapping[str, Any]) -> None:
    """Check an optimiser: it descends, repeats itself, and goes on from its ``state_dict``.

    Args:
        optimizer: its config, without ``params``.

    Raises:
        CheckError: names what is wrong.
    """

    def run(network: nn.Module) -> Any:
        return OPTIMIZERS.build({**optimizer, "params": list(network.parameters())})

    _check(str(optimizer["type"]), run, _step)


def check_optim_wrapper(wrapper: Mapping[str, Any]) -> None:
    """Check what wraps an optimiser like :func:`check_optimizer`; its steps are ``update_params``.

    Args:
        wrapper: its config; Adam if it has no ``optimizer``.

    Raises:
        CheckError: names what is wrong.
    """

    def run(network: nn.Module) -> Any:
        given = {"type": "Adam", "lr": 0.01, **wrapper.get("optimizer", {})}
        inner = OPTIMIZERS.build({**given, "params": list(network.parameters())})
        return OPTIM_WRAPPERS.build({**wrapper, "optimizer": inner})

    _check(str(wrapper["type"]), run, lambda wrapped, network: wrapped.update_params(_loss(network)))


def _check(name: str, make: Callable[[nn.Module], Any], step: Callable[[Any, nn.Module], None]) -> None:
    start = float(_loss(_network()).detach())
    first, second = (_weights(*_run(make, step, STEPS)) for _ in range(2))
    require(_same(first, second), f"{name}: two runs from the same weights differ")
    network, _ = _run(make, step, STEPS)
    for key, value in first.items():
        check_finite(name, key, value)
    require(float(_loss(network).detach()) < start, f"{name} does not descend in {STEPS} steps")
    half, state = _run(make, step, STEPS // 2)
    file = io.BytesIO()
    torch.save({"network": half.state_dict(), "optimizer": state.state_dict()}, file)
    file.seek(0)
    kept = torch.load(file, weights_only=True)
    fresh = _network()
    fresh.load_state_dict(kept["network"])
    resumed = make(fresh)
    resumed.load_state_dict(kept["optimizer"])
    for _ in range(STEPS - STEPS // 2):
        step(resumed, fresh)
    require(
        _same(first, _weights(fresh, resumed)),
        f"{name}: weights differ after its state was saved and loaded: what changes must be in state_dict()",
    )


def _run(make: Callable[[nn.Module], Any], step: Callable[[Any, nn.Module], None], steps: int) -> Any:
    network = _network()
    optimizer = make(network)
    for _ in range(steps):
        step(optimizer, network)
    return network, optimizer


def _network() -> nn.Module:
    network = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    with torch.no_grad():
        for index, parameter in enumerate(network.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=source(index)))
    return network


def _loss(network: nn.Module) -> Tensor:
    given = torch.randn(6, 4, generator=source(9))
    wanted = torch.randn(6, 2, generator=source(10))
    loss: Tensor = (network(given) - wanted).square().mean()
    return loss


def _step(optimizer: Any, network: nn.Module) -> None:
    optimizer.zero_grad()
    _loss(network).backward()
    optimizer.step()


def _weights(network: nn.Module, _: Any) -> Weights:
    return {key: value.clone() for key, value in network.state_dict().items()}


def _same(first: Weights, second: Weights) -> bool:
    return all(torch.equal(value, second[key]) for key, value in first.items())
