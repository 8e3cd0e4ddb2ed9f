"""From what an image should show to the vector that generators consume."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcgan.models.layers import SpectralNormArg, embedding, linear
from mmcgan.structures import Condition


class ConditionEmbedding(nn.Module):
    """Embeds label, attributes and instance and concatenates them, in this order.

    A part is built when its size is given; without any part the embedding is None. The label is
    looked up in a table; attributes contribute the sum of the rows that are switched on; an instance
    feature passes a linear map with bias, or is used as it is (``instance_embedding_dim=0``). With
    label and instance this is the conditioning of class-conditional IC-GAN (Casanova et al., 2021).

    Args:
        num_classes: number of labels, 0 for no label part.
        label_dim: length of the label part.
        num_attributes: number of attributes, 0 for no attribute part.
        attribute_dim: length of the attribute part.
        instance_dim: length of an instance feature, 0 for no instance part.
        instance_embedding_dim: length of the instance part; 0 passes the feature through.
        spectral_norm: applied to the instance map (never to the label table, as in BigGAN).
    """

    def __init__(
        self,
        num_classes: int = 0,
        label_dim: int = 128,
        *,
        num_attributes: int = 0,
        attribute_dim: int = 128,
        instance_dim: int = 0,
        instance_embedding_dim: int = 512,
        spectral_norm: SpectralNormArg = True,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.parts: dict[str, int] = {}
        if num_classes:
            self.parts["label"] = label_dim
            self.label = embedding(num_classes, label_dim)
        if num_attributes:
            self.parts["attributes"] = attribute_dim
            self.attributes = linear(num_attributes, attribute_dim, bias=False)
        if instance_dim:
            self.parts["instance"] = instance_embedding_dim or instance_dim
            self.instance = (
                linear(instance_dim, instance_embedding_dim, spectral_norm=spectral_norm)
                if instance_embedding_dim
                else nn.Identity()
            )

    @property
    def dim(self) -> int:
        """Length of the embedding; 0 if there is none."""
        return sum(self.parts.values())

    @property
    def requires(self) -> tuple[str, ...]:
        """Fields of the condition that must be present."""
        return tuple(self.parts)

    def forward(self, condition: Condition) -> Tensor | None:
        """Return the embedding (N, ``dim``), or None if nothing is embedded.

        Raises:
            ValueError: a field that this embedding was built for is absent, or a label is not in
                [0, num_classes).
        """
        if not self.parts:
            return None
        vectors = []
        for name in self.parts:
            value = require_field(condition, name)
            if name == "label":
                check_labels(value, self.num_classes)
            vectors.append(getattr(self, name)(value))
        return torch.cat(vectors, dim=1)


def require_field(condition: Condition, name: str) -> Tensor:
    """Return a field of the condition.

    Raises:
        ValueError: it is absent; the message lists the present fields.
    """
    value = getattr(condition, name)
    if value is None:
        present = list(condition.present()) or "nothing"
        raise ValueError(f"the generator needs condition.{name}, present: {present}")
    return value


def check_labels(label: Tensor, num_classes: int) -> None:
    """Check labels on the CPU, where it costs nothing (a GPU would have to wait).

    Raises:
        ValueError: a label is not in [0, num_classes).
    """
    if label.is_cpu and label.numel() and not 0 <= int(label.min()) <= int(label.max()) < num_classes:
        low, high = int(label.min()), int(label.max())
        raise ValueError(f"labels range from {low} to {high}, but the network has num_classes={num_classes}")
