"""Adversarial losses on one logit an image: hinge, non-saturating, least squares, Wasserstein."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


class LogitLoss(Loss):
    """Base of the losses that look at one logit (N,); wired to ``adv.logit`` by default."""

    default_inputs: ClassVar[Mapping[str, str]] = {"logit": "adv.logit"}


@LOSSES.register_module()
class HingeLoss(LogitLoss):
    """Geometric GAN's hinge, without the factor 1/2, as in SAGAN and BigGAN."""

    def real(self, logit: Tensor) -> Tensor:
        """Return mean max(0, 1 - D(x))."""
        return F.relu(1 - logit).mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return mean max(0, 1 + D(G(z)))."""
        return F.relu(1 + logit).mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return -mean D(G(z))."""
        return -logit.mean()


@LOSSES.register_module()
class NonSaturatingLoss(LogitLoss):
    """The logistic loss with the non-saturating generator (GAN, Sec. 3); stable for any logit."""

    def real(self, logit: Tensor) -> Tensor:
        """Return mean softplus(-D(x)) = -log sigmoid(D(x))."""
        return F.softplus(-logit).mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return mean softplus(D(G(z)))."""
        return F.softplus(logit).mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return mean softplus(-D(G(z)))."""
        return F.softplus(-logit).mean()


@LOSSES.register_module()
class LeastSquaresLoss(LogitLoss):
    """LSGAN, Eq. 9: real target 1, fake target 0, generator target 1.

    Args:
        scale: factor before the squares; 0.5 in the paper and StudioGAN, 1 in MMagic.
    """

    def __init__(self, scale: float = 0.5) -> None:
        super().__init__()
        self.scale = scale

    def real(self, logit: Tensor) -> Tensor:
        """Return scale * mean (D(x) - 1)^2."""
        return self.scale * (logit - 1).square().mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return scale * mean D(G(z))^2."""
        return self.scale * logit.square().mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return scale * mean (D(G(z)) - 1)^2."""
        return self.real(logit)


@LOSSES.register_module()
class WassersteinLoss(LogitLoss):
    """WGAN's critic: D(x) up, D(G(z)) down. Needs a Lipschitz constraint to mean anything."""

    def real(self, logit: Tensor) -> Tensor:
        """Return -mean D(x)."""
        return -logit.mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return mean D(G(z))."""
        return logit.mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return -mean D(G(z))."""
        return -logit.mean()
