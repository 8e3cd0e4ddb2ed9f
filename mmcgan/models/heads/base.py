"""What a head is: it owns parameters and turns features into named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from mmcgan.structures import Condition


class Head(nn.Module):
    """Base of all heads.

    Class attributes say what a config may wire:

    * ``emits``: names of the tensors that ``forward`` returns, each with N rows;
    * ``requires``: the fields of :class:`Condition` that must be present;
    * ``class_rows``, ``class_columns``, ``class_copies``: which tensors belong to classes, see
      :mod:`mmcgan.models.class_rows`.

    An instance may say in ``reads`` which features of the backbone it looks at; one that the backbone does
    not emit is an error at build.
    """

    emits: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    reads: tuple[str, ...] = ()

    def forward(self, features: Mapping[str, Tensor], condition: Condition) -> dict[str, Tensor]:
        """Return the named tensors.

        Args:
            features: ``pooled`` (N, C) and ``map`` (N, C, h, w) of the backbone, after its
                last activation.
            condition: the condition of each image.
        """
        raise NotImplementedError

    def realness(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return how real each image looks, (N,), or None if this head does not judge that.

        For diagnostics only; what is logged as D(x).

        Args:
            outputs: what :meth:`forward` returned.
        """
        logit = outputs.get("logit")
        return logit if logit is not None and logit.ndim == 1 else None

    def class_scores(self, outputs: Mapping[str, Tensor]) -> Tensor | None:
        """Return a score for every class, (N, num_classes), or None if this head does not classify.

        For diagnostics only; their softmax is logged as the classifier's probabilities.

        Args:
            outputs: what :meth:`forward` returned.
        """
        logits = outputs.get("logits")
        return logits if logits is not None and logits.ndim == 2 else None
