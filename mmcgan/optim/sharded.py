"""Networks, gradients, moments and the average in slices, one a rank: ``torch``'s ``fully_shard``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from mmcgan.distributed import average_gradients, is_initialized, world_size
from mmcgan.optim.exchange import Compute, GradientExchange, Share, Terms
from mmcgan.registry import GRADIENT_EXCHANGES
from mmcgan.suggestions import nearest


@GRADIENT_EXCHANGES.register_module()
class ShardedExchange(GradientExchange):
    """Every rank keeps a slice of each parameter, its gradient, its moments and its average.

    For networks whose parameters do not fit one device: of the 20 bytes that a parameter of a
    generator costs (weight, gradient, two moments of Adam, average; float32), each rank holds 20 / N
    between updates. Within an update the weights of both networks are whole, because a GAN's step passes
    through each of them several times and differentiates gradients (R1), for which torch's engine
    must not take them apart in between; gradients are scattered as soon as a unit has its own.

    Checkpoints are ordinary: slices are gathered when they are saved and cut when they are loaded, by
    any number of ranks. Scalars stay whole on every rank; their gradients are averaged in one message.

    Args:
        units: patterns of the names of modules that exchange by themselves, outer ones included in no
            other, such as ``discriminator.backbone.blocks.*``; a network is one unit without. Only modules
            that are called, not looked into, can be one.

    Raises:
        ValueError: a pattern matches no module of the model.
    """

    def __init__(self, units: Sequence[str] = ()) -> None:
        self.units = tuple(units)
        self.networks: list[FSDPModule] = []
        self._inside = False  # of :meth:`whole`

    def prepare(self, model: nn.Module) -> None:
        """Cut every network of ``model`` that has parameters into slices, in place.

        Raises:
            ValueError: see the class; the model is unchanged then.
        """
        chosen = self._find_units(model)
        if not is_initialized():
            return
        # slices are cut of plainly laid out weights; convolutions of channels-last images take them, too
        model.to(memory_format=torch.contiguous_format)
        device = next(model.parameters()).device.type
        mesh = init_device_mesh(device, (world_size(),))
        networks = [child for child in model.children() if any(p.dim() for p in child.parameters())]
        for module in [*chosen, *networks]:
            scalars = {p for p in module.parameters() if not p.dim()}
            fully_shard(module, mesh=mesh, reshard_after_forward=False, ignored_params=scalars)
        self.networks = [network for network in networks if isinstance(network, FSDPModule)]
        for network in self.networks:
            network.set_reshard_after_backward(False)
        self.reshard()

    def _find_units(self, model: nn.Module) -> list[nn.Module]:
        names = dict(model.named_modules())
        chosen: dict[str, nn.Module] = {}
        for pattern in self.units:
            matches = {name: m for name, m in names.items() if fnmatchcase(name, pattern)}
            if not matches:
                raise ValueError(
                    f"distributed.units: the pattern {pattern!r} matches no module."
                    f"{nearest(pattern, list(names)[1:200])}"
                )
            chosen |= matches
        # inner modules before those they are in, as torch asks
        return [chosen[name] for name in sorted(chosen, key=lambda name: -name.count("."))]

    def share(self, parameters: Sequence[nn.Parameter]) -> Share:
        """Return what makes the networks whole for an update of ``parameters``."""
        return _ShardedShare(self, parameters) if self.networks else Share()

    def unshard(self) -> None:
        """Gather the parameters of all networks; all ranks must call it."""
        for network in self.networks:
            for module in _units(network):
                module.unshard()

    def reshard(self) -> None:
        """Keep the own slices only."""
        for network in self.networks:
            for module in _units(network):
                module.reshard()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Make every parameter available here; all ranks must enter, each may use them as it likes."""
        outer, self._inside = self._inside, True
        self.unshard()
        try:
            yield
        finally:
            self._inside = outer
            if not outer:
                self.reshard()

    def gathered(self, state: Any) -> Any:
        """Return ``state`` with whole tensors in the place of slices; all ranks must call it."""
        found = self._gathered(state)
        if self._inside:
            self.unshard()  # taking a state dict has cut the networks
        return found

    def _gathered(self, state: Any) -> Any:
        if isinstance(state, DTensor):
            return state.full_tensor()
        if isinstance(state, Mapping):
            return {key: self._gathered(value) for key, value in state.items()}
        if isinstance(state, list | tuple):
            return type(state)(self._gathered(value) for value in state)
        return state

    def cut(self, state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
        """Return whole weights by name, cut like the parameters of ``model``."""
        self.reshard()
        own = model.state_dict() if self.networks else {}
        return {name: self.cut_like(value, own.get(name)) for name, value in state.items()}

    def cut_like(self, value: Any, parameter: Any) -> Any:
        """Return a whole tensor in slices like ``parameter``; of another shape, it stays."""
        cut = isinstance(parameter, DTensor) and not isinstance(value, DTensor)
        if not cut or not isinstance(value, Tensor) or value.shape != parameter.shape:
            return value
        # every rank has the whole: nothing needs to be sent
        whole = value.to(parameter.device)
        return distribute_tensor(whole, parameter.device_mesh, parameter.placements, src_data_rank=None)


def _units(network: FSDPModule) -> list[FSDPModule]:
    assert isinstance(network, nn.Module)
    return [module for module in network.modules() if isinstance(module, FSDPModule)]


class _ShardedShare(Share):
    def __init__(self, exchange: ShardedExchange, parameters: Sequence[nn.Parameter]) -> None:
        self.exchange = exchange
        self.scalars = [p for p in parameters if not isinstance(p, DTensor)]

    @contextmanager
    def mini_batch(self, last: bool) -> Iterator[Callable[[Compute], Terms]]:
        """Make the networks whole, and scatter the gradients in the last backward pass."""
        for network in self.exchange.networks:
            network.set_requires_gradient_sync(last)
        self.exchange.unshard()
        try:
            yield lambda compute: compute()
        finally:
            self.exchange.reshard()
        if last:
            average_gradients(self.scalars)
