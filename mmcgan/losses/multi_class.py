"""Losses over more columns than classes: multi-hinge, ImAC-GAN, ADC-GAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


def crammer_singer(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean over samples of max(0, 1 + largest other logit - logit of the label).

    Args:
        logits: (N, K), K >= 2.
        label: int64 (N,) in 0 ... K-1.
    """
    own = logits.gather(1, label[:, None])
    lowest = torch.finfo(logits.dtype).min
    others = logits.scatter(1, label[:, None], lowest).max(dim=1, keepdim=True).values
    return F.relu(1 + others - own).mean()


class FakeClassLoss(Loss):
    """Base of losses whose last column means "generated"; wired to ``cls.logits`` (N, C + 1)."""

    default_inputs: ClassVar[Mapping[str, str]] = {"logits": "cls.logits", "label": "cond.label"}

    def __init__(self) -> None:
        super().__init__()
        self.condition_weight = 1.0

    def weigh_condition(self, weight: float) -> None:
        """Give the classes ``weight``, and "some class" against "generated" the rest."""
        self.condition_weight = weight

    def distance(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return a scalar that is small when ``label`` wins."""
        raise NotImplementedError

    def _weighed(self, logits: Tensor, label: Tensor) -> Tensor:
        if self.condition_weight == 1:
            return self.distance(logits, label)
        some = torch.cat([logits[:, :-1].logsumexp(1, keepdim=True), logits[:, -1:]], dim=1)
        generated = (label == logits.shape[1] - 1).to(label.dtype)
        without = self.distance(some, generated)
        return torch.lerp(without, self.distance(logits, label), self.condition_weight)

    def real(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of real images, which belong to their class."""
        return self._weighed(logits, label)

    def fake(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of generated images, which belong to the last column."""
        return self._weighed(logits, torch.full_like(label, logits.shape[1] - 1))

    def generated(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss of the generator, whose images should belong to their class."""
        return self._weighed(logits, label)


@LOSSES.register_module()
class MultiHingeLoss(FakeClassLoss):
    """Multi-hinge GAN (Eqs 3-6): the Crammer-Singer hinge over C classes and "generated"."""

    def distance(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return :func:`crammer_singer`."""
        return crammer_singer(logits, label)


@LOSSES.register_module()
class ImprovedClassificationLoss(FakeClassLoss):
    """ImAC-GAN (Omni-GAN, Appendix C): cross-entropy over C classes and "generated"."""

    def distance(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy."""
        return F.cross_entropy(logits, label)


@LOSSES.register_module()
class DiscriminativeClassifierLoss(Loss):
    """ADC-GAN, Eqs 6-7: every class has a real column 2c and a generated one 2c + 1.

    The generator raises the log-ratio of the two: log C(x, real c) - log C(x, generated c).
    """

    default_inputs: ClassVar[Mapping[str, str]] = {"logits": "cls.logits", "label": "cond.label"}

    def real(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy of real images; logits (N, 2C), label int64 (N,) in 0 ... C-1."""
        return F.cross_entropy(logits, 2 * label)

    def fake(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy of generated images in the discriminator's step."""
        return F.cross_entropy(logits, 2 * label + 1)

    def generated(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the mean of log C(x, generated c) - log C(x, real c)."""
        return self.real(logits, label) - self.fake(logits, label)
