"""StyleGAN2's mapping network: from latent and condition to a style."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.conditioning import check_labels, require_field
from mmcgan.models.layers.condition_weight import EmbedsCondition
from mmcgan.models.layers.equalized import EqualizedLinear
from mmcgan.structures import Condition

#: Keeps the normalisation finite at zero vectors.
NORMALISATION_EPS = 1e-8


def normalize_second_moment(x: Tensor) -> Tensor:
    """Return rows (N, D) scaled to a mean square of 1, in float32 or wider."""
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    return x * (x.square().mean(1, keepdim=True) + NORMALISATION_EPS).rsqrt()


class MappingNetwork(EmbedsCondition):
    """Rectified equalised linear maps over the normalised latent and the normalised condition.

    Label, attributes and instance each pass a linear map with bias; the results are concatenated and
    normalised jointly (IC-GAN, App. B.1). Without a latent (``latent_dim=0``) the network maps the
    condition alone, as in the discriminator of StyleGAN2-ADA.

    Args:
        latent_dim: length of z; 0 for none.
        style_dim: length of the result.
        num_layers: number of maps behind the embedding.
        num_classes, num_attributes, instance_dim: sizes of the parts of the condition; 0 for none.
        label_dim: length of the embedding of label and attributes, each; 0 means ``style_dim``.
        instance_embedding_dim: length of the embedding of the instance; 0 means ``style_dim``.
        hidden_dim: length between the maps; 0 means ``style_dim``.
        lr_mult: relative learning rate of the maps.

    Raises:
        ValueError: no layer, or neither latent nor condition to map.
    """

    class_columns = ("label",)

    def __init__(
        self,
        latent_dim: int,
        style_dim: int,
        num_layers: int = 8,
        *,
        num_classes: int = 0,
        num_attributes: int = 0,
        instance_dim: int = 0,
        label_dim: int = 0,
        instance_embedding_dim: int = 0,
        hidden_dim: int = 0,
        lr_mult: float = 0.01,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"a mapping network needs num_layers >= 1, got {num_layers}")
        self.latent_dim, self.num_classes = latent_dim, num_classes
        lengths = {"label": label_dim, "attributes": label_dim, "instance": instance_embedding_dim}
        sizes = {"label": num_classes, "attributes": num_attributes, "instance": instance_dim}
        self.sizes = {name: size for name, size in sizes.items() if size}
        self.parts = {name: lengths[name] or style_dim for name in self.sizes}
        for name, length in self.parts.items():
            self.add_module(name, EqualizedLinear(sizes[name], length))
        width = latent_dim + sum(self.parts.values())
        if not width:
            raise ValueError("a mapping network needs a latent_dim or a part of the condition above 0")
        widths = [width, *[hidden_dim or style_dim] * (num_layers - 1), style_dim]
        self.layers = nn.ModuleList(
            EqualizedLinear(before, after, rectified=True, lr_mult=lr_mult)
            for before, after in pairwise(widths)
        )

    @property
    def requires(self) -> tuple[str, ...]:
        """Fields of the condition that must be present."""
        return tuple(self.parts)

    def embed(self, condition: Condition) -> Tensor | None:
        """Return the normalised embedding of the condition (N, E), or None if nothing is embedded.

        Raises:
            ValueError: a field that this network was built for is absent, or a label out of range.
        """
        if not self.parts:
            return None
        vectors = []
        for name in self.parts:
            value = require_field(condition, name)
            if name == "label":
                check_labels(value, self.num_classes)
                value = F.one_hot(value, self.num_classes).float()
            vectors.append(self.get_submodule(name)(value))
        return self.weighed(normalize_second_moment(torch.cat(vectors, dim=1)))

    def forward(self, latent: Tensor | None, embedding: Tensor | None) -> Tensor:
        """Return styles (N, style_dim) of z (N, latent_dim) and :meth:`embed`'s result.

        Raises:
            ValueError: the latent has another length.
        """
        parts = [] if embedding is None else [embedding]
        if self.latent_dim:
            if latent is None or latent.shape[1] != self.latent_dim:
                length = None if latent is None else latent.shape[1]
                raise ValueError(f"latent has length {length}, the generator expects {self.latent_dim}")
            parts.insert(0, normalize_second_moment(latent))
        x = torch.cat(parts, dim=1)
        for layer in self.layers:
            x = layer(x)
        return x


@dataclass(frozen=True, kw_only=True)
class MappingOptions:
    """What the mapping network of a generator takes.

    Attributes:
        mapping_layers: number of layers of the mapping network.
        mapping_lr_mult: their relative learning rate.
        instance_dim: length of an instance feature, 0 for none (IC-GAN).
        num_attributes: number of attributes, 0 for none.
        label_dim: length of the label's and of the attributes' embedding; 0 means ``style_dim``.
        instance_embedding_dim: length of the instance's embedding; 0 means ``style_dim``.
    """

    mapping_layers: int = 8
    mapping_lr_mult: float = 0.01
    instance_dim: int = 0
    num_attributes: int = 0
    label_dim: int = 0
    instance_embedding_dim: int = 0

    def network(self, latent_dim: int, style_dim: int, num_classes: int) -> MappingNetwork:
        """Return the network from z (N, ``latent_dim``) to styles (N, ``style_dim``)."""
        return MappingNetwork(
            latent_dim,
            style_dim,
            self.mapping_layers,
            num_classes=num_classes,
            num_attributes=self.num_attributes,
            instance_dim=self.instance_dim,
            label_dim=self.label_dim,
            instance_embedding_dim=self.instance_embedding_dim,
            lr_mult=self.mapping_lr_mult,
        )


class LabelMapping(nn.Module):
    """Rows for labels from a mapping network: an embedding table with an equalised learning rate.

    Args:
        num_classes: number of labels.
        dim: length of a row.
        num_layers: of the network.
    """

    def __init__(self, num_classes: int, dim: int, num_layers: int = 1) -> None:
        super().__init__()
        self.class_columns = ("network.label",)  # and so the table itself needs no description
        self.network = MappingNetwork(0, dim, num_layers, num_classes=num_classes)

    def forward(self, label: Tensor) -> Tensor:
        """Return rows (N, dim) of labels (N,)."""
        return self.network(None, self.network.embed(Condition(label=label)))


def equalize(module: nn.Module) -> nn.Module:
    """Give every linear map and table inside ``module`` an equalised learning rate, in place.

    Plain linear maps become :class:`~mmcgan.models.layers.equalized.EqualizedLinear`, tables become
    :class:`LabelMapping`, as StudioGAN builds the heads of StyleGAN2.

    Returns:
        ``module``.

    Raises:
        ValueError: a map or a table has spectral norm, which would undo the scaling.
    """
    for name, child in module.named_children():
        setattr(module, name, _equalized(name, child))
    return module


def _equalized(name: str, module: nn.Module) -> nn.Module:
    """Return what stands in the place of a module: itself, if nothing else does."""
    if type(module) is nn.Linear:
        return EqualizedLinear(module.in_features, module.out_features, module.bias is not None)
    if type(module) is nn.Embedding:
        return LabelMapping(module.num_embeddings, module.embedding_dim)
    if isinstance(module, nn.Linear | nn.Embedding):
        raise ValueError(
            f"an equalised learning rate and spectral norm exclude each other: {name!r} has both;"
            " set spectral_norm=False"
        )
    return equalize(module)
