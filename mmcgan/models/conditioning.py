"""From what an image should show to the vector that generators consume."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.attributes import AttributeGroups
from mmcgan.models.layers import SpectralNormArg, embedding, linear
from mmcgan.models.layers.condition_weight import EmbedsCondition
from mmcgan.structures import Condition


class ConditionEmbedding(EmbedsCondition):
    """Embeds label, attributes and instance and concatenates them, in this order.

    A part is built when its size is given; without any part the embedding is None. The label is
    looked up in a table; attributes contribute, for each group, the sum of the rows that are switched on,
    so that a group with one positive has a table of its own; an instance feature passes a linear map with
    bias, or is used as it is (``instance_embedding_dim=0``). With label and instance this is the
    conditioning of class-conditional IC-GAN (Casanova et al., 2021).

    Args:
        num_classes: number of labels, 0 for no label part.
        label_dim: length of the label part.
        num_attributes: number of attributes, 0 for no attribute part.
        attribute_dim: length of the attribute part; of each group's, with several.
        attribute_sizes: number of attributes of each group, see :func:`attribute_sizes`; empty is one group
            of ``num_attributes``.
        instance_dim: length of an instance feature, 0 for no instance part.
        instance_embedding_dim: length of the instance part; 0 passes the feature through.
        spectral_norm: applied to the instance map (never to the label table, as in BigGAN).
        unit_instances: an instance feature has length 1, so that its entries, and what a linear map makes of
            them, shrink with its length, unlike the rows of a table. True multiplies them by the root of that
            length: their mean square is 1, as that of all that StyleGAN2's mapping network sees. BigGAN's
            IC-GAN does not; a generator or head that starts small and is not spectrally normalised hardly
            notices the instance without (FastGAN with 1,280 features: images did not depend on it after
            4,000 updates).
    """

    class_rows = ("label",)

    def __init__(
        self,
        num_classes: int = 0,
        label_dim: int = 128,
        *,
        num_attributes: int = 0,
        attribute_dim: int = 128,
        attribute_sizes: Sequence[int] = (),
        instance_dim: int = 0,
        instance_embedding_dim: int = 512,
        spectral_norm: SpectralNormArg = True,
        unit_instances: bool = False,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.instance_gain = math.sqrt(instance_dim) if unit_instances else 1.0
        self.parts: dict[str, int] = {}
        if num_classes:
            self.parts["label"] = label_dim
            self.label = embedding(num_classes, label_dim)
        self.num_attributes = sum(attribute_sizes) or num_attributes
        sizes = {"label": num_classes, "attributes": self.num_attributes, "instance": instance_dim}
        self.sizes = {name: size for name, size in sizes.items() if size}
        if self.num_attributes:
            groups = list(attribute_sizes) or [num_attributes]
            self.parts["attributes"] = attribute_dim * len(groups)
            # one group keeps the plain name that weights without groups have
            single = len(groups) == 1
            self.attributes = (
                linear(groups[0], attribute_dim, bias=False) if single else GroupMaps(groups, attribute_dim)
            )
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
            ValueError: a field that this embedding was built for is absent, a label is not in
                [0, num_classes), or the attributes have another number of columns.
        """
        if not self.parts:
            return None
        vectors = []
        for name in self.parts:
            value = require_field(condition, name)
            if name == "label":
                check_labels(value, self.num_classes)
            if name == "attributes" and value.shape[1] != self.num_attributes:
                raise ValueError(
                    f"condition.attributes has {value.shape[1]} columns, the generator was built for "
                    f"num_attributes={self.num_attributes}"
                )
            if name == "instance" and self.instance_gain != 1.0:
                value = value * self.instance_gain
            vectors.append(self.get_submodule(name)(value))
        return self.weighed(torch.cat(vectors, dim=1))


class GroupMaps(nn.Module):
    """A linear map without bias for each group of attributes; their results are concatenated.

    Args:
        sizes: number of attributes of each group.
        dim: length of each group's embedding.
    """

    def __init__(self, sizes: Sequence[int], dim: int) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.maps = nn.ModuleList(linear(size, dim, bias=False) for size in self.sizes)

    def forward(self, attributes: Tensor) -> Tensor:
        """Return (N, groups * dim) from a multi-hot (N, sum(sizes))."""
        parts = zip(self.maps, attributes.split(self.sizes, dim=1), strict=True)
        return torch.cat([embed(part) for embed, part in parts], dim=1)


EMBEDDINGS = ("concatenate", "sum")


def attribute_sizes(
    num_attributes: int | None, groups: Mapping[str, Any] | None, embedding: str
) -> list[int]:
    """Return the sizes of the attribute groups that are embedded one by one; [] without attributes.

    Args:
        num_attributes: number of attributes in all; 0 for none; None takes that of ``groups``.
        groups: see :meth:`~mmcgan.attributes.AttributeGroups.from_config`, or None if not known.
        embedding: ``concatenate`` the embeddings of all groups, or ``sum`` them (one group of all).

    Raises:
        ValueError: another embedding, or a number that is not that of the groups.
    """
    if embedding not in EMBEDDINGS:
        raise ValueError(f"attribute_embedding must be one of {', '.join(EMBEDDINGS)}; got {embedding!r}")
    if num_attributes == 0 or (num_attributes is None and groups is None):
        return []
    if groups is None:
        return [int(num_attributes or 0)]
    known = AttributeGroups.from_config(groups)
    if num_attributes not in (None, len(known)):
        raise ValueError(f"num_attributes={num_attributes}, but attribute_groups has {len(known)} names")
    return list(known.sizes) if embedding == "concatenate" else [len(known)]


def require_field(condition: Condition, name: str) -> Tensor:
    """Return a field of the condition.

    Raises:
        ValueError: it is absent; the message lists the present fields.
    """
    value = condition.get(name)
    if value is None:
        present = list(condition.present()) or "nothing"
        raise ValueError(f"the generator needs condition.{name}, present: {present}")
    return value


def check_labels(label: Tensor, num_classes: int) -> None:
    """Check labels on the CPU, where it costs nothing (a GPU would have to wait), and not while tracing.

    Raises:
        ValueError: a label is not in [0, num_classes).
    """
    if torch.compiler.is_compiling():
        return
    if label.is_cpu and label.numel() and not 0 <= int(label.min()) <= int(label.max()) < num_classes:
        low, high = int(label.min()), int(label.max())
        raise ValueError(f"labels range from {low} to {high}, but the network has num_classes={num_classes}")
