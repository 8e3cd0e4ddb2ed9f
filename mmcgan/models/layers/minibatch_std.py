"""How much the images of a batch differ, as a feature map (Progressive GAN, Sec. 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcgan.models.layers.precision import full_precision


class MinibatchStd(nn.Module):
    """Appends the standard deviation over a group of samples, averaged over space and channels.

    Sample i is grouped with i + N/g, i + 2N/g, ..., g being the group size: the largest divisor of N
    that is at most ``group_size``.

    Args:
        group_size: samples compared with each other; 0 for the whole batch.
        channels: number of maps added; each averages over its own share of the channels.

    Raises:
        ValueError: a negative group size, or no channel to add.
    """

    def __init__(self, group_size: int = 4, channels: int = 1) -> None:
        super().__init__()
        if group_size < 0 or channels < 1:
            raise ValueError(
                "minibatch std needs group_size >= 0 (0: the whole batch) and channels >= 1,"
                f" got group_size={group_size}, channels={channels}"
            )
        self.group_size, self.channels = group_size, channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + channels, H, W)."""
        batch, _, height, width = x.shape
        limit = min(self.group_size or batch, batch)
        group = next(size for size in range(limit, 0, -1) if batch % size == 0)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        with full_precision(x):
            y = wide.reshape(group, batch // group, self.channels, -1, height, width)
            deviation = (y.var(0, unbiased=False) + 1e-8).sqrt().mean((2, 3, 4))
        maps = deviation.to(x.dtype).repeat(group, 1)[:, :, None, None].expand(-1, -1, height, width)
        return torch.cat([x, maps], dim=1)
