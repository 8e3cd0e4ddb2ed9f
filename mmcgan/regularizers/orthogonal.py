"""Orthogonal regularisation, as an edit of the gradients."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Regularizer


def orthogonal_gradient(weight: Tensor, off_diagonal: bool = True) -> Tensor:
    """Return the gradient of 1/2 |W W^T (minus its diagonal or identity)|^2, shaped like ``weight``.

    ``weight`` is flattened to W (shape[0], rest). With ``off_diagonal`` only the angles between
    the rows count (BigGAN, Eq. 3); otherwise their lengths are pulled to 1 too (Brock et al. 2017).
    """
    rows = weight.flatten(1)
    gram = rows @ rows.T
    if off_diagonal:
        gram = gram - torch.diag(gram.diagonal())
    else:
        gram = gram - torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    return (2 * gram @ rows).view_as(weight)


@REGULARIZERS.register_module()
class OrthogonalRegularizer(Regularizer):
    """Adds ``weight`` * :func:`orthogonal_gradient` to the gradient of every matrix of the network.

    Biases and vectors are left alone. The raw weights are used, not those divided by the
    spectral norm, as in BigGAN-PyTorch.

    Args:
        weight: strength; BigGAN uses 1e-4 for the generator.
        off_diagonal: see :func:`orthogonal_gradient`.
        exclude: glob patterns of parameter names to leave alone; the generator's shared
            class embedding by default.
    """

    def __init__(
        self,
        on: str = "generator",
        weight: float = 1e-4,
        interval: int = 1,
        off_diagonal: bool = True,
        exclude: Sequence[str] = ("condition.label.*",),
    ) -> None:
        super().__init__(on, weight, interval)
        self.off_diagonal, self.exclude = off_diagonal, tuple(exclude)

    @torch.no_grad()
    def after_backward(self, network: nn.Module) -> None:
        """Add the regulariser's gradient to every parameter that has one."""
        for name, parameter in network.named_parameters():
            skipped = any(fnmatchcase(name, pattern) for pattern in self.exclude)
            if parameter.grad is None or parameter.dim() < 2 or skipped:
                continue
            gain = self.weight * self.interval
            parameter.grad += gain * orthogonal_gradient(parameter, self.off_diagonal)
