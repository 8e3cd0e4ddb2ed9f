"""Losses that compare real with generated: relativistic pairs, LeCam, feature matching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses.base import Inputs, PairedLoss
from mmcgan.registry import LOSSES


@LOSSES.register_module()
class RelativisticLoss(PairedLoss):
    """The relativistic pairing loss (RpGAN; with R1 and R2 it is R3GAN's objective).

    softplus(D(fake) - D(real)) for the discriminator, softplus(D(real) - D(fake)) for the
    generator, over pairs in the order of the batch.
    """

    input_names: ClassVar[tuple[str, ...]] = ("logit",)
    default_inputs: ClassVar[Mapping[str, str]] = {"logit": "adv.logit"}
    needs_real_in_generator_step: ClassVar[bool] = True

    def discriminator(self, real: Inputs, fake: Inputs) -> Tensor:
        """Return the mean over pairs; logits (N,) on both sides."""
        return F.softplus(-self._gap(real, fake)).mean()

    def generator(self, fake: Inputs, real: Inputs) -> Tensor:
        """Return the mean over pairs; logits (N,) on both sides."""
        return F.softplus(self._gap(real, fake)).mean()

    @staticmethod
    def _gap(real: Inputs, fake: Inputs) -> Tensor:
        if len(real["logit"]) != len(fake["logit"]):
            raise ValueError(
                f"RelativisticLoss pairs images: {len(real['logit'])} real and {len(fake['logit'])} "
                "generated do not fit; leave step.generator_batch_size unset"
            )
        return real["logit"] - fake["logit"]


@LOSSES.register_module()
class FeatureMatchingLoss(PairedLoss):
    """Mean absolute difference of mean features (Improved Techniques for Training GANs, Sec. 3.1).

    As in multi-hinge GAN, L1 and on the pooled features. Real features are constants.
    """

    input_names: ClassVar[tuple[str, ...]] = ("feature",)
    default_inputs: ClassVar[Mapping[str, str]] = {"feature": "feature.pooled"}
    needs_real_in_generator_step: ClassVar[bool] = True

    def generator(self, fake: Inputs, real: Inputs) -> Tensor:
        """Return the scalar; features (N, C) and (M, C)."""
        return (fake["feature"].mean(0) - real["feature"].detach().mean(0)).abs().mean()


@LOSSES.register_module()
class FeatureMapLoss(PairedLoss):
    """Mean absolute difference of a feature map of fake and real images of one condition (pix2pixHD, Eq. 4).

    Image by image and position by position, unlike :class:`FeatureMatchingLoss`. Real features are
    constants. SPADE sums it over all layers of a scale and averages over scales: wire all maps in a
    list, whose mean is taken, and multiply the weight by the number of layers of a scale.
    """

    input_names: ClassVar[tuple[str, ...]] = ("feature",)
    needs_real_in_generator_step: ClassVar[bool] = True

    def generator(self, fake: Inputs, real: Inputs) -> Tensor:
        """Return the scalar; features (N, C, h, w) on both sides.

        Raises:
            ValueError: the numbers of fake and real images differ.
        """
        ours, theirs = fake["feature"], real["feature"].detach()
        if ours.shape != theirs.shape:
            raise ValueError(
                f"FeatureMapLoss compares image by image: {tuple(ours.shape)} generated and "
                f"{tuple(theirs.shape)} real features do not fit; leave step.generator_batch_size unset"
            )
        return F.l1_loss(ours, theirs)


@LOSSES.register_module()
class LeCamLoss(PairedLoss):
    """LeCam regularisation (Tseng et al. 2021, Eq. 5) of the discriminator's logits.

    mean max(0, D(real) - a_fake)^2 + mean max(0, a_real - D(fake))^2, where a_real and a_fake
    are moving averages of the mean logits, updated before they are used and checkpointed.

    Args:
        decay: of the averages, in [0, 1); 0.99 in the paper.
        start: in iterations before ``start`` the averages follow the present means; the loss is 0
            up to and including ``start``.
        initial: value of the averages before the first batch; None takes them from it. StudioGAN
            begins with 7777, which ``start=0`` leaves in the averages for long.

    Raises:
        ValueError: ``decay`` or ``start`` is out of range.
    """

    input_names: ClassVar[tuple[str, ...]] = ("logit", "iteration")
    default_inputs: ClassVar[Mapping[str, str]] = {"logit": "adv.logit", "iteration": "train.iteration"}
    real_average: Tensor
    fake_average: Tensor

    def __init__(self, decay: float = 0.99, start: int = 0, initial: float | None = None) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"LeCamLoss: decay must lie in [0, 1), got {decay}")
        if start < 0:
            raise ValueError(f"LeCamLoss: start must be at least 0, got {start}")
        self.decay, self.start = decay, start
        # NaN marks averages that no batch has touched; it survives averaging over ranks.
        first = float("nan") if initial is None else initial
        self.register_buffer("real_average", torch.tensor(first))
        self.register_buffer("fake_average", torch.tensor(first))

    def discriminator(self, real: Inputs, fake: Inputs) -> Tensor:
        """Return the scalar; logits (N,) and the iteration, counted from 0."""
        iteration = int(real["iteration"])
        self.update(real["logit"], fake["logit"], iteration)
        if iteration <= self.start:
            return 0 * real["logit"].sum()
        return self.penalty(real["logit"], fake["logit"])

    @torch.no_grad()
    def update(self, real: Tensor, fake: Tensor, iteration: int) -> None:
        """Move the averages towards the means of the logits (N,)."""
        for average, logit in ((self.real_average, real), (self.fake_average, fake)):
            mean = logit.mean().to(average)
            if iteration < self.start:
                average.copy_(mean)
            else:  # whether it is untouched is for the device to know: asking would wait for it
                average.copy_(torch.where(average.isnan(), mean, average.lerp(mean, 1 - self.decay)))

    def penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the scalar for logits (N,) under the present averages."""
        above = F.relu(real - self.fake_average).square().mean()
        return above + F.relu(self.real_average - fake).square().mean()
