"""Heads with another number of columns than classes, or a column for each class."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmcgan.models.heads.base import Head
from mmcgan.models.heads.basic import ClassifierHead, SpectralNorm, check_num_classes
from mmcgan.models.layers import linear
from mmcgan.models.layers.condition_weight import WeighsCondition
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


@HEADS.register_module()
class FakeClassHead(ClassifierHead):
    """C classes and one for generated images; emits ``logits`` (N, num_classes + 1).

    Column ``num_classes`` is "fake". Multi-hinge GAN (Eq. 3) and ImAC-GAN (Omni-GAN, Appendix C).
    """

    @classmethod
    def columns(cls, num_classes: int) -> int:
        """Return how many logits there are."""
        return num_classes + 1

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the log-odds of "some class" against "fake", (N,)."""
        logits = outputs["logits"]
        return logits[:, :-1].logsumexp(1) - logits[:, -1]

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the logits of the classes alone, (N, num_classes)."""
        return outputs["logits"][:, :-1]


@HEADS.register_module()
class DiscriminativeClassifierHead(ClassifierHead):
    """Every class twice, real and generated; emits ``logits`` (N, 2 * num_classes).

    Column ``2 * c`` is "a real image of c", ``2 * c + 1`` "a generated one". ADC-GAN, Sec. 3.2.
    """

    class_copies = 2

    @classmethod
    def columns(cls, num_classes: int) -> int:
        """Return how many logits there are."""
        return 2 * num_classes

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the log-odds of "a real image of some class" against "a generated one", (N,)."""
        logits = outputs["logits"]
        return logits[:, 0::2].logsumexp(1) - logits[:, 1::2].logsumexp(1)

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return log-sum-exps over "real" and "generated" of every class, (N, num_classes)."""
        return outputs["logits"].unflatten(1, (-1, 2)).logsumexp(2)


@HEADS.register_module()
class PerClassHead(WeighsCondition, Head):
    """A discriminator for every class, of which the label picks one; emits ``logit`` (N,).

    StarGAN v2's multi-task discriminator; StudioGAN calls the conditioning MD.
    """

    emits = ("logit",)
    reads = ("pooled",)
    follows_init = True
    requires = ("label",)
    class_rows = ("linear",)

    def __init__(self, in_channels: int, num_classes: int, spectral_norm: SpectralNorm = True) -> None:
        super().__init__()
        check_num_classes(self, num_classes)
        self.linear = linear(in_channels, num_classes, spectral_norm=spectral_norm)

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return ``logit`` (N,): the column ``condition.label`` of a linear map of the pooled features."""
        label = condition.label
        assert label is not None
        columns = self.linear(features["pooled"])
        return {"logit": self.between(columns.mean(1), columns.gather(1, label[:, None]).squeeze(1))}
