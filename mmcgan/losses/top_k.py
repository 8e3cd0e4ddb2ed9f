"""Top-k training: the generator learns from its best images only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from torch import Tensor

from mmcgan.losses.arguments import loss_arguments
from mmcgan.losses.base import Loss
from mmcgan.registry import LOSSES


def top_k_size(batch_size: int, epoch: int, gamma: float, nu: float) -> float:
    """Return how many images count: max(batch_size * gamma^epoch, floor(batch_size * nu)).

    Top-k Training of GANs, Sec. 3. Not rounded; a use of it rounds down.
    """
    return max(batch_size * gamma**epoch, int(batch_size * nu))


@LOSSES.register_module()
class TopKLoss(Loss):
    """Another loss on logits, whose generator term sees the k images with the highest logits only.

    A map of logits, one per patch, counts by its mean over the positions, and is passed on whole.

    Args:
        loss: config of the loss with views on ``logit``, e.g. ``dict(type='HingeLoss')``.
        epoch_length: iterations after which k shrinks once more; an epoch of the data in the paper.
        gamma: factor of k per epoch, in (0, 1].
        nu: share of the batch that k never falls below, in (0, 1].

    Raises:
        ValueError: a setting is out of range, or ``loss`` is of another kind.
    """

    default_inputs: ClassVar[Mapping[str, str]] = {"logit": "adv.logit", "iteration": "train.iteration"}

    def __init__(self, loss: dict[str, Any], epoch_length: int, gamma: float = 0.99, nu: float = 0.5) -> None:
        super().__init__()
        for name, share in (("gamma", gamma), ("nu", nu)):
            if not 0 < share <= 1:
                raise ValueError(f"TopKLoss: {name} must lie in (0, 1], got {share}")
        if epoch_length < 1:
            raise ValueError(f"TopKLoss: epoch_length must be at least 1, got {epoch_length}")
        self.loss = cast(Any, LOSSES.build(loss))
        inputs, views = set(loss_arguments(type(self.loss))), set(self.loss.implemented_views())
        if inputs != {"logit"} or not {"real", "fake", "generated"} <= views:
            raise ValueError(
                f"TopKLoss: loss must act on one logit in all views, as HingeLoss does; got {loss['type']!r}"
            )
        self.epoch_length, self.gamma, self.nu = epoch_length, gamma, nu

    def real(self, logit: Tensor, iteration: Tensor) -> Tensor:
        """Return the wrapped loss of all real images."""
        return self.loss.real(logit=logit)

    def fake(self, logit: Tensor, iteration: Tensor) -> Tensor:
        """Return the wrapped loss of all generated images in the discriminator's step."""
        return self.loss.fake(logit=logit)

    def generated(self, logit: Tensor, iteration: Tensor) -> Tensor:
        """Return the wrapped loss of the k images with the highest logits, at least one.

        Args:
            logit: (N,), or (N, ...) by position.
            iteration: iterations done, a scalar.
        """
        k = top_k_size(len(logit), int(iteration) // self.epoch_length, self.gamma, self.nu)
        realness = logit if logit.dim() == 1 else logit.flatten(1).mean(dim=1)
        return self.loss.generated(logit=logit[realness.topk(max(1, int(k))).indices])
