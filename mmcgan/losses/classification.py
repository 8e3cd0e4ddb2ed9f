"""Classification losses: cross-entropy of an auxiliary classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


@LOSSES.register_module()
class CrossEntropyLoss(Loss):
    """Softmax cross-entropy of the class logits (AC-GAN, Sec. 3).

    Every view has the same formula; the config's ``weights`` choose which of them count.
    ``weights=dict(real=1., generated=1.)`` is StudioGAN's AC-GAN, adding ``fake=1.`` is the
    paper's, ``dict(fake=1., generated=-1.)`` the twin classifier of TAC-GAN.
    """

    default_inputs: ClassVar[Mapping[str, str]] = {"logits": "cls.logits", "label": "cond.label"}

    def real(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return mean -log softmax(logits)[label]; logits (N, C), label int64 (N,) in 0 ... C-1."""
        return F.cross_entropy(logits, label)

    def fake(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy of generated images in the discriminator's step."""
        return F.cross_entropy(logits, label)

    def generated(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy of generated images in the generator's step."""
        return F.cross_entropy(logits, label)
