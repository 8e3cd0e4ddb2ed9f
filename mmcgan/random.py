"""Named random streams, derived from (seed, name, iteration, rank).

Nothing is drawn from a global generator. A stream is a function of the iteration, so a
resumed run, or a run with other workers, draws the same numbers without storing any
generator state; only the seed and the iteration are checkpointed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.dist import get_rank
from torch import Tensor, nn


def derive_seed(*parts: int | str) -> int:
    """Return a 63-bit seed that depends on all ``parts``.

    Examples:
        >>> derive_seed(0, "latent") == derive_seed(0, "label")
        False
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def make_generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator on ``device`` seeded by :func:`derive_seed`.

    Examples:
        >>> import torch
        >>> one, same = (torch.rand(2, generator=make_generator(0, "latent")) for _ in range(2))
        >>> torch.equal(one, same)
        True
    """
    return torch.Generator(device).manual_seed(derive_seed(*parts))


class RandomStreams(nn.Module):
    """The generators of one training run.

    A *shared* stream (``streams["latent"]``) is equal on every rank: draw for the global
    batch and keep the own rows, so that N processes equal one with N times the batch. A
    *local* stream (``streams.local("augment", device)``) differs between ranks.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.iteration = 0
        self._open: dict[tuple[str, ...], torch.Generator] = {}

    def start(self, iteration: int) -> None:
        """Begin ``iteration``: every stream restarts from its own seed for it."""
        self.iteration = iteration
        self._open.clear()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let side work draw without a trace: afterwards every stream goes on where it was.

        Meanwhile all streams are as at the beginning of the iteration.
        """
        kept, self._open = self._open, {}
        try:
            yield
        finally:
            self._open = kept

    def __getitem__(self, name: str) -> torch.Generator:
        return self._stream((name,), "cpu")

    def local(self, name: str, device: torch.device | str = "cpu") -> torch.Generator:
        """Return the stream ``name`` of this rank, on ``device``."""
        return self._stream((name, f"rank{get_rank()}"), device)

    def _stream(self, key: tuple[str, ...], device: torch.device | str) -> torch.Generator:
        if key not in self._open:
            self._open[key] = make_generator(self.seed, *key, self.iteration, device=device)
        return self._open[key]

    def get_extra_state(self) -> Tensor:
        """Return (seed, iteration) for the checkpoint, int64 (2,)."""
        return torch.tensor([self.seed, self.iteration])

    def set_extra_state(self, state: Tensor) -> None:
        """Restore :meth:`get_extra_state`."""
        self.seed, iteration = (int(value) for value in state)
        self.start(iteration)
