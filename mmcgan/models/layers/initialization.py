"""How weights start."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mmcgan.models.layers.normalization import ConditionalBatchNorm
from mmcgan.suggestions import nearest

SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "orthogonal": lambda weight: nn.init.orthogonal_(weight),
    "normal": lambda weight: nn.init.normal_(weight, 0.0, 0.02),
    "xavier": lambda weight: nn.init.xavier_uniform_(weight),
    "xavier_0.02": lambda weight: nn.init.xavier_normal_(weight, 0.02),
    "default": lambda weight: weight,
}
INITIALIZED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)


def initialize(module: nn.Module, scheme: str, *, zero_bias: bool = False) -> nn.Module:
    """Fill the weights of all convolutions, linear maps and tables inside ``module``.

    Biases keep torch's default unless ``zero_bias`` (BigGAN-PyTorch keeps them, StudioGAN zeroes
    them); normalisation layers and attention's gamma are left alone.

    Args:
        module: changed in place and returned.
        scheme: ``orthogonal``, ``normal`` (N(0, 0.02)), ``xavier`` (uniform), ``xavier_0.02``
            (normal, gain 0.02: SPADE), or ``default`` (torch's own).
        zero_bias: start biases at 0.

    Raises:
        ValueError: unknown scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"init: unknown scheme {scheme!r}.{nearest(scheme, list(SCHEMES))}")
    for child in module.modules():
        if isinstance(child, INITIALIZED) and not child.weight.is_meta:
            SCHEMES[scheme](child.weight)
            bias = getattr(child, "bias", None)
            if zero_bias and bias is not None:
                nn.init.zeros_(bias)
    for child in module.modules():
        if isinstance(child, ConditionalBatchNorm):
            child.reset_affine()
    return module
