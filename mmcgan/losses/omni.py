"""Omni-loss: one loss for realism and class (Omni-GAN, Sec. 3.1-3.3, Appendix E)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.label_maps import one_hot_map, resize_label_map
from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


def omni_loss(
    score: Tensor, positive: Tensor, negative: Tensor, margin: float = 0.0, gamma: float = 1.0
) -> Tensor:
    """Return the omni-loss of every score vector (Omni-GAN, Eq. 5).

    log(1 + sum over negatives of exp(s)) + log(1 + sum over positives of exp(-s)), with
    s = (score + margin) * gamma. The margin enters before the sign flip, as in the authors'
    code. Scores of any size are safe: both sums are log-sum-exps with an appended zero.

    Args:
        score: (N, K) or (N, K, ...) for dense maps.
        positive: bool mask of scores that should be high, broadcastable to ``score``.
        negative: bool mask of scores that should be low; neither = ignored.
        margin: added to every score.
        gamma: factor of every score after the margin, positive.

    Returns:
        (N,) or (N, ...).
    """
    scaled = (score + margin) * gamma
    # A finite stand-in for minus infinity keeps the gradient of an empty side exactly zero.
    ignored = torch.finfo(scaled.dtype).min
    low = scaled.masked_fill(~negative, ignored)
    high = (-scaled).masked_fill(~positive, ignored)
    return _log_one_plus_sum_exp(low) + _log_one_plus_sum_exp(high)


def _log_one_plus_sum_exp(exponents: Tensor) -> Tensor:
    return torch.logsumexp(F.pad(exponents.movedim(1, -1), (0, 1)), dim=-1)


@LOSSES.register_module()
class OmniLoss(Loss):
    """The omni-loss over class, "real" and "fake" columns; targets differ by view.

    Classification-based (``one_sided=False``, Eqs 7-9): real images are positive in their class
    and in "real", fakes in "fake", generated images aim at their class and "real"; all other
    columns are negative. One-sided (Appendix B): only the asked class and "real" take part,
    positive for real and generated images, negative for fakes; the other columns are ignored.

    The target is either ``label`` (N,), or ``attributes``, a multi-hot (N, C) matrix with one or
    several positive classes an image (Appendix E), or ``label_map`` (N, H', W'), a class for every
    position of a map of scores, resized to it by nearest neighbour (Appendix H).

    Args:
        margin: see :func:`omni_loss`.
        gamma: see :func:`omni_loss`.
        one_sided: which of the two sets of targets.

    Raises:
        ValueError: gamma is not positive.

    Examples:
        >>> import torch
        >>> score = torch.zeros(2, 4)  # two classes, "real" and "fake"
        >>> score[:, [0, 2]] = 9.0  # class 0, and real
        >>> loss, label = OmniLoss(), torch.tensor([0, 0])
        >>> (loss.real(score, label) < loss.fake(score, label)).item()
        True
    """

    default_inputs: ClassVar[Mapping[str, str]] = {"score": "omni.score", "label": "cond.label"}

    def __init__(self, margin: float = 0.0, gamma: float = 1.0, one_sided: bool = False) -> None:
        super().__init__()
        if gamma <= 0:
            raise ValueError(f"OmniLoss: gamma must be positive, got {gamma}")
        self.margin, self.gamma, self.one_sided = margin, gamma, one_sided
        self.condition_weight = 1.0

    def weigh_condition(self, weight: float) -> None:
        """Give the classes ``weight``, and the columns "real" and "fake" by themselves the rest."""
        self.condition_weight = weight

    def real(
        self,
        score: Tensor,
        label: Tensor | None = None,
        attributes: Tensor | None = None,
        label_map: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of real images; score (N, C + 2) or (N, C + 2, H, W)."""
        asked = _asked(score, label, attributes, label_map)
        return self._loss(score, positive=asked, negative=~asked & (not self.one_sided))

    def fake(
        self,
        score: Tensor,
        label: Tensor | None = None,
        attributes: Tensor | None = None,
        label_map: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of generated images in the discriminator's step."""
        if self.one_sided:
            asked = _asked(score, label, attributes, label_map)
            return self._loss(score, positive=torch.zeros_like(asked), negative=asked)
        is_fake = torch.zeros_like(score, dtype=torch.bool)
        is_fake[:, -1] = True
        return self._loss(score, positive=is_fake, negative=~is_fake)

    def generated(
        self,
        score: Tensor,
        label: Tensor | None = None,
        attributes: Tensor | None = None,
        label_map: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of generated images in the generator's step."""
        return self.real(score, label, attributes, label_map)

    def _loss(self, score: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        whole = omni_loss(score, positive, negative, self.margin, self.gamma).mean()
        if self.condition_weight == 1:
            return whole
        two = (score[:, -2:], positive[:, -2:], negative[:, -2:])
        without = omni_loss(*two, self.margin, self.gamma).mean()
        return torch.lerp(without, whole, self.condition_weight)


def _asked(
    score: Tensor, label: Tensor | None, attributes: Tensor | None, label_map: Tensor | None
) -> Tensor:
    """Return the mask of the asked classes and of "real", shaped like ``score``."""
    given = [target for target in (label, attributes, label_map) if target is not None]
    if len(given) != 1:
        raise ValueError("OmniLoss: wire exactly one of 'label', 'attributes' and 'label_map'")
    if label_map is None:
        columns = _class_columns(score.shape[1] - 2, label, attributes)
        columns = columns.reshape(*columns.shape, *[1] * (score.dim() - 2))
    else:
        columns = _pixel_columns(score, label_map)
    real = columns.new_ones(len(columns), 1, *columns.shape[2:])
    return torch.cat([columns, real, ~real], dim=1).expand_as(score)


def _class_columns(num_classes: int, label: Tensor | None, attributes: Tensor | None) -> Tensor:
    """Return the bool (N, C) mask of the classes that an image shows."""
    if attributes is not None:
        if attributes.shape[1] != num_classes:
            raise ValueError(
                f"OmniLoss: attributes have {attributes.shape[1]} columns, the score {num_classes}"
            )
        return attributes > 0
    assert label is not None
    return F.one_hot(label, num_classes).bool()


def _pixel_columns(score: Tensor, label_map: Tensor) -> Tensor:
    """Return the bool (N, C, H, W) mask of the class that every position shows."""
    if score.dim() != 4:
        raise ValueError(f"OmniLoss: label_map needs scores (N, C + 2, H, W), got {tuple(score.shape)}")
    resized = resize_label_map(label_map, (score.shape[2], score.shape[3]))
    return one_hot_map(resized, score.shape[1] - 2).bool()
