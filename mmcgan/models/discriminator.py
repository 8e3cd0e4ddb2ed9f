"""A backbone and named heads: one image in, named tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmcgan.models.heads.base import Head
from mmcgan.models.layers import initialize
from mmcgan.models.mapping import equalize
from mmcgan.registry import BACKBONES, HEADS, nearest
from mmcgan.structures import CONDITION_FIELDS, Condition

EQUALIZED = "equalized"


class Discriminator(nn.Module):
    """Scores images. Heads see the condition; a backbone does only if it ``requires`` fields of it.

    Args:
        backbone: config of a backbone (``out_channels`` attribute, dict of features).
        heads: head configs by name; ``in_channels`` is filled from the backbone.
        init: initialisation of the heads, see :func:`mmcgan.models.layers.initialize`, or
            ``equalized`` for an equalised learning rate (:func:`mmcgan.models.mapping.equalize`); the
            backbone has an ``init`` of its own.
        freeze_stages: the first stages of the backbone that no optimiser trains (FreezeD, Mo et al.
            2020), for fine-tuning; their weights stay as loaded, batch-norm statistics still move.

    Raises:
        ValueError: ``freeze_stages`` is not between 0 and the number of stages, or a head looks at features
            that the backbone does not emit (a scale that there is not).
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        heads: dict[str, dict[str, Any]],
        init: str = "orthogonal",
        freeze_stages: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = BACKBONES.build(backbone)
        built = {
            name: HEADS.build({"in_channels": self.backbone.out_channels, **head})
            for name, head in heads.items()
        }
        _check_reads(self.backbone, built)
        self.heads = nn.ModuleDict(built)
        if init == EQUALIZED:
            equalize(self.heads)
        else:
            initialize(self.heads, init)
        freeze(self.backbone, freeze_stages)
        #: fields of the condition that the backbone looks at beside the image
        self.backbone_requires: tuple[str, ...] = getattr(self.backbone, "requires", ())
        heads_require = {field for head in built.values() for field in head.requires}
        self.requires = sorted({*self.backbone_requires, *heads_require})

    @property
    def emits(self) -> list[str]:
        """Names of the tensors that :meth:`forward` returns, ``head.tensor``."""
        heads: dict[str, Head] = dict(self.heads.items())  # type: ignore[arg-type]
        emitted = [f"{name}.{tensor}" for name, head in heads.items() for tensor in head.emits]
        return emitted + [f"feature.{name}" for name in self.backbone.emits]

    def forward(self, image: Tensor, condition: Condition) -> dict[str, Tensor]:
        """Return all named tensors of ``image`` (N, C, H, W) in [-1, 1] under ``condition``.

        Raises:
            ValueError: a head or the backbone needs a field of the condition that is absent.
        """
        missing = [field for field in self.requires if getattr(condition, field) is None]
        if missing:
            present = [f for f in CONDITION_FIELDS if getattr(condition, f) is not None]
            needing = "backbone needs" if set(missing) & set(self.backbone_requires) else "heads need"
            raise ValueError(f"the discriminator's {needing} condition.{missing}, present: {present}")
        features = self.backbone(image, condition) if self.backbone_requires else self.backbone(image)
        outputs = {f"feature.{name}": value for name, value in features.items()}
        for name, head in self.heads.items():
            outputs |= {f"{name}.{k}": v for k, v in head(features, condition).items()}
        return outputs


def _check_reads(backbone: nn.Module, heads: Mapping[str, Head]) -> None:
    """Raise ValueError if a head looks at features that the backbone does not emit."""
    known = list(getattr(backbone, "emits", ()))
    for name, head in heads.items():
        for feature in getattr(head, "reads", ()):
            if known and feature not in known:
                raise ValueError(
                    f"discriminator.heads.{name}: {type(head).__name__} looks at {feature!r}, which "
                    f"{type(backbone).__name__} does not emit.{nearest(feature, known)}"
                )


def stages(backbone: nn.Module) -> dict[str, list[nn.Module]]:
    """Return the modules of every stage of a backbone, from the image on.

    A stage is an entry of the backbone's ``blocks`` with what other dictionaries of modules (self-
    attention, input layers) hold under the same name; a backbone without ``blocks`` has its children
    as stages.
    """
    blocks = getattr(backbone, "blocks", None)
    if blocks is None:
        return {name: [module] for name, module in backbone.named_children()}
    others = [each for each in backbone.children() if isinstance(each, nn.ModuleDict) and each is not blocks]
    return {
        f"blocks.{name}": [block, *(other[name] for other in others if name in other)]
        for name, block in blocks.named_children()
    }


def freeze(backbone: nn.Module, number: int) -> None:
    """Take the parameters of the first ``number`` stages of ``backbone`` out of training.

    Raises:
        ValueError: there are not so many; the message lists the stages.
    """
    found = stages(backbone)
    if not 0 <= number <= len(found):
        raise ValueError(
            f"discriminator.freeze_stages must lie in [0, {len(found)}], got {number}; "
            f"{type(backbone).__name__} has the stages {', '.join(found)}"
        )
    for modules in list(found.values())[:number]:
        for module in modules:
            module.requires_grad_(False)
