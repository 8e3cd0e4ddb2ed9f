"""Losses between images, and between images and class proxies: 2C (ContraGAN), D2D-CE (ReACGAN)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.distributed import gather_rows
from mmcgan.losses.base import Loss
from mmcgan.random import make_generator
from mmcgan.registry import LOSSES


def similarities(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosines (N, M) between the rows of ``first`` (N, D) and of ``second`` (M, D)."""
    return F.normalize(first, dim=1) @ F.normalize(second, dim=1).T


def conditional_contrastive(embed: Tensor, proxy: Tensor, label: Tensor, temperature: float) -> Tensor:
    """Return the 2C loss of every sample (ContraGAN, Eq. 8), (N,).

    -log of [exp(own proxy) + sum over others of its class] / [exp(own proxy) + sum over all others],
    of cosines over the temperature. A sample without another of another class has loss 0.

    Args:
        embed: (N, D), need not be normalised.
        proxy: (N, D), row i is the proxy of ``label[i]``.
        label: int64 (N,).
        temperature: positive.
    """
    to_proxy = F.cosine_similarity(embed, proxy)[:, None] / temperature
    others = similarities(embed, embed) / temperature
    itself = torch.eye(len(embed), dtype=torch.bool, device=embed.device)
    same = label[:, None] == label
    pulled = _log_sum_exp(to_proxy, others, same & ~itself)
    return _log_sum_exp(to_proxy, others, ~itself) - pulled


def data_to_data_cross_entropy(
    embed: Tensor,
    proxy: Tensor,
    negative_similarity: Tensor,
    negative: Tensor,
    temperature: float,
    margins: tuple[float, float],
    shift: Tensor | float = 0.0,
) -> Tensor:
    """Return D2D-CE of every sample (ReACGAN, Eq. 6), (N,).

    -log of exp(p) / [exp(p) + sum over negatives of exp(n)], with
    p = min(cosine to the own proxy - m_p, 0) / T and n = max(cosine - m_n, 0) / T. A sample
    without negatives has loss 0.

    Args:
        embed: (N, D); cosines are taken, so rows need not be normalised.
        proxy: (N, D), row i is the proxy of the class of sample i.
        negative_similarity: cosines (N, M) with all samples that may be negatives.
        negative: bool (N, M), which of them are.
        temperature: positive.
        margins: (m_p, m_n).
        shift: subtracted from n (after the clip), broadcastable to (N, M); not in the paper.
    """
    positive = (F.cosine_similarity(embed, proxy) - margins[0]).clamp_max(0)[:, None] / temperature
    pushed = (negative_similarity - margins[1]).clamp_min(0) / temperature - shift
    return _log_sum_exp(positive, pushed, negative) - positive.squeeze(1)


def _log_sum_exp(first: Tensor, rest: Tensor, chosen: Tensor) -> Tensor:
    """Return log(exp(first) + sum of exp over the chosen of ``rest``), safe for any size, (N,)."""
    # A finite stand-in for minus infinity keeps gradients of rows without a choice exactly zero.
    left_out = torch.finfo(rest.dtype).min
    return torch.logsumexp(torch.cat([first, rest.masked_fill(~chosen, left_out)], dim=1), dim=1)


def check_temperature(name: str, temperature: float) -> None:
    """Raise ValueError unless ``temperature`` is positive and finite."""
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"{name}: temperature must be positive, got {temperature}")


@LOSSES.register_module()
class ConditionalContrastiveLoss(Loss):
    """ContraGAN's 2C loss; real images in the discriminator's step, generated in the generator's.

    Over the batches of all ranks. In a batch of one sample, or of one class only, it is 0.

    Args:
        temperature: divides cosines; 1.0 in ContraGAN.

    Raises:
        ValueError: the temperature is not positive.
    """

    smallest_batch: ClassVar[int] = 2
    default_inputs: ClassVar[Mapping[str, str]] = {
        "embed": "cls.embed",
        "proxy": "cls.proxy",
        "label": "cond.label",
    }

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        check_temperature(type(self).__name__, temperature)
        self.temperature = self.score_temperature = temperature

    def real(self, embed: Tensor, proxy: Tensor, label: Tensor) -> Tensor:
        """Return the mean over samples; embed and proxy (N, D), label int64 (N,)."""
        embed, proxy, label = (gather_rows(value) for value in (embed, proxy, label))
        return conditional_contrastive(embed, proxy, label, self.temperature).mean()

    def fake(self, embed: Tensor, proxy: Tensor, label: Tensor) -> Tensor:
        """Return the loss of generated images in the discriminator's step (TAC's twin)."""
        return self.real(embed, proxy, label)

    def generated(self, embed: Tensor, proxy: Tensor, label: Tensor) -> Tensor:
        """Return the loss of generated images in the generator's step."""
        return self.real(embed, proxy, label)


@LOSSES.register_module()
class D2DCELoss(Loss):
    """Data-to-data cross-entropy (ReACGAN, Eq. 6); views as in :class:`ConditionalContrastiveLoss`.

    Negatives are the samples of other classes in the batches of all ranks. Without any (one
    sample, one class) the loss and its gradient are 0.

    Args:
        temperature: divides the clipped cosines.
        positive_margin: m_p; a sample this close to its proxy is left in peace.
        negative_margin: m_n; a negative this far away is. None = 1 - m_p, as in the paper.
        negative_dropout: chance of a negative to be left out (Table A4).
        unbalanced_maximum: StudioGAN subtracts the largest (unclipped) cosine of a row from the
            negatives and nowhere else, which weakens them. For comparison with its numbers only.

    Raises:
        ValueError: a setting is out of range.
    """

    smallest_batch: ClassVar[int] = 2
    default_inputs: ClassVar[Mapping[str, str]] = {
        **ConditionalContrastiveLoss.default_inputs,
        "iteration": "train.iteration",
    }

    def __init__(
        self,
        temperature: float = 0.5,
        positive_margin: float = 0.98,
        negative_margin: float | None = None,
        negative_dropout: float = 0.0,
        unbalanced_maximum: bool = False,
    ) -> None:
        super().__init__()
        if negative_margin is None:
            negative_margin = 1 - positive_margin
        check_temperature("D2DCELoss", temperature)
        for name, margin in (("positive", positive_margin), ("negative", negative_margin)):
            if not -1 <= margin <= 1:
                raise ValueError(f"D2DCELoss: {name}_margin must lie in [-1, 1], got {margin}")
        if not 0 <= negative_dropout < 1:
            raise ValueError(f"D2DCELoss: negative_dropout must lie in [0, 1), got {negative_dropout}")
        self.temperature = self.score_temperature = temperature
        self.margins = (positive_margin, negative_margin)
        self.negative_dropout, self.unbalanced_maximum = negative_dropout, unbalanced_maximum

    def real(self, embed: Tensor, proxy: Tensor, label: Tensor, iteration: Tensor | None = None) -> Tensor:
        """Return the mean over samples; embed and proxy (N, D), label int64 (N,).

        Args:
            iteration: decides which negatives are dropped, the same ones on all ranks.
        """
        return self._mean("real", embed, proxy, label, iteration)

    def fake(self, embed: Tensor, proxy: Tensor, label: Tensor, iteration: Tensor | None = None) -> Tensor:
        """Return the loss of generated images in the discriminator's step (TAC's twin)."""
        return self._mean("fake", embed, proxy, label, iteration)

    def generated(
        self, embed: Tensor, proxy: Tensor, label: Tensor, iteration: Tensor | None = None
    ) -> Tensor:
        """Return the loss of generated images in the generator's step."""
        return self._mean("generated", embed, proxy, label, iteration)

    def _mean(
        self, view: str, embed: Tensor, proxy: Tensor, label: Tensor, iteration: Tensor | None
    ) -> Tensor:
        embed, proxy, label = (gather_rows(value) for value in (embed, proxy, label))
        cosine, negative = similarities(embed, embed), label[:, None] != label
        if self.negative_dropout:
            number = 0 if iteration is None else int(iteration)
            stream = make_generator(0, "dropped negatives", view, number)
            kept = torch.rand(cosine.shape, generator=stream) >= self.negative_dropout
            negative = negative & kept.to(negative.device)
        shift = self._row_maximum(cosine) if self.unbalanced_maximum and len(embed) > 1 else 0.0
        terms = data_to_data_cross_entropy(
            embed, proxy, cosine, negative, self.temperature, self.margins, shift
        )
        return terms.mean()

    def figures(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the shares of samples and of negatives that the margins leave in peace (Properties 2 and 3).

        ``easy_positives``: samples at least as close to their proxy as m_p. ``easy_negatives``: pairs of
        other classes no closer than m_n.
        """
        embed, proxy, label = inputs["embed"], inputs["proxy"], inputs["label"]
        cosine, negative = similarities(embed, embed), label[:, None] != label
        positives = F.cosine_similarity(embed, proxy) >= self.margins[0]
        negatives = (cosine <= self.margins[1]) & negative
        return {
            "easy_positives": positives.float().mean(),
            "easy_negatives": negatives.float().sum() / negative.float().sum().clamp_min(1),
        }

    def _row_maximum(self, cosine: Tensor) -> Tensor:
        """Return the largest unclipped term of a row, over all other samples, as a constant (N, 1)."""
        others = cosine.detach().clone().fill_diagonal_(-1.0)
        return (others.amax(1, keepdim=True) - self.margins[1]) / self.temperature
