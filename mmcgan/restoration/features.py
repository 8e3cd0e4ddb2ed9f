"""What a discriminator sees on its way, and distances between images measured there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.backbones.base import Backbone

#: What holds modules and is never called itself.
CONTAINERS = (nn.ModuleList, nn.ModuleDict)


class AtMost(int):
    """A number of features that asks a discriminator with fewer for all that it has."""


def at_most(number: int) -> AtMost:
    """Return what asks a distance for ``number`` features, or for all where there are fewer."""
    return AtMost(number)


#: As a number of features: as many as there are.
ALL = at_most(1000)


class Distance(Protocol):
    """A distance between images and their targets (or the only one), one number per image (N,)."""

    def __call__(self, image: Tensor, target: Tensor, number: int) -> Tensor:
        """Return the distances over the last ``number`` features, where there are several."""
        ...

    def weights(self) -> Mapping[str, Tensor]:
        """Return the tensors that the distances come from, by name; none where it has no network."""
        ...


def block_features(backbone: Backbone, image: Tensor, activated_end: bool = False) -> list[Tensor]:
    """Return the output of every module of every stage of ``backbone``, in order, and the pooled vector.

    Works for any backbone, see :meth:`~mmcgan.models.backbones.base.Backbone.stages`.
    Self-attention is an entry of its own; of a list or dict of modules each is one. What is no tensor with a
    row per image is passed over. Where there is no ``pooled``, all that the backbone emits comes last.

    Args:
        backbone: looks at the image alone.
        image: (N, 3, H, W) in [-1, 1].
        activated_end: take the last map after its activation, as where activations work in place.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim > 1 and len(output) == len(image):
            seen.append(output)

    modules = [module for stage in backbone.stages().values() for entry in stage for module in _called(entry)]
    handles = [module.register_forward_hook(keep) for module in modules]
    try:
        outputs = backbone(image)
    finally:
        for handle in handles:
            handle.remove()
    if activated_end and seen and "map" in outputs:
        seen[-1] = outputs["map"]
    if "pooled" in outputs:
        return [*seen, outputs["pooled"]]
    return [*seen, *(value for value in outputs.values() if all(value is not each for each in seen))]


def _called(module: nn.Module) -> Iterator[nn.Module]:
    """Yield ``module``, or what it holds where it is never called itself."""
    if not isinstance(module, CONTAINERS):
        yield module
        return
    for child in module.children():
        yield from _called(child)


class DiscriminatorDistance:
    """Sum over the last features of a discriminator of the mean absolute difference (Omni-GAN, Eq. 30).

    Args:
        backbone: of the discriminator.
        activated_end: see :func:`block_features`; True is what the Deep Generative Prior's scripts do.
    """

    def __init__(self, backbone: Backbone, activated_end: bool = True) -> None:
        self.backbone, self.activated_end = backbone, activated_end
        self._target: tuple[Tensor, list[Tensor]] | None = None

    def __call__(self, image: Tensor, target: Tensor, number: int = 3) -> Tensor:
        """Return the distance of each image from its target (or from the only one), (N,).

        Args:
            image, target: (N or 1, 3, H, W) in [-1, 1].
            number: how many features, counted from the end: 1 is the pooled vector; ``ALL`` is every one,
                :func:`at_most` as many as there are of so many.

        Raises:
            ValueError: more features than the discriminator has.
        """
        features = block_features(self.backbone, image, self.activated_end)
        if isinstance(number, AtMost):
            number = min(number, len(features))
        if not 0 <= number <= len(features):
            raise ValueError(
                f"features={number}: this discriminator has {len(features)} "
                f"({', '.join(str(tuple(feature.shape[1:])) for feature in features)})"
            )
        total = image.new_zeros(len(image))
        chosen = zip(features, self._features_of(target), strict=True)
        for ours, theirs in list(chosen)[len(features) - number :]:
            total = total + (ours - theirs).abs().flatten(1).mean(dim=1)
        return total

    def weights(self) -> Mapping[str, Tensor]:
        """Return the backbone's tensors by name."""
        return self.backbone.state_dict()

    def _features_of(self, target: Tensor) -> list[Tensor]:
        """Return the target's features, computed once per target tensor."""
        if self._target is None or self._target[0] is not target:
            with torch.no_grad():
                self._target = (target, block_features(self.backbone, target, self.activated_end))
        return self._target[1]


class PerceptualDistance:
    """Mean squared difference between what a network makes of two images.

    Args:
        network: images (N, 3, H, W) in [-1, 1] -> features (N, ...).
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, image: Tensor, target: Tensor, number: int = 0) -> Tensor:
        """Return the distance of each image from its target (or from the only one), (N,)."""
        with torch.no_grad():
            wanted = self.network(target)
        return (self.network(image) - wanted).square().flatten(1).mean(dim=1)

    def weights(self) -> Mapping[str, Tensor]:
        """Return the network's tensors by name."""
        return self.network.state_dict()


class PixelDistance:
    """Mean squared difference of pixels, for models that came without a discriminator."""

    def __call__(self, image: Tensor, target: Tensor, number: int = 0) -> Tensor:
        """Return the distance of each image from its target (or from the only one), (N,)."""
        return F.mse_loss(image, target.expand_as(image), reduction="none").flatten(1).mean(dim=1)

    def weights(self) -> Mapping[str, Tensor]:
        """Return nothing: pixels are compared as they are."""
        return {}
