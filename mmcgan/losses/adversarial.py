"""Adversarial losses on one logit an image: hinge, logistic, squared and absolute distance, Wasserstein."""

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
    """Geometric GAN's hinge, without the factor 1/2, as in SAGAN and BigGAN.

    Examples:
        >>> import torch
        >>> loss, sure = HingeLoss(), torch.tensor([2.0, 3.0])
        >>> loss.real(sure).item(), loss.fake(sure).item(), loss.generated(sure).item()
        (0.0, 3.5, -2.5)
    """

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
    """The logistic loss with the non-saturating generator (GAN, Sec. 3); stable for any logit.

    Args:
        real_target: probability that real images are taught to have, also the generator's aim; below 1
            for label smoothing (Salimans et al. 2016, Sec. 3.4).
        fake_target: the same of generated images.

    Raises:
        ValueError: a target outside [0, 1].
    """

    def __init__(self, real_target: float = 1.0, fake_target: float = 0.0) -> None:
        super().__init__()
        for name, target in (("real_target", real_target), ("fake_target", fake_target)):
            if not 0 <= target <= 1:
                raise ValueError(f"NonSaturatingLoss: {name} must lie in [0, 1], got {target}")
        self.real_target, self.fake_target = real_target, fake_target

    def real(self, logit: Tensor) -> Tensor:
        """Return the mean cross-entropy with ``real_target``: softplus(-D(x)) for 1."""
        return (F.softplus(-logit) + (1 - self.real_target) * logit).mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return the mean cross-entropy with ``fake_target``: softplus(D(G(z))) for 0."""
        return (F.softplus(logit) - self.fake_target * logit).mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return the mean cross-entropy with ``real_target``: softplus(-D(G(z))) for 1."""
        return self.real(logit)


@LOSSES.register_module()
class LeastSquaresLoss(LogitLoss):
    """LSGAN, Eq. 9: targets b = 1 for real and a = 0 for generated images; the generator aims at c = b.

    Args:
        scale: factor before the squares; 0.5 in the paper and StudioGAN, 1 in MMagic.
        real_target, fake_target: b and a.
    """

    def __init__(self, scale: float = 0.5, real_target: float = 1.0, fake_target: float = 0.0) -> None:
        super().__init__()
        self.scale, self.real_target, self.fake_target = scale, real_target, fake_target

    def real(self, logit: Tensor) -> Tensor:
        """Return scale * mean (D(x) - b)^2."""
        return self.scale * (logit - self.real_target).square().mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return scale * mean (D(G(z)) - a)^2."""
        return self.scale * (logit - self.fake_target).square().mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return scale * mean (D(G(z)) - b)^2."""
        return self.real(logit)


@LOSSES.register_module()
class AbsoluteLoss(LogitLoss):
    """The distance of logits from their targets, MMagic's "l1".

    Args:
        real_target, fake_target: of real and of generated images; the generator aims at the former.
    """

    def __init__(self, real_target: float = 1.0, fake_target: float = 0.0) -> None:
        super().__init__()
        self.real_target, self.fake_target = real_target, fake_target

    def real(self, logit: Tensor) -> Tensor:
        """Return mean |D(x) - real_target|."""
        return (logit - self.real_target).abs().mean()

    def fake(self, logit: Tensor) -> Tensor:
        """Return mean |D(G(z)) - fake_target|."""
        return (logit - self.fake_target).abs().mean()

    def generated(self, logit: Tensor) -> Tensor:
        """Return mean |D(G(z)) - real_target|."""
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
