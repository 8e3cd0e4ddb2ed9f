"""Which mean and variance a generator's batch normalisation uses when it is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcgan.random import make_generator
from mmcgan.structures import Condition

RULES = ("running", "average", "exponential", "batch")


@dataclass(frozen=True)
class BatchStatistics:
    """How a generator's batch statistics are taken for an evaluation.

    Attributes:
        rule: ``running``, those of training; ``average``, the mean over ``steps`` fresh batches
            (BigGAN-PyTorch's standing statistics); ``exponential``, the running average of ``steps``
            fresh batches from a reset start (StudioGAN's standing statistics, which keep 0.9**steps of the
            reset values); ``batch``, those of each generated batch.
        steps: number of fresh batches.
        batch_size: images in each.
        random_sizes: draw every batch's size from 1..batch_size, as StudioGAN does.
        seed: of the fresh batches.

    Raises:
        ValueError: an unknown rule, or a number below 1.
    """

    rule: str = "running"
    steps: int = 16
    batch_size: int = 64
    random_sizes: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"batch statistics: rule={self.rule!r}: choose one of {', '.join(RULES)}")
        if self.steps < 1 or self.batch_size < 1:
            raise ValueError(
                f"batch statistics: steps and batch_size must be at least 1, got {self.steps} and "
                f"{self.batch_size}"
            )

    @property
    def drawn(self) -> bool:
        """Whether they are computed from latents drawn for it, before an evaluation."""
        return self.rule in ("average", "exponential")

    def describe(self) -> dict[str, Any]:
        """Return what decides the statistics, as JSON types."""
        return asdict(self) if self.drawn else {"rule": self.rule}


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch normalisations that keep running statistics."""
    return [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]


@torch.no_grad()
def accumulate_statistics(
    network: nn.Module, passes: Iterable[Callable[[], Any]], rule: str = "average"
) -> None:
    """Replace the running statistics by those of ``passes``, each a forward of ``network``.

    They run in training mode, so that spectral-norm vectors move too, as in the peers. The network is in
    evaluation mode afterwards.

    Args:
        network: a generator; one without batch normalisation is left as it is.
        passes: forwards of it.
        rule: ``average`` or ``exponential``, see :class:`BatchStatistics`.

    Raises:
        ValueError: another rule.
    """
    if rule not in ("average", "exponential"):
        raise ValueError(f"standing statistics: rule={rule!r}: choose average or exponential")
    norms = batch_norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        if rule == "average":
            norm.momentum = None
    network.train()
    for run in passes if norms else ():
        run()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


@contextmanager
def evaluation_statistics(
    network: nn.Module,
    statistics: BatchStatistics,
    draw: Callable[[int, torch.Generator], tuple[Tensor, Condition]],
) -> Iterator[None]:
    """Let ``network`` use ``statistics`` while the context lasts; afterwards it is as it was.

    Args:
        network: a generator, called as ``network(latent, condition)``.
        statistics: what to use.
        draw: returns n latents and conditions on the network's device, drawn from a generator.
    """
    if statistics.rule == "running" or not batch_norms(network):
        yield
        return
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    handles = []
    try:
        if statistics.rule == "batch":
            handles = [handle for norm in batch_norms(network) for handle in _use_batches(norm)]
        else:
            accumulate_statistics(network, _fresh_passes(network, statistics, draw), statistics.rule)
        yield
    finally:
        for handle in handles:
            handle.remove()
        network.load_state_dict(kept)


def _fresh_passes(
    network: nn.Module, statistics: BatchStatistics, draw: Callable[..., tuple[Tensor, Condition]]
) -> Iterator[Callable[[], Any]]:
    source = make_generator(statistics.seed, "standing statistics")
    for _ in range(statistics.steps):
        size = statistics.batch_size
        if statistics.random_sizes:
            size = int(torch.randint(1, size + 1, (), generator=source))
        yield partial(network, *draw(size, source))


def _use_batches(norm: _BatchNorm) -> list[Any]:
    """Make ``norm`` normalise by its own batch, and remember nothing, although the network evaluates."""

    def before(module: _BatchNorm, inputs: Any) -> None:
        module.training, module.track_running_stats = True, False

    def after(module: _BatchNorm, inputs: Any, output: Tensor) -> None:
        module.training, module.track_running_stats = False, True

    return [norm.register_forward_pre_hook(before), norm.register_forward_hook(after)]
