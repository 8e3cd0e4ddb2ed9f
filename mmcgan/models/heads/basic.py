"""Heads with one linear layer: adversarial, projection, classifier and omni."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.layers import embedding, linear
from mmcgan.models.layers.condition_weight import WeighsCondition
from mmcgan.registry import HEADS
from mmcgan.structures import Condition

SpectralNorm = bool | dict[str, Any] | None


def check_num_classes(head: Head, num_classes: int) -> None:
    """Raise ValueError unless ``num_classes`` is at least 1."""
    if num_classes < 1:
        raise ValueError(
            f"{type(head).__name__}: num_classes must be at least 1, got {num_classes}; "
            "on a data set without labels take a head that asks for none, such as AdversarialHead"
        )


@HEADS.register_module()
class AdversarialHead(Head):
    """Real or fake, one logit an image; emits ``logit`` (N,)."""

    emits = ("logit",)
    reads = ("pooled",)
    follows_init = True

    def __init__(self, in_channels: int, spectral_norm: SpectralNorm = True, bias: bool = True) -> None:
        super().__init__()
        self.linear = linear(in_channels, 1, bias=bias, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,) of ``features['pooled']`` (N, in_channels)."""
        return {"logit": self.linear(features["pooled"]).squeeze(1)}


@HEADS.register_module()
class ProjectionHead(WeighsCondition, Head):
    """Real or fake given the class: linear(h) + <embed(label), h>; emits ``logit`` (N,).

    cGANs with Projection Discriminator, Eq. 3. With spectral norm the class table is
    normalised as one matrix, as BigGAN does.
    """

    emits = ("logit",)
    reads = ("pooled",)
    follows_init = True
    requires = ("label",)
    class_rows = ("embed",)

    def __init__(self, in_channels: int, num_classes: int, spectral_norm: SpectralNorm = True) -> None:
        super().__init__()
        check_num_classes(self, num_classes)
        self.linear = linear(in_channels, 1, spectral_norm=spectral_norm)
        self.embed = embedding(num_classes, in_channels, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,) of ``features['pooled']`` (N, in_channels) and ``condition.label``."""
        pooled = features["pooled"]
        projected = (self.embed(condition.label) * pooled).sum(1)
        return {"logit": self.linear(pooled).squeeze(1) + self.weighed(projected)}


@HEADS.register_module()
class ClassifierHead(Head):
    """Which class (AC-GAN's auxiliary classifier); emits ``logits`` (N, num_classes).

    Args:
        bias: StudioGAN's classifier has none; a peer-compatible choice.
        normalize: divide the features by their length first (ReACGAN Sec. 3.2), which keeps
            the gradient of the cross-entropy bounded when there are many classes.
        max_norm: shorten longer features to this length (feature clipping, ReACGAN Table A5).

    Raises:
        ValueError: ``max_norm`` is not positive.
    """

    emits = ("logits",)
    reads = ("pooled",)
    follows_init = True
    class_rows = ("linear",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        spectral_norm: SpectralNorm = True,
        bias: bool = True,
        normalize: bool = False,
        max_norm: float | None = None,
    ) -> None:
        super().__init__()
        check_num_classes(self, num_classes)
        if max_norm is not None and not max_norm > 0:
            raise ValueError(f"{type(self).__name__}: max_norm must be greater than 0, got {max_norm}")
        self.normalize, self.max_norm = normalize, max_norm
        columns = self.columns(num_classes)
        self.linear = linear(in_channels, columns, bias=bias, spectral_norm=spectral_norm)

    @classmethod
    def columns(cls, num_classes: int) -> int:
        """Return how many logits there are."""
        return num_classes

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logits`` (N, num_classes); the condition is not looked at."""
        pooled = features["pooled"]
        if self.normalize:
            pooled = pooled / pooled.norm(dim=1, keepdim=True).clamp_min(1e-12)
        if self.max_norm is not None:
            length = pooled.norm(dim=1, keepdim=True).clamp_min(1e-12)
            pooled = pooled * (self.max_norm / length).clamp_max(1.0)
        return {"logits": self.linear(pooled)}


@HEADS.register_module()
class OmniHead(Head):
    """C classes or attributes, "real" and "fake" in one vector; emits ``score`` (N, C + 2).

    Omni-GAN, Sec. 3.2 and Appendix E. Columns: 0 ... C-1 the classes, or the attributes of all groups side
    by side, C = real, C+1 = fake.

    Args:
        num_classes: C on a data set with labels.
        num_attributes: C on a data set with attributes.

    Raises:
        ValueError: neither, or both.
    """

    emits = ("score",)
    reads = ("pooled",)
    follows_init = True

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 0,
        spectral_norm: SpectralNorm = True,
        num_attributes: int = 0,
    ) -> None:
        super().__init__()
        if num_classes and num_attributes:
            raise ValueError(
                f"OmniHead: num_classes={num_classes} and num_attributes={num_attributes}: set that to 0 "
                "which the loss is not wired to"
            )
        columns = num_classes or num_attributes
        check_num_classes(self, columns)
        self.class_rows = ("linear",) if num_classes else ()
        self.linear = linear(in_channels, columns + 2, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``score`` (N, C + 2); the condition is not looked at."""
        return {"score": self.linear(features["pooled"])}

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the "real" score minus the "fake" score, (N,)."""
        return outputs["score"][:, -2] - outputs["score"][:, -1]

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the scores of the classes alone, (N, num_classes)."""
        return outputs["score"][:, :-2]
