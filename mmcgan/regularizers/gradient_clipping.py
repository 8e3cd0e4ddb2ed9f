"""Clipping the gradients of chosen parameters."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from mmcgan.registry import REGULARIZERS
from mmcgan.regularizers.base import Regularizer
from mmcgan.suggestions import nearest


@REGULARIZERS.register_module()
class GradientClipping(Regularizer):
    """Clips the gradients of some parameters of one player (ReACGAN, Table A5: of the classifier).

    All parameters of a player are clipped by ``clip_grad`` in its optimiser's section instead.

    Args:
        parameters: glob patterns of parameter names in the player's network, e.g. ``heads.cls.*``.
        max_norm: largest length of these gradients together; None for no such limit.
        max_value: largest absolute value of an entry; None for no such limit.

    Raises:
        ValueError: neither or both limits are given, one is not positive, or no pattern fits.
    """

    def __init__(
        self,
        on: str = "discriminator",
        parameters: Sequence[str] = ("heads.cls.*",),
        max_norm: float | None = None,
        max_value: float | None = None,
        interval: int = 1,
    ) -> None:
        super().__init__(on, interval=interval)
        given = [limit for limit in (max_norm, max_value) if limit is not None]
        if len(given) != 1 or not given[0] > 0:
            raise ValueError(
                "GradientClipping: give max_norm or max_value, greater than 0, "
                f"got max_norm={max_norm}, max_value={max_value}"
            )
        self.patterns, self.max_norm, self.max_value = tuple(parameters), max_norm, max_value

    def after_backward(self, network: nn.Module) -> None:
        """Clip the gradients in place."""
        chosen = [p for name, p in network.named_parameters() if self._chosen(name) and p.grad is not None]
        if not chosen:
            names = [name for name, _ in network.named_parameters()]
            raise ValueError(
                f"GradientClipping: {list(self.patterns)} matches no trained parameter of the {self.on}."
                f"{nearest(self.patterns[0], names)}"
            )
        if self.max_norm is not None:
            nn.utils.clip_grad_norm_(chosen, self.max_norm)
        else:
            assert self.max_value is not None
            nn.utils.clip_grad_value_(chosen, self.max_value)

    def _chosen(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)
