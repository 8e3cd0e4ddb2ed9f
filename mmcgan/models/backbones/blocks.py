"""What the convolutional backbones share: blocks with attention between them, then pooled features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from mmcgan.dtypes import at_least_float32
from mmcgan.models.backbones.base import BlockBackbone
from mmcgan.models.layers import DownBlock, DownBlockOptions, SpectralNormArg, activation, initialize
from mmcgan.models.options import AttentionOptions, PooledLayerOptions


def down_blocks(
    widths: Sequence[int], halving: Sequence[bool], options: DownBlockOptions, layers: PooledLayerOptions
) -> nn.ModuleList:
    """Return residual blocks from the colours to ``widths``, of which some halve their input."""
    norm = layers.norm_factory()
    places = enumerate(zip([3, *widths], widths, halving, strict=False))
    return nn.ModuleList(
        DownBlock(
            before,
            after,
            downsample=halve,
            first=index == 0,
            norm=norm,
            options=options,
            spectral_norm=layers.spectral_norm,
        )
        for index, (before, after, halve) in places
    )


def through_blocks(x: Tensor, blocks: Iterable[nn.Module], attention: nn.ModuleDict) -> Tensor:
    """Return the features (N, C, h, w) behind all blocks."""
    for index, block in enumerate(blocks):
        x = block(x)
        if str(index) in attention:
            x = attention[str(index)](x)
    return x


def pooled_features(x: Tensor, pooling: str) -> dict[str, Tensor]:
    """Return ``map``, which is ``x`` (N, C, h, w), and its sum or mean over space as ``pooled``."""
    # Sums over positions leave bf16's eight bits quickly: accumulate in float32 or wider.
    wide = at_least_float32(x)
    pooled = wide.sum((2, 3)) if pooling == "sum" else wide.mean((2, 3))
    return {"pooled": pooled, "map": x}


class ResidualBackbone(BlockBackbone):
    """A backbone of residual blocks with attention between them, an activation and pooled features."""

    emits = ("pooled", "map")

    def build(
        self,
        image_size: int,
        plan: tuple[Sequence[int], Sequence[bool]],
        options: DownBlockOptions,
        attention: tuple[AttentionOptions, SpectralNormArg],
        layers: PooledLayerOptions,
    ) -> None:
        """Add all layers and initialise them.

        Args:
            image_size: side of the images.
            plan: output channels of every block, and whether it halves its input.
            options: of the blocks.
            attention: where it is, and its spectral norm.
            layers: of everything.
        """
        widths, halving = plan
        self.image_size, self.out_channels, self.pooling = image_size, widths[-1], layers.pooling
        self.blocks = down_blocks(widths, halving, options, layers)
        sizes = [image_size >> sum(halving[: index + 1]) for index in range(len(halving))]
        places, attended = attention
        self.attention = places.layers(sizes, widths, attended)
        self.activation = activation(layers.activation_name)
        initialize(self, layers.init)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W) in [-1, 1] to ``pooled`` (N, C) and ``map`` (N, C, h, w).

        The network is convolutional: other sizes than ``image_size`` pass, with other sums.
        """
        x = through_blocks(image, self.blocks, self.attention)
        return pooled_features(self.activation(x), self.pooling)
