"""Changing the size of images and feature maps through a low-pass filter (StyleGAN2, Appendix B)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcgan.models.layers.precision import in_float32_on_processors

#: The binomial filter of StyleGAN and StyleGAN2.
BINOMIAL = (1.0, 3.0, 3.0, 1.0)


class FIRFilter(nn.Module):
    """A separable low-pass filter for doubling and halving, in plain PyTorch.

    Doubling puts zeros between the pixels, halving drops every second pixel; the filter is applied in
    between at the larger size, and pads with zeros. Every method can be differentiated twice.

    It is a true convolution: taps that are not symmetric are turned round where torch correlates.

    Args:
        taps: weights in one direction, normalised here to a sum of 1.

    Raises:
        ValueError: fewer than two taps, or a sum of 0.
    """

    kernel: Tensor

    def __init__(self, taps: Sequence[float] = BINOMIAL) -> None:
        super().__init__()
        line = [float(tap) for tap in taps]
        if len(line) < 2 or sum(line) == 0:
            raise ValueError(f"filter taps must be at least two, with a sum other than 0: {line}")
        row = torch.tensor(line) / sum(line)
        # fixed by the config: kept out of checkpoints
        self.register_buffer("kernel", torch.outer(row, row), persistent=False)
        self.length = len(line)

    def _depthwise(self, x: Tensor, gain: float, *, turned: bool) -> Tensor:
        """Return the kernel as the weight of a convolution that treats channels apart.

        ``turned`` round for torch's convolution, which correlates; not for the transposed one.
        """
        kernel = self.kernel.flip(0, 1) if turned else self.kernel
        return (kernel * gain).to(x.dtype).expand(x.shape[1], 1, self.length, self.length)

    def smooth(self, x: Tensor, before: int, after: int, *, gain: float = 1.0, stride: int = 1) -> Tensor:
        """Filter ``x`` (N, C, H, W) padded with ``before`` zeros left and above, ``after`` elsewhere.

        Negative padding cuts off. Only every ``stride``-th result is kept.
        """
        weight = self._depthwise(x, gain, turned=True)
        even = before == after >= 0
        if not even:
            x = F.pad(x, (before, after, before, after))
        padding = before if even else 0
        if stride == 1:
            return F.conv2d(x, weight, padding=padding, groups=x.shape[1])
        options = {"stride": stride, "padding": padding, "groups": x.shape[1]}
        return in_float32_on_processors(F.conv2d, x, weight, **options)

    def upsample(self, x: Tensor) -> Tensor:
        """Return (N, C, 2H, 2W); a constant stays the same constant away from the border."""
        # A transposed convolution keeps every result that a kernel touches; of those, cut the ends.
        before, after = (self.length - 2) // 2, (self.length - 1) // 2
        weight = self._depthwise(x, 4.0, turned=False)
        options = {"stride": 2, "padding": before if before == after else 0, "groups": x.shape[1]}
        whole = in_float32_on_processors(F.conv_transpose2d, x, weight, **options)
        if before == after:
            return whole
        return F.pad(whole, (-before, -after, -before, -after))

    def downsample(self, x: Tensor) -> Tensor:
        """Return (N, C, H/2, W/2); a constant stays the same constant away from the border."""
        return self.smooth(x, (self.length - 1) // 2, (self.length - 2) // 2, stride=2)

    def smooth_enlarged(self, x: Tensor, kernel: int) -> Tensor:
        """Finish doubling by a transposed convolution of stride 2 and odd size ``kernel`` without padding.

        ``x`` (N, C, 2H + kernel - 2, ...) becomes (N, C, 2H, ...).
        """
        half = kernel // 2
        before = half + (self.length + 1) // 2 - (kernel - 1)
        after = half + (self.length - 2) // 2 - (kernel - 2)
        return self.smooth(x, before, after, gain=4.0)

    def smooth_before_halving(self, x: Tensor, kernel: int) -> Tensor:
        """Prepare ``x`` for a convolution of stride 2 and odd size ``kernel`` without padding."""
        half = kernel // 2
        return self.smooth(x, half + (self.length - 1) // 2, half + (self.length - 2) // 2)
