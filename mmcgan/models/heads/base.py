"""What a head is: it owns parameters and turns features into named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from mmcgan.contracts import Contract, Emitting, Value, names, some_names
from mmcgan.registry import HEADS
from mmcgan.structures import Condition


class Head(Emitting, nn.Module):
    """Base of all heads.

    A subclass writes :meth:`forward` and says what a config may wire:

    Attributes:
        emits: names of the tensors that ``forward`` returns, each with N rows.
        requires: the fields of :class:`Condition` that must be present.
        reads: features of the backbone that it looks at, () for one that does not say; one that the backbone
            does not emit is an error when the discriminator is built.
        follows_init: whether the discriminator's ``init`` starts its convolutions, linear maps and tables
            anew; without it they start as the constructor left them.
        class_rows, class_columns, class_copies: which tensors belong to classes, see
            :mod:`mmcgan.models.class_rows`.
    """

    contract: ClassVar[Contract] = Contract(
        "head",
        "docs/extending/head.md",
        methods={"forward": "features and condition -> a dict of the tensors that it emits"},
        values={
            "emits": Value("a tuple of names of tensors", some_names),
            "requires": Value("a tuple of fields of the condition, () for none", names),
        },
    )

    requires: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    follows_init: bool = False

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


def emits_inside(settings: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return what ``head`` in the settings of a head around it emits; None if they do not tell."""
    inner = settings.get("head")
    kind = HEADS.get(inner["type"]) if isinstance(inner, Mapping) and "type" in inner else None
    return None if kind is None else kind.emits_with(inner)
