"""Where a network takes random numbers from inside its forward pass."""

from __future__ import annotations

import torch
from torch import nn

from mmcgan.random import RandomStreams, make_generator


class RandomSource:
    """Random generators of a network that draws noise, by name.

    Inside a training run they are the run's streams (see :func:`connect_random_sources`). A network on
    its own, such as an averaged one, continues generators of its own, which start from a fixed seed.
    """

    def __init__(self) -> None:
        self.streams: RandomStreams | None = None
        self._own: dict[tuple[str, str], torch.Generator] = {}

    def shared(self, name: str) -> torch.Generator:
        """Return a generator on the CPU that is equal on all ranks."""
        return self._alone(name, torch.device("cpu")) if self.streams is None else self.streams[name]

    def local(self, name: str, device: torch.device) -> torch.Generator:
        """Return a generator on ``device`` that differs between ranks."""
        return self._alone(name, device) if self.streams is None else self.streams.local(name, device)

    def _alone(self, name: str, device: torch.device) -> torch.Generator:
        key = (name, str(device))
        if key not in self._own:
            self._own[key] = make_generator("network on its own", name, device=device)
        return self._own[key]

    def __deepcopy__(self, memo: object) -> RandomSource:
        """Return a source on its own: the copy of a network belongs to no run."""
        return RandomSource()

    def __reduce__(self) -> tuple[type[RandomSource], tuple[()]]:
        return RandomSource, ()


def connect_random_sources(network: nn.Module, streams: RandomStreams) -> None:
    """Let every module of ``network`` that has a :class:`RandomSource` draw from ``streams``."""
    for module in network.modules():
        for value in vars(module).values():
            if isinstance(value, RandomSource):
                value.streams = streams
