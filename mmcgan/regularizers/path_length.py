"""Path length: equal steps in style space should change images equally."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Regularizer, StepContext


def path_lengths(image: Tensor, style: Tensor, noise: Tensor) -> Tensor:
    """Return |d sum(image * noise) / d style| of every sample, (N,), differentiable.

    Args:
        image: (N, C, H, W), computed from ``style``.
        style: (N, D), or (N, L, D) for L layers, whose squared lengths are averaged.
        noise: like ``image``; standard normal over sqrt(H * W).
    """
    (gradient,) = torch.autograd.grad((image * noise).sum(), style, create_graph=True)
    squared = gradient.square().sum(-1)
    return (squared.flatten(1).mean(1) if squared.dim() > 1 else squared).sqrt()


@REGULARIZERS.register_module()
class PathLengthPenalty(Regularizer):
    """Path length regularisation (StyleGAN2, Sec. 3.2): mean (length - running mean length)^2.

    The running mean is updated before it is used, and the penalty's gradient passes through the
    update. It is checkpointed. Styles are what the generator's ``map(latent, condition)`` returns and
    ``synthesize_styles(styles)`` takes. A generator without these is entered at the latent, by
    ``embed`` and ``synthesize``.

    Args:
        weight: 2 in StyleGAN2.
        interval: 4 in StyleGAN2 (lazy regularisation).
        decay: share of the new lengths in the running mean, in (0, 1].
        shrink: only one in ``shrink`` of the step's latents is used, to save memory.

    Raises:
        ValueError: ``decay`` or ``shrink`` is out of range.
    """

    allowed_on = ("generator",)
    mean: Tensor

    def __init__(
        self,
        on: str = "generator",
        weight: float = 2.0,
        interval: int = 4,
        decay: float = 0.01,
        shrink: int = 2,
    ) -> None:
        super().__init__(on, weight, interval)
        if not 0 < decay <= 1:
            raise ValueError(f"PathLengthPenalty: decay must lie in (0, 1], got {decay}")
        if shrink < 1:
            raise ValueError(f"PathLengthPenalty: shrink must be at least 1, got {shrink}")
        self.decay, self.shrink = decay, shrink
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, context: StepContext) -> Tensor:
        """Return the penalty of the first latents of the step, a scalar."""
        network = context.network
        assert network is not None
        size = max(1, len(context.latent) // self.shrink)
        image, style = network.enter(context.latent[:size], context.fake.condition[slice(size)])
        stream = context.random.local("path length", image.device)
        noise = torch.randn(image.shape, generator=stream, device=image.device, dtype=image.dtype)
        return self.penalty(path_lengths(image, style, noise / (image.shape[2] * image.shape[3]) ** 0.5))

    def penalty(self, lengths: Tensor) -> Tensor:
        """Move the running mean towards ``lengths`` (N,) and return the mean squared distance from it."""
        mean = self.mean.to(lengths).lerp(lengths.mean(), self.decay)
        with torch.no_grad():
            self.mean.copy_(mean)
        return (lengths - mean).square().mean()
