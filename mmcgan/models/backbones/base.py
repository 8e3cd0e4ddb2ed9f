"""What a backbone is: an image in, named features out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import nn

from mmcgan.contracts import Contract, Emitting, Value, names, some_names, whole_number
from mmcgan.image_shapes import ImageShapes


class Backbone(Emitting, nn.Module):
    """Base of all backbones.

    A subclass writes ``forward(image)``, or ``forward(image, condition)`` if it ``requires`` fields of the
    condition: images (N, 3, H, W) in [-1, 1] -> a dict of the features that it ``emits``. Heads of one vector
    look at ``pooled`` (N, out_channels), others at ``map`` (N, out_channels, h, w).

    Attributes:
        out_channels: length of ``pooled``, which heads are built for.
        emits: names of the features.
        requires: fields of the condition that it looks at beside the image.
        image_shapes: which images the class can look at.
        needs_unchanged_images: it keeps what it has seen of an image, so that an augmentation in front of
            it is a mistake.
    """

    contract: ClassVar[Contract] = Contract(
        "backbone",
        "docs/extending/backbone.md",
        methods={"forward": "images (N, 3, H, W) -> a dict of the features that it emits"},
        values={
            "out_channels": Value("a whole number, the length of `pooled`", whole_number),
            "emits": Value("a tuple of names of features", some_names),
            "requires": Value("a tuple of fields of the condition, () for none", names),
        },
    )

    out_channels: int
    requires: tuple[str, ...] = ()
    needs_unchanged_images: bool = False
    image_shapes: ClassVar[ImageShapes] = ImageShapes()

    def stages(self) -> Mapping[str, Sequence[nn.Module]]:
        """Return the modules of every stage from the image on; FreezeD keeps the first ones.

        The children are the stages, unless a subclass says otherwise.
        """
        return {name: [module] for name, module in self.named_children()}


class BlockBackbone(Backbone):
    """A backbone of which every entry of ``blocks`` is a stage.

    Other dictionaries of modules (self-attention, input layers) belong to the block of the same name.
    """

    def stages(self) -> Mapping[str, Sequence[nn.Module]]:
        """Return the blocks, each with what other dictionaries of modules hold under its name."""
        blocks = self.get_submodule("blocks")
        others = [x for x in self.children() if isinstance(x, nn.ModuleDict) and x is not blocks]
        return {
            f"blocks.{name}": [block, *(other[name] for other in others if name in other)]
            for name, block in blocks.named_children()
        }
